/** Terms of the loss that keep weights small. Reported apart from the data loss. */
import { checkNotNegative, checkOptions } from '../checks.js'

/** Adds l1·Σ|w| + l2/2·Σw² to the loss. */
export interface Regularizer {
  readonly l1: number
  readonly l2: number
}

/** λ·Σ|w|: drives weights to exactly zero. */
export const l1 = (strength: number): Regularizer => ({ l1: checkNotNegative('strength', strength), l2: 0 })

/**
 * λ/2·Σw², whose gradient is λ·w (the form of CS231n). The same as PyTorch's `weight_decay: λ` in SGD, and as Keras's
 * `l2(λ/2)`.
 */
export const l2 = (strength: number): Regularizer => ({ l1: 0, l2: checkNotNegative('strength', strength) })

/** Elastic net: l1·Σ|w| + l2/2·Σw² (Zou and Hastie 2005). */
export const elastic = (strengths: { l1: number; l2: number }): Regularizer => checkRegularizer('strengths', strengths)

export function checkRegularizer(argument: string, value: unknown): Regularizer {
  checkOptions(argument, value, ['l1', 'l2'])
  const { l1 = 0, l2 = 0 } = value as Partial<Regularizer>
  return { l1: checkNotNegative(`${argument}.l1`, l1), l2: checkNotNegative(`${argument}.l2`, l2) }
}
