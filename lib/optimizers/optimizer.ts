import { type Call, callOf } from '../call.js'
import { checkFraction, checkNotNegative, checkOptional } from '../checks.js'
import type { OptimizerDescriptor } from '../native.js'
import type { CustomOptimizer } from './custom.js'
import { checkGroups, type ParameterGroup } from './groups.js'

/** Made by one of the optimizers, such as {@link adam}. */
export interface Optimizer {
  readonly call: Call
  readonly learningRate: number
  readonly descriptor: OptimizerDescriptor
  readonly groups: readonly ParameterGroup[]
  /** The function of {@link customOptimizer}. */
  readonly custom?: CustomOptimizer
}

/** What every optimizer takes. */
export interface OptimizerOptions {
  /** Size of a step. A schedule given to `fit` takes its place. */
  learningRate?: number
  /**
   * Decoupled weight decay (Loshchilov and Hutter 2019): each step also takes learningRate·weightDecay·w off w. Default 0.
   * For the L2 term of the loss see {@link l2}.
   */
  weightDecay?: number
  /**
   * Keeps a running average of the weights: average = averageDecay·average + (1 − averageDecay)·w after each step (Polyak
   * and Juditsky 1992). `getWeights({ average: true })` reads it. Default: none is kept.
   */
  averageDecay?: number
  /** Parameters with another learning rate or weight decay than the rest. */
  groups?: readonly ParameterGroup[]
}

/** Names of the options that every optimizer takes. */
export const common = ['learningRate', 'weightDecay', 'averageDecay', 'groups'] as const

export const isOptimizer = (value: unknown): value is Optimizer =>
  typeof value === 'object' && value !== null && 'learningRate' in value && 'descriptor' in value

export function optimizer<Options extends OptimizerOptions>(
  factory: string,
  options: Options,
  defaultRate: number,
  kind: string,
  own: Partial<OptimizerDescriptor>,
): Optimizer {
  const learningRate = checkNotNegative('learningRate', options.learningRate ?? defaultRate)
  const weightDecay = checkNotNegative('weightDecay', options.weightDecay ?? 0)
  const averageDecay = checkOptional(checkFraction, 'averageDecay', options.averageDecay)
  const groups = checkGroups('groups', options.groups ?? [])
  const resolved = { ...options, learningRate, weightDecay, averageDecay, groups: options.groups && groups }
  return {
    call: callOf(factory, resolved),
    learningRate,
    descriptor: { kind, ...own, weightDecay, averageDecay },
    groups,
  }
}
