/** Schedules in a straight line. */
import { factory } from '../call.js'
import { checkNotNegative, checkPositive } from '../checks.js'
import { needed, optionsOf } from '../options.js'
import { type Timed, type TimedSchedule, timed, timedRules } from './schedule.js'

export interface WarmupOptions extends Timed {
  length: number
  /** Where the ramp begins, as a multiple of `initial`; default 0. */
  startFactor?: number | undefined
}

const readWarmup = optionsOf<WarmupOptions>()('warmup', {
  ...timedRules,
  length: needed(checkPositive),
  startFactor: [checkNotNegative, 0],
})

/**
 * initial · (startFactor + (1 − startFactor) · (t + 1) / length): up to the optimizer's own value, which the last step or
 * epoch of `length` has already; no step has the rate 0 (Goyal et al. 2017, "Accurate, large minibatch SGD").
 * @function
 */
export const warmup = factory('warmup', 1, (options: WarmupOptions): TimedSchedule => {
  const { length, startFactor, unit } = readWarmup(options)
  const share = (t: number) => Math.min(1, (t + 1) / length)
  return timed('warmup', unit, (t, initial) => initial * (startFactor + (1 - startFactor) * share(t)), length)
})

export interface LinearRampOptions extends Timed {
  /** The first value; default the optimizer's own. */
  from?: number | undefined
  /** Reached at `length`, kept from then on. */
  to: number
  length: number
}

const readRamp = optionsOf<LinearRampOptions>()('linearRamp', {
  ...timedRules,
  from: checkNotNegative,
  to: needed(checkNotNegative),
  length: needed(checkPositive),
})

/** from + (to − from) · t / length, then `to`: for momentum, low at first and high later. @function */
export const linearRamp = factory('linearRamp', 1, (options: LinearRampOptions): TimedSchedule => {
  const { from, to, length, unit } = readRamp(options)
  return timed(
    'linearRamp',
    unit,
    (t, initial) => {
      const first = from ?? initial
      return t < length ? first + (to - first) * (t / length) : to
    },
    length,
  )
})
