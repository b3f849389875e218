/** What the sanity checks can be told. */
import { checkOptions, checkPositiveInteger } from '../../checks.js'
import type { Data } from '../../data/stream.js'
import { invalidArgument } from '../../errors.js'
import type { Schedule } from '../../schedules/index.js'
import { checkSignal, resolveThreads } from '../../train/options.js'

export interface SanityCheckOptions {
  /** Validation data, to be compared with the training data for examples they share. */
  validation?: Data
  /** How many examples must be learnt by heart; default 20. */
  overfitExamples?: number
  /** Names of checks to leave out, when what they find is meant: `['gradients']` where layers are frozen on purpose. */
  skip?: readonly string[]
  /** The schedule that training will have; its first rates are looked at. Default: the optimizer's own rate. */
  schedule?: Schedule
  /** Default: all cores. `GRADUS_THREADS` overrides. */
  threads?: number
  /** Ends the checks; the promise rejects with the signal's reason. */
  signal?: AbortSignal
}

export interface SanitySettings {
  readonly validation?: Data
  readonly overfitExamples: number
  readonly skip: readonly string[]
  readonly schedule?: Schedule
  readonly threads: number
  readonly signal?: AbortSignal
}

export function resolveSanityOptions(options: SanityCheckOptions, names: readonly string[]): SanitySettings {
  checkOptions('options', options, ['validation', 'overfitExamples', 'skip', 'schedule', 'threads', 'signal'])
  const { validation, overfitExamples = 20, skip = [], schedule, threads, signal } = options
  checkPositiveInteger('overfitExamples', overfitExamples)
  if (!Array.isArray(skip)) throw invalidArgument('skip', 'an array of names of checks', skip)
  for (const [i, name] of skip.entries()) {
    if (!names.includes(name)) throw invalidArgument(`skip[${i}]`, `one of ${names.join(', ')}`, name)
  }
  if (schedule !== undefined && typeof schedule !== 'function') {
    throw invalidArgument('schedule', 'a function', schedule)
  }
  checkSignal(signal)
  return { validation, overfitExamples, skip, schedule, threads: resolveThreads(threads), signal }
}
