/**
 * The optimizers' steps: one pass reads gradient, parameters and slots once, updates them, and leaves the norms that a
 * monitor wants. The gradient that counts is clamp(gradientScale · (gradient + l2 · w + l1 · sign w), ±clipValue).
 */
import { checkFinite, checkFraction, checkNotNegative, checkOptions, checkPositive } from '../../checks.js'
import type { FloatArray } from '../../native.js'
import { call } from '../call.js'

export interface StepOptions<A extends FloatArray> {
  /** From 0 up. */
  learningRate: number
  /** Multiplies the gradient, as clipping by norm does; default 1. */
  gradientScale?: number | undefined
  /** Each element of the gradient is kept within ± this; default none. */
  clipValue?: number | undefined
  /** Of the regularisation term l1 · Σ|w|; default 0. */
  l1?: number | undefined
  /** Of the regularisation term l2 / 2 · Σ w²; default 0. */
  l2?: number | undefined
  /** Decoupled: w −= learningRate · weightDecay · w (Loshchilov and Hutter 2019); default 0. */
  weightDecay?: number | undefined
  /** The running average of the parameters, moved along; default none. */
  average?: A | undefined
  /** How much of the average is kept, at least 0 and less than 1; needed with `average`. */
  averageDecay?: number | undefined
}

/** What a step adds up on its way, in float64. */
export interface StepSums {
  /** ‖w‖² before the step. */
  weightSquares: number
  /** Σ|w| before the step. */
  weightAbsolutes: number
  /** ‖w after − w before‖². */
  changeSquares: number
  /** ‖gradient + l2 · w + l1 · sign w‖², before scale and clamp. */
  gradientSquares: number
  /** Elements of the gradient that are NaN or infinite. The step has used them: ask {@link gradientNorm} before. */
  nonfinite: number
}

const stepOptions = ['learningRate', 'gradientScale', 'clipValue', 'l1', 'l2', 'weightDecay', 'average', 'averageDecay']

/** Error: `GRADUS_INVALID_ARGUMENT` when there are others than those of every step and `own`. */
export const checkStepOptions = (options: object, ...own: string[]): void =>
  checkOptions('options', options, [...stepOptions, ...own])

/** Numbers of the rules that have them, as native/kernels/cpu/updates-inl.h names them. */
export interface RuleNumbers {
  momentum?: number | undefined
  decayRate?: number | undefined
  epsilon?: number | undefined
  correction1?: number | undefined
  correction2?: number | undefined
  gradientShare?: number | undefined
}

/** Runs the kernel `name` on gradient, parameters and slots. */
export function step<A extends FloatArray>(
  name: string,
  arrays: readonly (A | undefined)[],
  options: StepOptions<A>,
  { momentum = 0, decayRate = 0, epsilon = 0, correction1 = 1, correction2 = 1, gradientShare = 0 }: RuleNumbers = {},
): StepSums {
  const { average, clipValue } = options
  return call[name]!(
    checkFinite('gradientScale', options.gradientScale ?? 1),
    clipValue === undefined ? 0 : checkPositive('clipValue', clipValue),
    checkNotNegative('l1', options.l1 ?? 0),
    checkNotNegative('l2', options.l2 ?? 0),
    checkNotNegative('learningRate', options.learningRate),
    checkNotNegative('weightDecay', options.weightDecay ?? 0),
    average === undefined ? 0 : checkFraction('averageDecay', options.averageDecay),
    momentum,
    decayRate,
    epsilon,
    correction1,
    correction2,
    gradientShare,
    ...arrays,
    average,
  ) as StepSums
}
