/** Whether several fits are done sooner side by side, or one after the other. */
import { availableParallelism } from 'node:os'
import type { Data } from '../data/stream.js'
import type { Model } from '../model/model.js'
import { fit } from '../train/fit.js'
import type { TrainTarget } from '../train/target.js'
import type { MemberFitOptions } from './member-fit.js'

export interface AtOnce {
  /** So many fits at once. */
  readonly runs: number
  /** Of each. */
  readonly threads: number
}

/** Side by side each fit has one thread: what they share of the work is the members. */
export const sideBySide = (runs: number): AtOnce => ({ runs, threads: 1 })

export const inTurns = (threads: number): AtOnce => ({ runs: 1, threads })

/** Each of the two is tried for so long. */
const trialSeconds = 0.2

/**
 * Trains copies of the models for a moment, first one with all threads and then as many as there are threads, and says which
 * made more steps a second. No bit of a result depends on it.
 */
export async function measureAtOnce(
  models: readonly Model[],
  data: Data,
  options: MemberFitOptions,
  threads: number,
  signal: AbortSignal,
): Promise<AtOnce> {
  const both = [inTurns(threads), sideBySide(Math.min(models.length, threads, availableParallelism()))] as const
  const { epochs, batchSize, accumulate, clipNorm, clipValue, shuffle } = options
  const trial = { epochs, batchSize, accumulate, clipNorm, clipValue, shuffle }
  const rates: number[] = []
  for (const { runs, threads } of both) {
    const copies = models.slice(0, runs).map((model) => model.copy())
    try {
      const tried = copies.map((copy) => stepsASecond(copy, data, trial, threads, signal))
      const each = await Promise.allSettled(tried)
      signal.throwIfAborted()
      // What fails here fails in the fit itself, which says so.
      rates.push(each.reduce((sum, one) => sum + (one.status === 'fulfilled' ? one.value : 0), 0))
    } finally {
      for (const copy of copies) copy.dispose()
    }
  }
  return rates[1]! > rates[0]! ? both[1] : both[0]
}

async function stepsASecond(
  copy: TrainTarget,
  data: Data,
  options: MemberFitOptions,
  threads: number,
  signal: AbortSignal,
): Promise<number> {
  let [steps, began, ended] = [0, 0, 0]
  const counter = {
    onEpochBegin() {
      if (began === 0) began = performance.now()
    },
    onStepsEnd({ steps: { updates } }: { steps: { updates: number } }) {
      steps += updates
      ended = performance.now()
    },
  }
  const own = { ...options, callbacks: [counter], maxSeconds: trialSeconds, quiet: true, signal }
  await fit(copy, data, own, threads)
  return steps === 0 ? 0 : steps / (ended - began)
}
