// The types, as a user's compiler sees them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const types = suite('types')
const folder = fileURLToPath(new URL('types', import.meta.url))

types('right code compiles, and each line marked as wrong does not', () => {
  const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile)
  const { options, fileNames, errors } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
  assert.equal(errors, [])
  assert.is(fileNames.length, readdirSync(folder).filter((name) => name.endsWith('.ts')).length)
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options))
  const host = { getCurrentDirectory: () => folder, getCanonicalFileName: (name) => name, getNewLine: () => '\n' }
  assert.is(ts.formatDiagnostics(diagnostics, host), '')
})

const { SyntaxKind } = ts

/** Whether a type takes undefined as it is written. */
function takesUndefined(type) {
  if (ts.isUnionTypeNode(type)) return type.types.some(takesUndefined)
  if (ts.isParenthesizedTypeNode(type)) return takesUndefined(type.type)
  return [SyntaxKind.UndefinedKeyword, SyntaxKind.UnknownKeyword, SyntaxKind.AnyKeyword].includes(type.kind)
}

/** The optional properties of a file whose type does not take undefined, each as `owner.name`. */
function withoutUndefined(text) {
  const found = []
  const visit = (node, owner) => {
    // Those of classes and what is readonly are there to be read.
    if (
      ts.isPropertySignature(node) &&
      !node.modifiers &&
      node.questionToken &&
      !(node.type && takesUndefined(node.type))
    ) {
      found.push(`${owner}.${node.name.getText()}`)
    }
    const isNamed = ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)
    ts.forEachChild(node, (child) => visit(child, isNamed ? node.name.text : owner))
  }
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true), 'the file')
  return found
}

types('what is optional may be given as undefined, as exactOptionalPropertyTypes asks for', () => {
  assert.equal(
    withoutUndefined(`interface A { a?: number; b?: number | undefined; c?: unknown; d?: () => undefined; readonly h?: number }
      function f(options: { e?: string; f?: (() => void) | undefined }) {}
      class B { g?: number }`),
    ['A.a', 'A.d', 'the file.e'],
  )
  const lib = fileURLToPath(new URL('../lib', import.meta.url))
  const files = readdirSync(lib, { recursive: true }).filter((file) => file.endsWith('.ts'))
  assert.ok(files.length > 100)
  for (const file of files) {
    // The page is no part of what a user's compiler sees.
    if (file.startsWith(join('watch', 'page'))) continue
    assert.equal(withoutUndefined(readFileSync(join(lib, file), 'utf8')), [], `${file}: write | undefined`)
  }
})

types.run()
