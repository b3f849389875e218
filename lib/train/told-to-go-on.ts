/** A program that `gradus resume` has started again: which of its runs is to go on. */
import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { RunPlace } from './run-folder.js'
import type { TrainingOptions } from './settings.js'

/** Has the path of the run, absolute. */
export const resumeVariable = 'GRADUS_RESUME'

/** One alone goes on: what the program fits after it, even under the same name, is another run. */
let hasGoneOn = false

/**
 * The options of the run that this process is to go on with, as by `resume: 'must'`; those of others as they are. It is the
 * first one with that `dir`, or with the `dir` and the `name` that have made a folder as `mnist` or `mnist-2`.
 */
export function asTold<Options extends TrainingOptions>(options: Options): Options {
  const run = process.env[resumeVariable]
  const { dir, name } = options
  if (hasGoneOn || !run || dir === undefined || !isPlaceOf(run, { dir, name })) return options
  hasGoneOn = true
  return { ...options, dir: name === undefined ? dir : join(dir, basename(run)), name: undefined, resume: 'must' }
}

function isPlaceOf(run: string, { dir, name }: RunPlace): boolean {
  const [path, folder] = [realPathOf(run), realPathOf(dir)]
  if (name === undefined) return path === folder
  const own = basename(path)
  const rest = own.startsWith(name) ? own.slice(name.length) : null
  return dirname(path) === folder && rest !== null && /^(-([2-9]|[1-9]\d+))?$/.test(rest)
}

/** The path itself where there is nothing. */
function realPathOf(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return resolve(path)
  }
}
