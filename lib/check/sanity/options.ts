/** What the sanity checks can be told. */
import { checkFunction, checkPositiveInteger, checkShare } from '../../checks.js'
import type { Data } from '../../data/stream.js'
import { invalidArgument } from '../../errors.js'
import { anything, optionsOf, unknownName } from '../../options.js'
import type { Schedule } from '../../schedules/index.js'
import { checkSignal, resolveThreads } from '../../train/calls.js'

export interface SanityCheckOptions {
  /** Validation data, to be compared with the training data for examples they share. */
  validation?: Data | undefined
  /** Or: the share of the examples, the last ones, that training will keep out for that. Between 0 and 1. */
  validationSplit?: number | undefined
  /** How many examples must be memorized; default 20. */
  overfitExamples?: number | undefined
  /** Names of checks to leave out, when what they find is meant: `['gradients']` where layers are frozen on purpose. */
  skip?: readonly string[] | undefined
  /** The schedule that training will have; its first rates are looked at. Default: the optimizer's own rate. */
  schedule?: Schedule | undefined
  /** Default: all cores. `GRADUS_THREADS` overrides. */
  threads?: number | undefined
  /** Ends the checks; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

export interface SanitySettings {
  readonly validation?: Data
  readonly validationSplit?: number
  readonly overfitExamples: number
  readonly skip: readonly string[]
  readonly schedule?: Schedule
  readonly threads: number
  readonly signal?: AbortSignal
}

const readOptions = optionsOf<SanityCheckOptions>()('sanityCheck', {
  validation: anything,
  validationSplit: checkShare,
  overfitExamples: [checkPositiveInteger, 20],
  skip: [checkSkip, []],
  schedule: checkFunction<Schedule>,
  threads: checkPositiveInteger,
  signal: checkSignal,
})

function checkSkip(argument: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw invalidArgument(argument, 'an array of names of checks', value)
  return value
}

export function resolveSanityOptions(options: SanityCheckOptions, names: readonly string[]): SanitySettings {
  const read = readOptions(options)
  if (read.validation !== undefined && read.validationSplit !== undefined) {
    throw invalidArgument('validationSplit', 'no validation beside it', read.validationSplit)
  }
  for (const [i, name] of read.skip.entries()) {
    if (!names.includes(name)) throw unknownName(`skip[${i}]`, `one of ${names.join(', ')}`, name, names)
  }
  return { ...read, threads: resolveThreads(read.threads) }
}
