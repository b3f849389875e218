import { checkOptions, checkPositive } from '../checks.js'
import { invalidArgument } from '../errors.js'
import { type Timed, type TimedSchedule, timed } from './schedule.js'

export interface OneCycleOptions extends Timed {
  /** Of the whole, the last phase included. */
  length: number
  /** It begins with initial · startFactor, and comes back to that at the end of the cycle. Default 0.1. */
  startFactor?: number
  /** The share of the length that the cycle takes, half of it upwards; default 0.9. */
  cycle?: number
  /** After the cycle it falls to initial · endFactor. Default 0.001. */
  endFactor?: number
}

/**
 * Up to the optimizer's own value, which is the largest, and down again in straight lines, then further down to nearly
 * nothing (Smith 2018, "A disciplined approach to neural network hyper-parameters").
 *
 * @example fit(data, { epochs: 30, schedule: oneCycle({ length: 30 }) })
 */
export function oneCycle(options: OneCycleOptions): TimedSchedule {
  checkOptions('options', options, ['length', 'startFactor', 'cycle', 'endFactor', 'unit'])
  const { length, startFactor = 0.1, cycle = 0.9, endFactor = 1e-3 } = options
  checkPositive('length', length)
  checkPositive('startFactor', startFactor)
  if (!(cycle > 0 && cycle <= 1)) throw invalidArgument('cycle', 'a number over 0 and at most 1', cycle)
  checkPositive('endFactor', endFactor)
  const end = length * cycle
  const factor = (t: number) => {
    const fromPeak = Math.abs(t - end / 2) / (end / 2)
    if (t < end) return 1 + (startFactor - 1) * fromPeak
    if (t >= length) return endFactor
    return startFactor + (endFactor - startFactor) * ((t - end) / (length - end))
  }
  return timed(options, (t, initial) => initial * factor(t), length)
}
