/** Terms of the loss that keep weights small. Reported apart from the data loss. */
import { factory } from '../call.js'
import { checkFunction, checkNotNegative } from '../checks.js'
import { invalidArgument } from '../errors.js'
import type { FloatArray } from '../native.js'
import { needed, optionsOf } from '../options.js'
import { checkName } from './name.js'

/** Adds l1·Σ|w| + l2/2·Σw² to the loss, and whatever a custom one says. */
export interface Regularizer {
  readonly l1: number
  readonly l2: number
  readonly custom?: CustomRegularizer
}

/** A penalty of one's own on a whole array of weights. */
export interface CustomRegularizer {
  /** What a file calls it; a model that has one without a name cannot be saved. */
  name?: string | undefined
  /** What the weights add to the loss. */
  loss(weights: FloatArray): number
  /** Its derivative by each weight. */
  gradient(weights: FloatArray): FloatArray
}

/** λ·Σ|w|: drives weights to exactly zero. @function */
export const l1 = factory(
  'l1',
  1,
  (strength: number): Regularizer => ({ l1: checkNotNegative('strength', strength), l2: 0 }),
)

/**
 * λ/2·Σw², whose gradient is λ·w (the form of CS231n). The same as PyTorch's `weight_decay: λ` in SGD, and as Keras's
 * `l2(λ/2)`.
 * @function
 */
export const l2 = factory(
  'l2',
  1,
  (strength: number): Regularizer => ({ l1: 0, l2: checkNotNegative('strength', strength) }),
)

/** Elastic net: l1·Σ|w| + l2/2·Σw² (Zou and Hastie 2005). @function */
export const elastic = factory(
  'elastic',
  1,
  (strengths: { l1: number; l2: number }): Regularizer => checkRegularizer('strengths', strengths),
)

/**
 * A regularizer of one's own, computed on the main thread. {@link gradientCheck} says whether its gradient belongs to its
 * loss. With a name a model that has one can be saved, and `loadModel` is given it again by that name.
 *
 * @example
 * const quartic = customRegularizer({ name: 'quartic', loss: (w) => 0.1 * sum(w.map((v) => v ** 4)), gradient: … })
 * const layer = dense(10, { regularizer: quartic })
 * @function
 */
export const customRegularizer = factory('customRegularizer', 1, (functions: CustomRegularizer): Regularizer => {
  return { l1: 0, l2: 0, custom: readCustom(functions) }
})
const readCustom = optionsOf<CustomRegularizer>()('customRegularizer', {
  name: checkName,
  loss: needed(checkFunction<CustomRegularizer['loss']>),
  gradient: needed(checkFunction<CustomRegularizer['gradient']>),
})

export function checkRegularizer(argument: string, value: unknown): Regularizer {
  if (typeof value !== 'object' || value === null) {
    throw invalidArgument(argument, `a regularizer, such as l2(${typeof value === 'number' ? value : 1e-4})`, value)
  }
  const { custom, ...strengths } = readRegularizer(value, argument)
  return custom ?? strengths
}
const readRegularizer = optionsOf<{
  l1?: number | undefined
  l2?: number | undefined
  custom?: Regularizer | undefined
}>()('regularizer', {
  l1: [checkNotNegative, 0],
  l2: [checkNotNegative, 0],
  custom: (_, functions) => customRegularizer(functions as CustomRegularizer),
})
