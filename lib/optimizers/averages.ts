/** Averages of the weights that training keeps beside them: how much of the average stays each time that it follows them. */
import { type Call, callOf, checkMade, factory, restore } from '../call.js'
import { checkFraction, checkNotNegative, checkPositiveInteger, oneOf } from '../checks.js'
import { needed, optionsOf } from '../options.js'

/**
 * Made by {@link averagedWeights}, {@link equalAverage} or {@link powerAverage}, for the option `average` of an optimizer. The
 * average begins at the initial weights; the t-th time it becomes keep(t)·average + (1 − keep(t))·w, w being the weights after
 * the update, within `maxNorm`, and the running statistics of batch norm.
 */
export interface WeightAverage {
  /** How it was made: what a saved model has of it. */
  readonly call: Call
  /**
   * What t counts, from 1: `updates` accepted since the optimizer began, in all runs; those of the run, as schedules count
   * `steps`; `epochs`, at the end of each. Refused updates count nowhere.
   */
  readonly counts: 'updates' | 'steps' | 'epochs'
  /** The first t whose weights are in the average. */
  readonly first: number
  /** How much of the average is kept, from 0 to 1, where it stays as it is. */
  keep(t: number): number
  /** The call. */
  toJSON(): unknown
}

const average = (call: Call, rule: Omit<WeightAverage, 'call' | 'toJSON'>): WeightAverage =>
  Object.freeze({ call, ...rule, toJSON: () => call })

const readAveraged = optionsOf<AveragedWeightsOptions>()('averagedWeights', { decay: [checkFraction, 0.999] })

export interface AveragedWeightsOptions {
  /** How much is kept in the end, at least 0 and less than 1: the average is over about 1 / (1 − decay) updates. Default 0.999. */
  decay?: number | undefined
}

/**
 * A running average that forgets at an even pace, once it is warm (Polyak and Juditsky 1992): of the average
 * min(decay, t / (9 + t)) is kept in the t-th update; that is min(decay, (1 + n) / (10 + n)) with n updates before it. So the
 * initial weights count a tenth after the first update, a fiftieth after the second, and soon nothing.
 *
 * @example adam({ average: averagedWeights({ decay: 0.999 }) })
 * @function
 */
export const averagedWeights = factory('averagedWeights', 1, (options: AveragedWeightsOptions = {}): WeightAverage => {
  const { decay } = readAveraged(options)
  return average(callOf('averagedWeights', { decay }), {
    counts: 'updates',
    first: 1,
    keep: (t) => Math.min(decay, t / (9 + t)),
  })
})

export interface EqualAverageOptions {
  /** So many epochs, or updates of the run, are done when the first weights come into the average: after them, from 1 up. */
  from: number
  /** And then again after so many more. Default 1. */
  every?: number | undefined
  /** What both count, as schedules do. Default `epoch`. */
  unit?: 'step' | 'epoch' | undefined
}

const readEqual = optionsOf<EqualAverageOptions>()('equalAverage', {
  from: needed(checkPositiveInteger),
  every: [checkPositiveInteger, 1],
  unit: [oneOf('step', 'epoch'), 'epoch'],
})

/**
 * The mean of the weights at some moments, all of one weight: stochastic weight averaging (Izmailov et al. 2018). The first are
 * those after `from` epochs, or with `unit: 'step'` after so many updates of the run; of the average of n such weights
 * n / (n + 1) is kept when the next come. In between it costs nothing. Wants a learning rate that stays high, or
 * {@link cosine} in cycles whose ends are those moments. A new run begins a new mean.
 *
 * @example sgd({ learningRate: 0.05, average: equalAverage({ from: 15 }) })
 * @function
 */
export const equalAverage = factory('equalAverage', 1, (options: EqualAverageOptions): WeightAverage => {
  const { from, every, unit } = readEqual(options)
  return average(callOf('equalAverage', { from, every, unit }), {
    counts: `${unit}s`,
    first: from,
    keep(t) {
      const n = (t - from) / every
      return n >= 0 && Number.isInteger(n) ? n / (n + 1) : 1
    },
  })
})

export interface PowerAverageOptions {
  /** From 0 up; 0: the mean of all weights so far. Default 6.94, for which the average is about a tenth of the run wide. */
  gamma?: number | undefined
}

const readPower = optionsOf<PowerAverageOptions>()('powerAverage', { gamma: [checkNotNegative, 6.94] })

/**
 * A running average that is always over the same share of the training so far (Karras et al. 2024): of the average
 * (1 − 1/t)^(gamma + 1) is kept in the t-th update, so nothing in the first. No length of the run need be known.
 *
 * @example adam({ average: powerAverage({ gamma: 6.94 }) })
 * @function
 */
export const powerAverage = factory('powerAverage', 1, (options: PowerAverageOptions = {}): WeightAverage => {
  const { gamma } = readPower(options)
  return average(callOf('powerAverage', { gamma }), {
    counts: 'updates',
    first: 1,
    keep: (t) => (1 - 1 / t) ** (gamma + 1),
  })
})

const factories = { averagedWeights, equalAverage, powerAverage }

const isAverage = (value: unknown): value is WeightAverage =>
  typeof value === 'object' && value !== null && 'call' in value && 'keep' in value

/** One that was made, or, as a file has it, the call that makes it. */
export function checkAverage(argument: string, value: unknown): WeightAverage {
  if (Array.isArray(value)) return restore(factories, value, isAverage)
  return checkMade(argument, 'an average such as averagedWeights({ decay: 0.999 })', value, isAverage, factories)
}
