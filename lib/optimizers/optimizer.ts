import { type Call, callOf } from '../call.js'
import { checkNotNegative } from '../checks.js'
import { GradusError } from '../errors.js'
import type { FloatArray, OptimizerDescriptor } from '../native.js'
import { settled } from '../settled.js'
import { checkAverage, type WeightAverage } from './averages.js'
import { checkGroups, type ParameterGroup } from './groups.js'

/** What a custom optimizer is told of a parameter. Arrays are of the model's dtype. */
export interface CustomUpdate<Slot extends string = string> {
  /** As in `getWeights`: `dense1.weight`. */
  readonly name: string
  /** Before the update; a copy. */
  readonly weights: FloatArray
  /** Zeros at first; what is written into them is kept for the next update, and saved with the model. */
  readonly slots: Record<Slot, FloatArray>
  /** Of this step, by schedule and group. */
  readonly learningRate: number
  /** Updates before this one. */
  readonly step: number
}

/** What the model calls for a custom optimizer. */
export interface CustomOptimizer {
  readonly name: string
  readonly slots: readonly string[]
  update(gradient: FloatArray, update: CustomUpdate): FloatArray
}

/** Made by one of the optimizers, such as {@link adam}. */
export interface Optimizer {
  readonly call: Call
  readonly learningRate: number
  readonly descriptor: OptimizerDescriptor
  readonly groups: readonly ParameterGroup[]
  /** Undefined for one that keeps none. */
  readonly average?: WeightAverage | undefined
  /** The function of {@link customOptimizer}. */
  readonly custom?: CustomOptimizer
}

/** What every optimizer takes. */
export interface OptimizerOptions {
  /** Size of a step. A schedule given to `fit` takes its place. */
  learningRate?: number | undefined
  /**
   * Decoupled weight decay (Loshchilov and Hutter 2019): each step also takes learningRate·weightDecay·w off w. Default 0.
   * For the L2 term of the loss see {@link l2}.
   */
  weightDecay?: number | undefined
  /**
   * Keeps an average of the weights beside them, which is often the better network: {@link averagedWeights},
   * {@link equalAverage} or {@link powerAverage}. `evaluate` and `predict` take `weights: 'average'`, `model.averaged` makes a model
   * of it. Default: none is kept.
   */
  average?: WeightAverage | undefined
  /** Parameters with another learning rate or weight decay than the rest. */
  groups?: readonly ParameterGroup[] | undefined
}

/** The options that every optimizer takes, for its list of them. */
export const common = (learningRate: number) =>
  ({
    learningRate: [checkRate, learningRate],
    weightDecay: [checkNotNegative, 0],
    average: checkAverage,
    groups: checkGroups,
  }) as const

function checkRate(argument: string, value: unknown): number {
  if (typeof value !== 'function') return checkNotNegative(argument, value)
  const message = `${argument}: expected a number of at least 0, received a function; fit takes a schedule, as its option schedule`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

export const isOptimizer = (value: unknown): value is Optimizer =>
  typeof value === 'object' && value !== null && 'learningRate' in value && 'descriptor' in value

/** What to do in place of setting a rate on what was made, as in other libraries. */
export const howToChange =
  "compile() with another optimizer takes another rate, and fit's option schedule changes it while it trains"

/** `options` are resolved: what a saved model makes the same optimizer from. */
export function optimizer<Options extends OptimizerOptions & Pick<Optimizer, 'learningRate'>>(
  factory: string,
  options: Options,
  kind: string,
  own: Partial<OptimizerDescriptor>,
): Optimizer {
  const { learningRate, weightDecay, average, groups = [] } = options
  const call = callOf(factory, options)
  const descriptor = { kind, ...own, weightDecay, averages: average && true }
  return settled({ call, learningRate, descriptor, groups, average }, howToChange)
}
