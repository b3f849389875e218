/** A study file: the module whose default export is the study. */
import { createHash } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isRecord } from '../call.js'
import { describe, GradusError } from '../errors.js'
import { codeOf, fileError, isMissing } from '../files.js'
import type { StudyModule } from '../study/index.js'
import { isStudyDefinition, type StudyDefinition } from './definition/define-study.js'

export interface LoadedStudy {
  readonly definition: StudyDefinition
  /** Its path, links followed, and the SHA-256 of its bytes. */
  readonly module: StudyModule
}

/**
 * Runs the module and gives its default export. TypeScript is read by tsx, where that is installed beside the file, else by
 * Node.js where that can.
 *
 * @throws `GRADUS_BAD_FILE` when there is no such file, it throws, or exports no study by default; `GRADUS_MISSING_PACKAGE` when
 * nothing reads TypeScript
 */
export async function loadStudy(file: string): Promise<LoadedStudy> {
  const path = await realpath(file).catch((error) => {
    throw isMissing(error) ? badStudy(file, 'there is no such file', error) : fileError(file, error)
  })
  const bytes = await readFile(path).catch((error) => {
    throw codeOf(error) === 'EISDIR' ? badStudy(file, 'it is a folder, not a file', error) : fileError(file, error)
  })
  if (/^\.[cm]?tsx?$/.test(extname(path))) await readTypeScript(file, path)
  const exported = await import(pathToFileURL(path).href).catch((error: unknown) => {
    const reason = error instanceof Error ? `${error.name}: ${error.message}${placeIn(error, path)}` : describe(error)
    throw badStudy(file, `it cannot be loaded: ${reason}`, error)
  })
  return {
    definition: definitionOf(file, exported),
    module: { path: resolve(file), sha256: createHash('sha256').update(bytes).digest('hex') },
  }
}

const badStudy = (file: string, problem: string, cause?: unknown): GradusError =>
  new GradusError('GRADUS_BAD_FILE', `study: ${file}: ${problem}`, { cause })

/** `, in line 12`, where the file's own line is known. */
function placeIn({ stack = '' }: Error, path: string): string {
  const line = stack.split(`${pathToFileURL(path).href}:`)[1]?.match(/^\d+/)?.[0]
  return line === undefined ? '' : `, in line ${line}`
}

function definitionOf(file: string, exported: { readonly default?: unknown }): StudyDefinition {
  // A CommonJS module that a compiler has made has its default within.
  const outer = exported.default
  const given = isRecord(outer) && !isStudyDefinition(outer) && 'default' in outer ? outer.default : outer
  if (isStudyDefinition(given)) return given
  if (isRecord(given) && typeof given.trial === 'function' && isRecord(given.space)) {
    const own = 'it was not made by the defineStudy of this Gradus'
    throw badStudy(file, `${own}: export default defineStudy({ … }), and run the command of the Gradus that it imports`)
  }
  const problem = given === undefined ? 'it has no default export' : `its default export is ${describe(given)}`
  throw badStudy(file, `${problem}; expected export default defineStudy({ … })`)
}

/** From here on, for this process: studies may import more when they run. */
async function readTypeScript(file: string, path: string): Promise<void> {
  let found: string
  try {
    found = createRequire(path).resolve('tsx')
  } catch (cause) {
    if ((process.features as { typescript?: unknown }).typescript) return
    const message = `study: ${file} is TypeScript, which is read by tsx: npm install --save-dev tsx`
    throw new GradusError('GRADUS_MISSING_PACKAGE', message, { cause })
  }
  // As `node --import tsx` does.
  await import(pathToFileURL(found).href)
}
