/** The fully connected layer: Y = X·W + b. */
import { callOf, factory } from '../call.js'
import { checkBoolean, checkPositive, checkPositiveInteger } from '../checks.js'
import { GradusError } from '../errors.js'
import { optionsOf } from '../options.js'
import { type ActivationName, checkActivationName, lowerActivation } from './activations.js'
import { checkInitializer, type Initializer, lowerInitializer } from './initializers.js'
import { checkName, defineLayer, type Layer } from './layer.js'
import { checkRegularizer, type Regularizer } from './regularizers.js'
import { shapeError } from './shape.js'

export interface DenseOptions {
  /** How the weights start; default `'he'`. */
  init?: Initializer | undefined
  /** Whether there is a bias; default true. */
  bias?: boolean | undefined
  /** How the bias starts; default `'zeros'`. */
  biasInit?: Initializer | undefined
  /** Keeps the weights small: {@link l1}, {@link l2} or {@link elastic}. */
  regularizer?: Regularizer | undefined
  /** Likewise for the bias, which usually needs none. */
  biasRegularizer?: Regularizer | undefined
  /** Largest Euclidean norm of the weights into one unit, enforced after each update (Srebro et al. 2005). */
  maxNorm?: number | undefined
  /** Follows the layer directly, as `relu()` in the list would; `'softmax'` too. */
  activation?: ActivationName | undefined
  /** False: the weights stay as they are. Default true. */
  trainable?: boolean | undefined
  /** Default `dense1`, `dense2`, … in layer order. */
  name?: string | undefined
}

const readOptions = optionsOf<DenseOptions>()(
  'dense',
  {
    init: [checkInitializer, 'he'],
    bias: [checkBoolean, true],
    biasInit: [checkInitializer, 'zeros'],
    regularizer: checkRegularizer,
    biasRegularizer: checkRegularizer,
    maxNorm: checkPositive,
    activation: checkActivationName,
    trainable: [checkBoolean, true],
    name: checkName,
  },
  ['units'],
)

/**
 * A layer of `units` outputs, each connected to every input: Y = X·W + b, W of shape (inputs, units), b of (units).
 * Works on the last dimension: examples of shape [28, 28] become [28, units]. Put {@link flatten} before it to join all
 * elements.
 * @function
 */
export const dense = factory('dense', 2, (units: number, options: DenseOptions = {}): Layer => {
  checkUnits(units)
  const resolved = readOptions(options)
  const { init, bias, biasInit, regularizer, biasRegularizer, maxNorm, activation, trainable, name } = resolved
  return defineLayer({
    call: callOf('dense', units, resolved),
    name,
    outputShape: ([shape = []], label) => {
      if (!shape.length) throw shapeError(label, 'at least one dimension', shape)
      return [...shape.slice(0, -1), units]
    },
    lower(scope, [input]) {
      const size = input!.shape.at(-1)!
      const weight = scope.parameter('weight', {
        shape: [size, units],
        trainable,
        initializer: lowerInitializer(init, size, units),
        ...regularizer,
        maxNorm,
      })
      const parameters: Record<string, number> = { weight }
      if (bias) {
        const initializer = lowerInitializer(biasInit, size, units)
        parameters.bias = scope.parameter('bias', { shape: [units], trainable, initializer, ...biasRegularizer })
      }
      const node = scope.node('dense', [input!.node], { parameters })
      return activation ? lowerActivation(activation, scope, node) : node
    },
  })
})

function checkUnits(units: unknown): void {
  if (typeof units === 'object' && units !== null && 'units' in units) {
    const message =
      'units: expected a positive integer before the options, as in dense(10, { … }); received it among them'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  checkPositiveInteger('units', units)
}
