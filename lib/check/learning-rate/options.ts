import { checkPositive, checkPositiveInteger } from '../../checks.js'
import { GradusError } from '../../errors.js'
import { optionsOf } from '../../options.js'
import { checkSignal, resolveThreads } from '../../train/calls.js'

export interface FindLearningRateOptions {
  /** The first rate; default 1e-7. */
  from?: number | undefined
  /** The last rate, unless the loss explodes before; default 10. */
  to?: number | undefined
  /** Updates from the first rate to the last, 20 at least; default 200. */
  steps?: number | undefined
  /** Examples in a batch; default 32. The rate that is found is one for such batches. */
  batchSize?: number | undefined
  /** The loss has exploded when it is so many times what it was at first; default 4. */
  explosion?: number | undefined
  /** Default: all cores. `GRADUS_THREADS` overrides. The results are the same bits for any number. */
  threads?: number | undefined
  /** Ends the sweep; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

export type FindLearningRateSettings = Required<Omit<FindLearningRateOptions, 'signal'>> & {
  signal?: AbortSignal | undefined
}

const readOptions = optionsOf<FindLearningRateOptions>()('findLearningRate', {
  from: [checkPositive, 1e-7],
  to: [checkPositive, 10],
  steps: [checkPositiveInteger, 200],
  batchSize: [checkPositiveInteger, 32],
  explosion: [checkPositive, 4],
  threads: checkPositiveInteger,
  signal: checkSignal,
})
const fewestSteps = 20

export function resolveFindOptions(options: FindLearningRateOptions): FindLearningRateSettings {
  const read = readOptions(options)
  const { from, to, steps, explosion } = read
  if (to <= from) throw refused('to', `a rate over from, which is ${from}`, to)
  if (steps < fewestSteps) throw refused('steps', `at least ${fewestSteps}`, steps)
  if (explosion <= 1) throw refused('explosion', 'a number over 1', explosion)
  return { ...read, threads: resolveThreads(read.threads) }
}

const refused = (argument: string, expected: string, received: number) =>
  new GradusError('GRADUS_INVALID_ARGUMENT', `${argument}: expected ${expected}, received ${received}`)
