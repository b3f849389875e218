/** Ends trials that are worse than the median of the others (Golovin et al., "Google Vizier", 2017). */
import { factory } from '../../call.js'
import { checkNotNegativeInteger, checkPositiveInteger } from '../../checks.js'
import { optionsOf } from '../../options.js'
import { lossesOf, type Pruner, trialOf } from './pruner.js'

export interface MedianOptions {
  /** Complete trials before any is stopped. Default 5. */
  startup?: number | undefined
  /** Epochs of a trial after which nothing is decided. Default 0. */
  warmup?: number | undefined
  /** Epochs from one decision to the next. Default 1. */
  interval?: number | undefined
}

const readMedian = optionsOf<MedianOptions>()('median', {
  startup: [checkNotNegativeInteger, 5],
  warmup: [checkNotNegativeInteger, 0],
  interval: [checkPositiveInteger, 1],
})

/**
 * Stops a trial whose best value so far is worse than the median of the values that complete trials had after the same epoch.
 *
 * @throws `GRADUS_INVALID_ARGUMENT`
 * @example median({ warmup: 3 })
 * @function
 */
export const median = factory('median', 1, (options?: MedianOptions): Pruner => {
  const { startup, warmup, interval } = readMedian(options)
  return {
    name: 'median',
    settings: { startup, warmup, interval },
    afterReport(reports, number) {
      const values = trialOf(reports, number).reports ?? []
      const complete = reports.trials.filter((trial) => trial.state === 'complete' && trial.number !== number)
      if (complete.length === 0 || complete.length < startup) return 'continue'
      const step = values.length - 1
      if (step < warmup || (step - warmup) % interval !== 0) return 'continue'
      const others = complete
        .map((trial) => trial.reports?.[step] ?? Number.NaN)
        .filter((value) => !Number.isNaN(value))
      const best = Math.min(...lossesOf(values, reports.direction))
      // Of nothing but NaN there is no best.
      if (values.every(Number.isNaN)) return 'stop'
      return best > medianOf(lossesOf(others, reports.direction)) ? 'stop' : 'continue'
    },
  }
})

/** NaN of none. */
function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
