import { checkNotNegative, checkOptions, checkPositive } from '../../checks.js'
import type { FloatArray } from '../../native.js'
import { call } from '../call.js'
import type { StepSums } from './step.js'

/** The sums of a step that changes nothing (`changeSquares` is 0): for clipping by norm, or to refuse a step. */
export function gradientNorm<A extends FloatArray>(
  gradient: A,
  parameters: A,
  options: { l1?: number | undefined; l2?: number | undefined } = {},
): StepSums {
  checkOptions('gradientNorm', options, ['l1', 'l2'])
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
  checkOptions('limitColumnNorms', options, ['rows', 'columns', 'limit'])
  call.limit_column_norms!(options.rows, options.columns, checkPositive('limit', options.limit), w)
  return w
}
