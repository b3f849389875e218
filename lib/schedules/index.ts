/**
 * Learning rates over time (CS231n, "Annealing the learning rate"). A schedule is a function from the time to a rate;
 * `t` counts epochs or steps from 0, `initial` is the optimizer's own rate.
 */
import { checkOptions, checkPositive } from '../checks.js'
import { invalidArgument } from '../errors.js'

export interface Schedule {
  (t: number, initial: number): number
  /** What `t` counts. A plain function without it counts epochs. */
  readonly unit?: 'step' | 'epoch'
}

interface Timed {
  /** What the schedule counts. Default `epoch`. */
  unit?: 'step' | 'epoch'
}

/** The same rate always: `rate`, or the optimizer's own. */
export function constant(rate?: number): Schedule {
  if (rate !== undefined) checkPositive('rate', rate)
  return timed({}, (_, initial) => rate ?? initial)
}

/** initial · factor^⌊t / every⌋: the rate falls by a factor now and then. Default factor 0.5. */
export function stepDecay(options: { every: number; factor?: number } & Timed): Schedule {
  checkOptions('options', options, ['every', 'factor', 'unit'])
  const { every, factor = 0.5 } = options
  checkPositive('every', every)
  checkPositive('factor', factor)
  return timed(options, (t, initial) => initial * factor ** Math.floor(t / every))
}

/** initial · e^(−rate·t). */
export function exponentialDecay(options: { rate: number } & Timed): Schedule {
  checkOptions('options', options, ['rate', 'unit'])
  checkPositive('rate', options.rate)
  return timed(options, (t, initial) => initial * Math.exp(-options.rate * t))
}

/** initial / (1 + rate·t). */
export function inverseDecay(options: { rate: number } & Timed): Schedule {
  checkOptions('options', options, ['rate', 'unit'])
  checkPositive('rate', options.rate)
  return timed(options, (t, initial) => initial / (1 + options.rate * t))
}

function timed({ unit = 'epoch' }: Timed, schedule: (t: number, initial: number) => number): Schedule {
  if (unit !== 'step' && unit !== 'epoch') throw invalidArgument('unit', "'step' or 'epoch'", unit)
  return Object.assign(schedule, { unit })
}
