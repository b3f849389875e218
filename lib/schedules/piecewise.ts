/** Schedules that stand still for a while. */
import { checkNotNegative, checkOptional, checkOptions, checkPositive } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { complete, type Timed, type TimedSchedule, timed } from './schedule.js'

/**
 * The same always: `value`, or the optimizer's own.
 *
 * @param options - `length`: for so long, and then what is given to `then`
 */
export function constant(value?: number, options: { length?: number } & Timed = {}): TimedSchedule {
  checkOptional(checkNotNegative, 'value', value)
  checkOptions('options', options, ['length', 'unit'])
  checkOptional(checkPositive, 'length', options.length)
  const formula = (_: number, initial: number) => value ?? initial
  // Without an end it does not matter what is counted.
  const isTimeless = options.length === undefined && options.unit === undefined
  return isTimeless ? complete(formula, {}) : timed(options, formula, options.length)
}

export interface PiecewiseOptions extends Timed {
  /** When one value gives way to the next, upwards. */
  boundaries: readonly number[]
  /** One more than boundaries. */
  values?: readonly number[]
  /** Or: multiples of `initial`. */
  factors?: readonly number[]
}

/**
 * values[i] from boundaries[i − 1] until before boundaries[i]: for instance tenths at chosen epochs.
 *
 * @example piecewise({ boundaries: [80, 120], factors: [1, 0.1, 0.01] })
 */
export function piecewise(options: PiecewiseOptions): TimedSchedule {
  checkOptions('options', options, ['boundaries', 'values', 'factors', 'unit'])
  const { values, factors } = options
  if ((values === undefined) === (factors === undefined)) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', 'values: expected either values or factors')
  }
  const boundaries = checkNumbers('boundaries', options.boundaries)
  const levels = values ? checkNumbers('values', values) : checkNumbers('factors', factors)
  if (boundaries.some((boundary, i) => i > 0 && boundary <= boundaries[i - 1]!)) {
    throw invalidArgument('boundaries', 'times in rising order', boundaries.join(', '))
  }
  if (levels.length !== boundaries.length + 1) {
    const count = `${boundaries.length + 1} of them, one more than boundaries`
    throw invalidArgument(values ? 'values' : 'factors', count, levels.length)
  }
  return timed(options, (t, initial) => {
    const level = levels[boundaries.filter((boundary) => boundary <= t).length]!
    return values ? level : initial * level
  })
}

function checkNumbers(argument: string, values: unknown): number[] {
  if (!Array.isArray(values)) throw invalidArgument(argument, 'an array of numbers', values)
  return values.map((value, i) => checkNotNegative(`${argument}[${i}]`, value))
}
