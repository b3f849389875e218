import { factory } from '../call.js'
import {
  checkNotNegative,
  checkNotNegativeInteger,
  checkPositiveInteger,
  checkShare,
  checkText,
  oneOf,
} from '../checks.js'
import { anyNumber, orNull, readMemory } from '../memory.js'
import { optionsOf } from '../options.js'
import { complete, type TimedSchedule } from './schedule.js'

export interface ReduceOnPlateauOptions {
  /** The column of the records to watch. Default `valLoss`, or `loss` without validation. */
  monitor?: string | undefined
  /** What the value is multiplied by, between 0 and 1. Default 0.5. */
  factor?: number | undefined
  /** So many epochs without an improvement, and it is reduced. Default 5. */
  patience?: number | undefined
  /** An improvement is by more than this share of the best. Default 1e-4. */
  threshold?: number | undefined
  /** So many epochs after a reduction are not counted as waiting. Default 0. */
  cooldown?: number | undefined
  /** It is reduced no further than this. Default 0. */
  minimum?: number | undefined
  /** Whether small or large values are good. Default: large for metrics that say so, as accuracy; else small. */
  mode?: 'min' | 'max' | undefined
}

const readOptions = optionsOf<ReduceOnPlateauOptions>()('reduceOnPlateau', {
  monitor: checkText,
  factor: [checkShare, 0.5],
  patience: [checkPositiveInteger, 5],
  threshold: [checkNotNegative, 1e-4],
  cooldown: [checkNotNegativeInteger, 0],
  minimum: [checkNotNegative, 0],
  mode: oneOf('min', 'max'),
})

interface Memory {
  best: number | null
  reductions: number
  waited: number
  cooling: number
}

const checks = {
  best: orNull(anyNumber),
  reductions: checkNotNegativeInteger,
  waited: checkNotNegativeInteger,
  cooling: checkNotNegativeInteger,
}

/**
 * initial · factor^reductions: reduced whenever the validation error has stopped improving (CS231n, "Annealing the learning
 * rate"). It goes by the epochs of its run, from the start in each new one; a run that goes on with `initialEpoch` goes on
 * with it, too.
 *
 * @example fit(data, { validation, schedule: reduceOnPlateau({ patience: 3 }) })
 * @function
 */
export const reduceOnPlateau = factory('reduceOnPlateau', 1, (options: ReduceOnPlateauOptions = {}): TimedSchedule => {
  const { monitor, factor, patience, threshold, cooldown, minimum, mode } = readOptions(options)
  const begin = () => {
    let best: number | null = null
    let [reductions, waited, cooling] = [0, 0, 0]
    const isImprovement = (value: number, sign: number) => {
      if (best === null) return !Number.isNaN(value)
      // A share of infinity says nothing.
      return Number.isFinite(best) ? sign * (best - value) > threshold * Math.abs(best) : sign * value < sign * best
    }
    return complete((_, initial) => Math.max(minimum, initial * factor ** reductions), {
      kind: 'reduceOnPlateau',
      state: () => ({ best, reductions, waited, cooling }),
      restore(state) {
        ;({ best, reductions, waited, cooling } = readMemory<Memory>('reduceOnPlateau', state, checks))
      },
      observe({ watch }) {
        const seen = watch(monitor)
        const isCooling = cooling > 0
        if (isCooling) cooling--
        if (isImprovement(seen.value, (mode ?? seen.mode) === 'max' ? -1 : 1)) {
          best = seen.value
          waited = 0
        } else if (!isCooling && ++waited >= patience) {
          reductions++
          waited = 0
          cooling = cooldown
        }
      },
    })
  }
  return complete((_, initial) => Math.max(minimum, initial), { kind: 'reduceOnPlateau', begin, monitor })
})
