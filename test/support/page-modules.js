// Modules of the page without the page: those that need no document, made into JavaScript as they stand.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'

const page = new URL('../../lib/watch/page/', import.meta.url)
const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true }

/** By name; they may import one another. */
export async function pageModules(...names) {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-modules-'))
  try {
    for (const name of names) {
      const { outputText } = ts.transpileModule(readFileSync(new URL(`${name}.ts`, page), 'utf8'), { compilerOptions })
      const file = join(folder, `${name}.js`)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, outputText)
    }
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    const made = await Promise.all(names.map((name) => import(pathToFileURL(join(folder, `${name}.js`)).href)))
    return Object.assign({}, ...made)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
