// The types, as a user's compiler sees them.
import { readdirSync } from 'node:fs'
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

types.run()
