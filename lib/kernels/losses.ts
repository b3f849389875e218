import { checkOptions, checkPositive } from '../checks.js'
import type { FloatArray } from '../native.js'
import { call } from './call.js'

export interface LossOptions<A extends FloatArray> {
  rows: number
  /** From 1 up. */
  columns: number
  /** (rows), from 0 up: how much each row counts; default 1. */
  weights?: A | undefined
  /** (rows, columns), written: the gradient of scale · Σ losses with respect to the scores. */
  gradient?: A | undefined
  /** Default 1; 1 / rows makes the gradient that of the mean. */
  scale?: number | undefined
}

export interface CrossEntropyOptions<A extends FloatArray> extends LossOptions<A> {
  /** T: the scores are divided by it, the loss multiplied by T². Default 1. */
  temperature?: number | undefined
}

export interface HingeOptions<A extends FloatArray> extends LossOptions<A> {
  /** Default 1. */
  margin?: number | undefined
}

export interface HuberOptions<A extends FloatArray> extends LossOptions<A> {
  /** Where the square becomes a line; default 1. */
  delta?: number | undefined
}

const lossOptions = ['rows', 'columns', 'weights', 'gradient', 'scale']

function loss<A extends FloatArray>(
  name: string,
  arrays: [scores: A, targets: A | Int32Array, losses: A],
  options: LossOptions<A>,
  parameterName?: string,
): number {
  checkOptions('options', options, parameterName ? [...lossOptions, parameterName] : lossOptions)
  const [scores, targets, losses] = arrays
  const { rows, columns, scale = 1, weights, gradient } = options
  const given = parameterName && (options as unknown as Record<string, unknown>)[parameterName]
  const parameter = parameterName ? checkPositive(parameterName, given ?? 1) : 1
  return call[name]!(rows, columns, scale, parameter, scores, targets, weights, losses, gradient) as number
}

/**
 * −T² · Σ target · log softmax(scores / T) of each row, and its gradient, in one pass (CS231n, "Softmax classifier"; with a
 * temperature T other than 1 Hinton, Vinyals and Dean 2015).
 *
 * @param scores (rows, columns)
 * @param targets class numbers (rows), or probabilities (rows, columns)
 * @param losses (rows), written: weight · loss
 * @returns the sum of the losses
 */
export function softmaxCrossEntropy<A extends FloatArray>(
  scores: A,
  targets: A | Int32Array,
  losses: A,
  options: CrossEntropyOptions<A>,
): number {
  return loss('softmax_cross_entropy', [scores, targets, losses], options, 'temperature')
}

/**
 * Σ over the wrong classes of max(0, score − right score + margin): Weston and Watkins 1999, the SVM loss of CS231n.
 *
 * @param scores (rows, columns)
 * @param targets class numbers (rows)
 * @param losses (rows), written: weight · loss
 * @returns the sum of the losses
 */
export function multiclassHinge<A extends FloatArray>(
  scores: A,
  targets: Int32Array,
  losses: A,
  options: HingeOptions<A>,
): number {
  return loss('multiclass_hinge', [scores, targets, losses], options, 'margin')
}

/**
 * Σ over the classes of max(0, margin ∓ score): one binary SVM a class.
 *
 * @param scores (rows, columns)
 * @param targets class numbers (rows)
 * @param losses (rows), written: weight · loss
 * @returns the sum of the losses
 */
export function oneVsAllHinge<A extends FloatArray>(
  scores: A,
  targets: Int32Array,
  losses: A,
  options: HingeOptions<A>,
): number {
  return loss('one_vs_all_hinge', [scores, targets, losses], options, 'margin')
}

/**
 * The mean over the columns of (score − target)².
 *
 * @param scores (rows, columns)
 * @param targets (rows, columns)
 * @param losses (rows), written: weight · loss
 * @returns the sum of the losses
 */
export function meanSquaredError<A extends FloatArray>(
  scores: A,
  targets: A,
  losses: A,
  options: LossOptions<A>,
): number {
  return loss('mean_squared_error', [scores, targets, losses], options)
}

/**
 * The mean over the columns of |score − target|, whose slope is 0 where they are equal.
 *
 * @param scores (rows, columns)
 * @param targets (rows, columns)
 * @param losses (rows), written: weight · loss
 * @returns the sum of the losses
 */
export function meanAbsoluteError<A extends FloatArray>(
  scores: A,
  targets: A,
  losses: A,
  options: LossOptions<A>,
): number {
  return loss('mean_absolute_error', [scores, targets, losses], options)
}

/**
 * The mean over the columns of −target · log σ(score) − (1 − target) · log σ(−score), without overflow.
 *
 * @param scores (rows, columns), before the sigmoid
 * @param targets (rows, columns), probabilities
 * @param losses (rows), written: weight · loss
 * @returns the sum of the losses
 */
export function binaryCrossEntropy<A extends FloatArray>(
  scores: A,
  targets: A,
  losses: A,
  options: LossOptions<A>,
): number {
  return loss('binary_cross_entropy', [scores, targets, losses], options)
}

/**
 * The mean over the columns of e²/2 for |e| ≤ delta, else delta · (|e| − delta/2) (Huber 1964).
 *
 * @param scores (rows, columns)
 * @param targets (rows, columns)
 * @param losses (rows), written: weight · loss
 * @returns the sum of the losses
 */
export function huber<A extends FloatArray>(scores: A, targets: A, losses: A, options: HuberOptions<A>): number {
  return loss('huber', [scores, targets, losses], options, 'delta')
}
