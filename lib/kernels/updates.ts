/**
 * The optimizers' steps: one pass reads gradient, parameters and slots once, updates them, and leaves the norms that a
 * monitor wants. The gradient that counts is clamp(gradientScale · (gradient + l2 · w + l1 · sign w), ±clipValue).
 */
import {
  checkFinite,
  checkFraction,
  checkNotNegative,
  checkOptions,
  checkPositive,
  checkPositiveInteger,
} from '../checks.js'
import type { FloatArray } from '../native.js'
import { call } from './call.js'

export interface StepOptions<A extends FloatArray> {
  /** From 0 up. */
  learningRate: number
  /** Multiplies the gradient, as clipping by norm does; default 1. */
  gradientScale?: number
  /** Each element of the gradient is kept within ± this; default none. */
  clipValue?: number
  /** Of the regularisation term l1 · Σ|w|; default 0. */
  l1?: number
  /** Of the regularisation term l2 / 2 · Σ w²; default 0. */
  l2?: number
  /** Decoupled: w −= learningRate · weightDecay · w (Loshchilov and Hutter 2019); default 0. */
  weightDecay?: number
  /** The running average of the parameters, moved along; default none. */
  average?: A
  /** How much of the average is kept, at least 0 and less than 1; needed with `average`. */
  averageDecay?: number
}

export interface MomentumStepOptions<A extends FloatArray> extends StepOptions<A> {
  /** At least 0 and less than 1; default 0.9. */
  momentum?: number
}

export interface AdagradStepOptions<A extends FloatArray> extends StepOptions<A> {
  /** Added to the root; default 1e-8. */
  epsilon?: number
}

export interface RmspropStepOptions<A extends FloatArray> extends AdagradStepOptions<A> {
  /** How much of the running mean of g² is kept; default 0.9. */
  decayRate?: number
}

export interface AdamStepOptions<A extends FloatArray> extends AdagradStepOptions<A> {
  /** 1 for the first step: the bias correction depends on it. */
  step: number
  /** Default 0.9. */
  beta1?: number
  /** Default 0.999. */
  beta2?: number
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

const stepOptions = [
  ...['learningRate', 'gradientScale', 'clipValue', 'l1', 'l2', 'weightDecay', 'average', 'averageDecay'],
]

interface Extra {
  momentum?: number
  decayRate?: number
  epsilon?: number
  correction1?: number
  correction2?: number
  gradientShare?: number
}

function step<A extends FloatArray>(
  name: string,
  arrays: readonly A[],
  options: StepOptions<A>,
  { momentum = 0, decayRate = 0, epsilon = 0, correction1 = 1, correction2 = 1, gradientShare = 0 }: Extra = {},
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

/** w −= learningRate · g. All arrays of one length; `parameters` is updated. */
export function sgdStep<A extends FloatArray>(gradient: A, parameters: A, options: StepOptions<A>): StepSums {
  checkOptions('options', options, stepOptions)
  return step('sgd', [gradient, parameters], options)
}

function momentumOf<A extends FloatArray>(options: MomentumStepOptions<A>): Extra {
  checkOptions('options', options, [...stepOptions, 'momentum'])
  return { momentum: checkFraction('momentum', options.momentum ?? 0.9) }
}

/** velocity = momentum · velocity − learningRate · g, w += velocity (CS231n, "SGD and bells and whistles"). */
export function momentumStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  velocity: A,
  options: MomentumStepOptions<A>,
): StepSums {
  return step('momentum', [gradient, parameters, velocity], options, momentumOf(options))
}

/** Momentum that looks ahead: w += (1 + momentum) · velocity − momentum · the velocity before (CS231n). */
export function nesterovStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  velocity: A,
  options: MomentumStepOptions<A>,
): StepSums {
  return step('nesterov', [gradient, parameters, velocity], options, momentumOf(options))
}

/** cache += g², w −= learningRate · g / (√cache + epsilon) (Duchi et al. 2011). */
export function adagradStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  cache: A,
  options: AdagradStepOptions<A>,
): StepSums {
  checkOptions('options', options, [...stepOptions, 'epsilon'])
  const epsilon = checkPositive('epsilon', options.epsilon ?? 1e-8)
  return step('adagrad', [gradient, parameters, cache], options, { epsilon })
}

/** Adagrad with cache = decayRate · cache + (1 − decayRate) · g² (Tieleman and Hinton 2012). */
export function rmspropStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  cache: A,
  options: RmspropStepOptions<A>,
): StepSums {
  checkOptions('options', options, [...stepOptions, 'epsilon', 'decayRate'])
  const epsilon = checkPositive('epsilon', options.epsilon ?? 1e-8)
  const decayRate = checkFraction('decayRate', options.decayRate ?? 0.9)
  return step('rmsprop', [gradient, parameters, cache], options, { epsilon, decayRate })
}

/** By squaring, as the engine does: the same bits. */
function power(base: number, exponent: number): number {
  let result = 1
  for (let square = base, left = exponent; left > 0; square *= square, left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square
  }
  return result
}

/**
 * One step of Adam (Kingma and Ba 2015), with bias correction; with `weightDecay` it is AdamW.
 *
 * @param slots running means of g and of g², zeros before the first step; updated
 * @example
 * import { adamStep } from 'gradus/kernels'
 * const slots = { firstMoment: new Float32Array(n), secondMoment: new Float32Array(n) }
 * const { nonfinite } = adamStep(gradient, weights, slots, { step: 1, learningRate: 1e-3 })
 */
export function adamStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  slots: { firstMoment: A; secondMoment: A },
  options: AdamStepOptions<A>,
): StepSums {
  checkOptions('slots', slots, ['firstMoment', 'secondMoment'])
  checkOptions('options', options, [...stepOptions, 'epsilon', 'step', 'beta1', 'beta2'])
  const count = checkPositiveInteger('step', options.step)
  const momentum = checkFraction('beta1', options.beta1 ?? 0.9)
  const decayRate = checkFraction('beta2', options.beta2 ?? 0.999)
  return step('adam', [gradient, parameters, slots.firstMoment, slots.secondMoment], options, {
    momentum,
    decayRate,
    epsilon: checkPositive('epsilon', options.epsilon ?? 1e-8),
    correction1: 1 / (1 - power(momentum, count)),
    correction2: 1 / (1 - power(decayRate, count)),
  })
}

/** The sums of a step that changes nothing (`changeSquares` is 0): for clipping by norm, or to refuse a step. */
export function gradientNorm<A extends FloatArray>(
  gradient: A,
  parameters: A,
  options: { l1?: number; l2?: number } = {},
): StepSums {
  checkOptions('options', options, ['l1', 'l2'])
  const terms = [checkNotNegative('l1', options.l1 ?? 0), checkNotNegative('l2', options.l2 ?? 0)]
  return call.gradient_norm!(...terms, gradient, parameters) as StepSums
}

/**
 * Shrinks each column whose norm is above the limit to it: the max-norm constraint of CS231n.
 *
 * @param w (rows, columns), written
 */
export function limitColumnNorms<A extends FloatArray>(
  w: A,
  options: {
    rows: number
    columns: number
    /** Positive. */
    limit: number
  },
): A {
  checkOptions('options', options, ['rows', 'columns', 'limit'])
  call.limit_column_norms!(options.rows, options.columns, checkPositive('limit', options.limit), w)
  return w
}
