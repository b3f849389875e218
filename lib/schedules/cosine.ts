import { factory } from '../call.js'
import { checkNotNegative, checkPositive, checkPositiveInteger } from '../checks.js'
import { invalidArgument } from '../errors.js'
import { needed, optionsOf } from '../options.js'
import { type Timed, type TimedSchedule, timed, timedRules } from './schedule.js'

export interface CosineOptions extends Timed {
  /** Of the first cycle. */
  length: number
  /** How many cycles, each from `initial` on again; Infinity for as many as training lasts. Default 1. */
  cycles?: number | undefined
  /** Each cycle is so many times as long as the one before; at least 1, the default. */
  cycleFactor?: number | undefined
  /** What a cycle falls to; default 0. */
  minimum?: number | undefined
}

const readOptions = optionsOf<CosineOptions>()('cosine', {
  ...timedRules,
  length: needed(checkPositive),
  cycles: [checkCycles, 1],
  cycleFactor: [checkFactor, 1],
  minimum: [checkNotNegative, 0],
})

function checkCycles(argument: string, value: unknown): number {
  return value === Number.POSITIVE_INFINITY ? value : checkPositiveInteger(argument, value)
}

function checkFactor(argument: string, value: unknown): number {
  if (!(typeof value === 'number' && Number.isFinite(value) && value >= 1)) {
    throw invalidArgument(argument, 'a number from 1 up', value)
  }
  return value
}

/**
 * minimum + (initial − minimum) · (1 + cos(π·t / length)) / 2, with warm restarts if there are several cycles (Loshchilov and
 * Hutter 2017, "SGDR"); then `minimum`.
 *
 * @example cosine({ length: 10, cycles: 3, cycleFactor: 2 }) // restarts after 10 and 30 epochs, ends after 70
 * @function
 */
export const cosine = factory('cosine', 1, (options: CosineOptions): TimedSchedule => {
  const { length, cycles, cycleFactor, minimum, unit } = readOptions(options)
  const end = startOf(cycles, length, cycleFactor)
  const formula = (t: number, initial: number) => {
    if (t >= end) return minimum
    return minimum + ((initial - minimum) * (1 + Math.cos(Math.PI * shareDone(t, length, cycleFactor)))) / 2
  }
  return timed('cosine', unit, formula, Number.isFinite(end) ? end : undefined)
})

/** length · (1 + factor + factor² + …), so many terms. */
const startOf = (cycle: number, length: number, factor: number) =>
  factor === 1 ? cycle * length : (length * (factor ** cycle - 1)) / (factor - 1)

/** Of the cycle that t lies in. */
function shareDone(t: number, length: number, factor: number): number {
  if (factor === 1) return (t % length) / length
  let cycle = Math.floor(Math.log1p((t / length) * (factor - 1)) / Math.log(factor))
  // The logarithm may miss a boundary by a rounding.
  if (startOf(cycle + 1, length, factor) <= t) cycle++
  if (startOf(cycle, length, factor) > t) cycle--
  return (t - startOf(cycle, length, factor)) / (length * factor ** cycle)
}
