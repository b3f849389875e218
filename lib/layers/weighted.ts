/** What layers with weights and a bias have in common: their options, and the parameters they declare. */
import { checkBoolean, checkPositive } from '../checks.js'
import { type ActivationName, checkActivationName, lowerActivation } from './activations.js'
import { checkBiasInitializer, checkInitializer, type Initializer, lowerInitializer } from './initializers.js'
import { checkName, type Scope } from './layer.js'
import { checkRegularizer, type Regularizer } from './regularizers.js'

export interface WeightedOptions {
  /** How the weights start; default `'he'`. Of a convolution `fanIn` and `fanOut` count one group's elements of the kernel. */
  init?: Initializer | undefined
  /** Whether there is a bias; default true. */
  bias?: boolean | undefined
  /** How the bias starts; default `'zeros'`. */
  biasInit?: Initializer | undefined
  /** Keeps the weights small: {@link l1}, {@link l2} or {@link elastic}. */
  regularizer?: Regularizer | undefined
  /** Likewise for the bias, which usually needs none. */
  biasRegularizer?: Regularizer | undefined
  /**
   * Largest Euclidean norm of the weights into one unit or filter, enforced after each update (Srebro et al. 2005).
   */
  maxNorm?: number | undefined
  /** Follows the layer directly, as `relu()` in the list would; `'softmax'` too. */
  activation?: ActivationName | undefined
  /** False: the weights stay as they are. Default true. */
  trainable?: boolean | undefined
  /** Default the layer's own name with a number, in layer order: `dense1`, `dense2`, … */
  name?: string | undefined
}

export const weightedRules = {
  init: [checkInitializer, 'he'],
  bias: [checkBoolean, true],
  biasInit: [checkBiasInitializer, 'zeros'],
  regularizer: checkRegularizer,
  biasRegularizer: checkRegularizer,
  maxNorm: checkPositive,
  activation: checkActivationName,
  trainable: [checkBoolean, true],
  name: checkName,
} as const

/** What the options say once defaults stand where nothing was given. */
export interface Weighted {
  readonly init: Initializer
  readonly bias: boolean
  readonly biasInit: Initializer
  readonly regularizer?: Regularizer | undefined
  readonly biasRegularizer?: Regularizer | undefined
  readonly maxNorm?: number | undefined
  readonly activation?: ActivationName | undefined
  readonly trainable: boolean
}

export interface WeightedOp {
  readonly op: string
  readonly input: number
  readonly shape: number[]
  readonly outputs: number
  /** Inputs of an output, and outputs of an input. */
  readonly fans: readonly [fanIn: number, fanOut: number]
  /** Parts of the inputs and outputs that know nothing of each other; default 1. */
  readonly groups?: number
  readonly attributes?: Record<string, unknown>
}

/** Adds the parameters, the op, and the activation that follows it; returns the node that holds the output. */
export function lowerWeighted(
  scope: Scope,
  { op, input, shape, outputs, fans, groups, attributes }: WeightedOp,
  by: Weighted,
): number {
  const { init, bias, biasInit, regularizer, biasRegularizer, maxNorm, activation, trainable } = by
  const initializer = lowerInitializer(init, ...fans, groups)
  const weight = scope.parameter('weight', { shape, trainable, initializer, ...regularizer, maxNorm })
  const parameters: Record<string, number> = { weight }
  if (bias) {
    const initializer = lowerInitializer(biasInit, ...fans)
    parameters.bias = scope.parameter('bias', { shape: [outputs], trainable, initializer, ...biasRegularizer })
  }
  const node = scope.node(op, [input], { parameters, ...attributes })
  return activation ? lowerActivation(activation, scope, node) : node
}
