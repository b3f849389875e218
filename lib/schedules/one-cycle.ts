import { factory } from '../call.js'
import { checkPositive } from '../checks.js'
import { invalidArgument } from '../errors.js'
import { needed, optionsOf } from '../options.js'
import { type Timed, type TimedSchedule, timed, timedRules } from './schedule.js'

export interface OneCycleOptions extends Timed {
  /** Of the whole, the last phase included. */
  length: number
  /** It begins with initial · startFactor, and comes back to that at the end of the cycle. Default 0.1. */
  startFactor?: number | undefined
  /** The share of the length that the cycle takes, half of it upwards; default 0.9. */
  cycle?: number | undefined
  /** After the cycle it falls to initial · endFactor. Default 0.001. */
  endFactor?: number | undefined
}

const readOptions = optionsOf<OneCycleOptions>()('oneCycle', {
  ...timedRules,
  length: needed(checkPositive),
  startFactor: [checkPositive, 0.1],
  cycle: [checkShare, 0.9],
  endFactor: [checkPositive, 1e-3],
})

function checkShare(argument: string, value: unknown): number {
  if (!(typeof value === 'number' && value > 0 && value <= 1)) {
    throw invalidArgument(argument, 'a number over 0 and at most 1', value)
  }
  return value
}

/**
 * Up to the optimizer's own value, which is the largest, and down again in straight lines, then further down to nearly
 * nothing (Smith 2018, "A disciplined approach to neural network hyper-parameters").
 *
 * @example fit(data, { epochs: 30, schedule: oneCycle({ length: 30 }) })
 * @function
 */
export const oneCycle = factory('oneCycle', 1, (options: OneCycleOptions): TimedSchedule => {
  const { length, startFactor, cycle, endFactor, unit } = readOptions(options)
  const end = length * cycle
  const factor = (t: number) => {
    const fromPeak = Math.abs(t - end / 2) / (end / 2)
    if (t < end) return 1 + (startFactor - 1) * fromPeak
    if (t >= length) return endFactor
    return startFactor + (endFactor - startFactor) * ((t - end) / (length - end))
  }
  return timed('oneCycle', unit, (t, initial) => initial * factor(t), length)
})
