/** Schedules that fall (CS231n, "Annealing the learning rate"). */
import { checkNotNegative, checkOptions, checkPositive } from '../checks.js'
import { type Timed, type TimedSchedule, timed } from './schedule.js'

/** initial · factor^⌊t / every⌋: falls by a factor now and then. Default factor 0.5. */
export function stepDecay(options: { every: number; factor?: number } & Timed): TimedSchedule {
  checkOptions('options', options, ['every', 'factor', 'unit'])
  const { every, factor = 0.5 } = options
  checkPositive('every', every)
  checkPositive('factor', factor)
  return timed(options, (t, initial) => initial * factor ** Math.floor(t / every))
}

/** initial · e^(−rate·t). */
export function exponentialDecay(options: { rate: number } & Timed): TimedSchedule {
  checkOptions('options', options, ['rate', 'unit'])
  checkPositive('rate', options.rate)
  return timed(options, (t, initial) => initial * Math.exp(-options.rate * t))
}

/** initial / (1 + rate·t). */
export function inverseDecay(options: { rate: number } & Timed): TimedSchedule {
  checkOptions('options', options, ['rate', 'unit'])
  checkPositive('rate', options.rate)
  return timed(options, (t, initial) => initial / (1 + options.rate * t))
}

export interface PolynomialOptions extends Timed {
  /** When `minimum` is reached. */
  length: number
  /** 1 (the default) is a straight line; more falls faster at first. */
  power?: number
  /** Default 0. */
  minimum?: number
}

/** minimum + (initial − minimum) · (1 − t / length)^power, and `minimum` from `length` on. */
export function polynomial(options: PolynomialOptions): TimedSchedule {
  checkOptions('options', options, ['length', 'power', 'minimum', 'unit'])
  const { length, power = 1, minimum = 0 } = options
  checkPositive('length', length)
  checkPositive('power', power)
  checkNotNegative('minimum', minimum)
  const left = (t: number) => Math.max(0, 1 - t / length) ** power
  return timed(options, (t, initial) => minimum + (initial - minimum) * left(t), length)
}
