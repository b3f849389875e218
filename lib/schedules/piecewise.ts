/** Schedules that stand still for a while. */
import { factory } from '../call.js'
import { checkNotNegative, checkOptional, checkPositive } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { needed, optionsOf } from '../options.js'
import { complete, type Timed, type TimedSchedule, timed, timedRules } from './schedule.js'

const readConstant = optionsOf<{ length?: number | undefined } & Timed>()(
  'constant',
  { ...timedRules, length: checkPositive },
  ['value'],
)

/**
 * The same always: `value`, or the optimizer's own.
 *
 * @param options - `length`: for so long, and then what is given to `then`
 * @function
 */
export const constant = factory(
  'constant',
  2,
  (value?: number, options: { length?: number | undefined } & Timed = {}): TimedSchedule => {
    checkOptional(checkNotNegative, 'value', value)
    const { length, unit } = readConstant(options)
    const formula = (_: number, initial: number) => value ?? initial
    // Without an end it does not matter what is counted.
    const isTimeless = length === undefined && unit === undefined
    return isTimeless ? complete(formula, { kind: 'constant' }) : timed('constant', unit, formula, length)
  },
)

export interface PiecewiseOptions extends Timed {
  /** When one value gives way to the next, upwards. */
  boundaries: readonly number[]
  /** One more than boundaries. */
  values?: readonly number[] | undefined
  /** Or: multiples of `initial`. */
  factors?: readonly number[] | undefined
}

const readPiecewise = optionsOf<PiecewiseOptions>()('piecewise', {
  ...timedRules,
  boundaries: needed(checkNumbers),
  values: checkNumbers,
  factors: checkNumbers,
})

/**
 * values[i] from boundaries[i − 1] until before boundaries[i]: for instance tenths at chosen epochs.
 *
 * @example piecewise({ boundaries: [80, 120], factors: [1, 0.1, 0.01] })
 * @function
 */
export const piecewise = factory('piecewise', 1, (options: PiecewiseOptions): TimedSchedule => {
  const { boundaries, values, factors, unit } = readPiecewise(options)
  if ((values === undefined) === (factors === undefined)) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', 'values: expected either values or factors')
  }
  const levels = values ?? factors!
  if (boundaries.some((boundary, i) => i > 0 && boundary <= boundaries[i - 1]!)) {
    throw invalidArgument('boundaries', 'times in rising order', boundaries.join(', '))
  }
  if (levels.length !== boundaries.length + 1) {
    const count = `${boundaries.length + 1} of them, one more than boundaries`
    throw invalidArgument(values ? 'values' : 'factors', count, levels.length)
  }
  return timed('piecewise', unit, (t, initial) => {
    const level = levels[boundaries.filter((boundary) => boundary <= t).length]!
    return values ? level : initial * level
  })
})

function checkNumbers(argument: string, values: unknown): number[] {
  if (!Array.isArray(values)) throw invalidArgument(argument, 'an array of numbers', values)
  return values.map((value, i) => checkNotNegative(`${argument}[${i}]`, value))
}
