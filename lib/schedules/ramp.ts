/** Schedules in a straight line. */
import { checkNotNegative, checkOptional, checkOptions, checkPositive } from '../checks.js'
import { type Timed, type TimedSchedule, timed } from './schedule.js'

export interface WarmupOptions extends Timed {
  length: number
  /** Where the ramp begins, as a multiple of `initial`; default 0. */
  startFactor?: number
}

/**
 * initial · (startFactor + (1 − startFactor) · (t + 1) / length): up to the optimizer's own value, which the last step or
 * epoch of `length` has already; no step has the rate 0 (Goyal et al. 2017, "Accurate, large minibatch SGD").
 */
export function warmup(options: WarmupOptions): TimedSchedule {
  checkOptions('options', options, ['length', 'startFactor', 'unit'])
  const { length, startFactor = 0 } = options
  checkPositive('length', length)
  checkNotNegative('startFactor', startFactor)
  const share = (t: number) => Math.min(1, (t + 1) / length)
  return timed(options, (t, initial) => initial * (startFactor + (1 - startFactor) * share(t)), length)
}

export interface LinearOptions extends Timed {
  /** The first value; default the optimizer's own. */
  from?: number
  /** Reached at `length`, kept from then on. */
  to: number
  length: number
}

/** from + (to − from) · t / length, then `to`: for momentum, low at first and high later. */
export function linear(options: LinearOptions): TimedSchedule {
  checkOptions('options', options, ['from', 'to', 'length', 'unit'])
  const { from, to, length } = options
  checkOptional(checkNotNegative, 'from', from)
  checkNotNegative('to', to)
  checkPositive('length', length)
  return timed(
    options,
    (t, initial) => {
      const first = from ?? initial
      return t < length ? first + (to - first) * (t / length) : to
    },
    length,
  )
}
