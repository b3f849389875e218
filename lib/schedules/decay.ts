/** Schedules that fall (CS231n, "Annealing the learning rate"). */
import { factory } from '../call.js'
import { checkNotNegative, checkPositive } from '../checks.js'
import { needed, optionsOf } from '../options.js'
import { type Timed, type TimedSchedule, timed, timedRules } from './schedule.js'

const readStepDecay = optionsOf<{ every: number; factor?: number | undefined } & Timed>()('stepDecay', {
  ...timedRules,
  every: needed(checkPositive),
  factor: [checkPositive, 0.5],
})
const rateRules = { ...timedRules, rate: needed(checkPositive) }
const readExponential = optionsOf<{ rate: number } & Timed>()('exponentialDecay', rateRules)
const readInverse = optionsOf<{ rate: number } & Timed>()('inverseDecay', rateRules)

/** initial · factor^⌊t / every⌋: falls by a factor now and then. Default factor 0.5. @function */
export const stepDecay = factory(
  'stepDecay',
  1,
  (options: { every: number; factor?: number | undefined } & Timed): TimedSchedule => {
    const { every, factor, unit } = readStepDecay(options)
    return timed('stepDecay', unit, (t, initial) => initial * factor ** Math.floor(t / every))
  },
)

/** initial · e^(−rate·t). @function */
export const exponentialDecay = factory('exponentialDecay', 1, (options: { rate: number } & Timed): TimedSchedule => {
  const { rate, unit } = readExponential(options)
  return timed('exponentialDecay', unit, (t, initial) => initial * Math.exp(-rate * t))
})

/** initial / (1 + rate·t). @function */
export const inverseDecay = factory('inverseDecay', 1, (options: { rate: number } & Timed): TimedSchedule => {
  const { rate, unit } = readInverse(options)
  return timed('inverseDecay', unit, (t, initial) => initial / (1 + rate * t))
})

export interface PolynomialOptions extends Timed {
  /** When `minimum` is reached. */
  length: number
  /** 1 (the default) is a straight line; more falls faster at first. */
  power?: number | undefined
  /** Default 0. */
  minimum?: number | undefined
}

const readPolynomial = optionsOf<PolynomialOptions>()('polynomial', {
  ...timedRules,
  length: needed(checkPositive),
  power: [checkPositive, 1],
  minimum: [checkNotNegative, 0],
})

/** minimum + (initial − minimum) · (1 − t / length)^power, and `minimum` from `length` on. @function */
export const polynomial = factory('polynomial', 1, (options: PolynomialOptions): TimedSchedule => {
  const { length, power, minimum, unit } = readPolynomial(options)
  const left = (t: number) => Math.max(0, 1 - t / length) ** power
  return timed('polynomial', unit, (t, initial) => minimum + (initial - minimum) * left(t), length)
})
