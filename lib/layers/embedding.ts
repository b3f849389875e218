/** The lookup table from row numbers to vectors. */
import { callOf } from '../call.js'
import { checkBoolean, checkPositiveInteger } from '../checks.js'
import { optionsOf } from '../options.js'
import { checkInitializer, type Initializer, lowerInitializer, randomUniform } from './initializers.js'
import { checkName, defineLayer, type Layer, layerFactory } from './layer.js'
import { checkRegularizer, type Regularizer } from './regularizers.js'

export interface EmbeddingOptions {
  /** How the table starts; default `randomUniform({ limit: 0.05 })`. */
  init?: Initializer | undefined
  /** Keeps the table's entries small: {@link l1}, {@link l2} or {@link elastic}. */
  regularizer?: Regularizer | undefined
  /** False: the table stays as it is. Default true. */
  trainable?: boolean | undefined
  /** Default `embedding1`, … in layer order. */
  name?: string | undefined
}

const readOptions = optionsOf<EmbeddingOptions>()(
  'embedding',
  {
    init: [checkInitializer, randomUniform({ limit: 0.05 })],
    regularizer: checkRegularizer,
    trainable: [checkBoolean, true],
    name: checkName,
  },
  ['vocabulary', 'dimension'],
)

/**
 * Replaces each integer from 0 to `vocabulary` − 1 by its row of a trained table: an example of shape [length] becomes
 * [length, dimension]. Takes an input of the model directly.
 * @function
 */
export const embedding = layerFactory(
  'embedding',
  3,
  (vocabulary: number, dimension: number, options: EmbeddingOptions = {}): Layer => {
    checkPositiveInteger('vocabulary', vocabulary)
    checkPositiveInteger('dimension', dimension)
    const resolved = readOptions(options)
    const { init, regularizer, trainable, name } = resolved
    return defineLayer({
      call: callOf('embedding', vocabulary, dimension, resolved),
      name,
      vocabulary,
      outputShape: ([shape]) => [...shape!, dimension],
      lower(scope, [input]) {
        const weight = scope.parameter('weight', {
          shape: [vocabulary, dimension],
          trainable,
          initializer: lowerInitializer(init, vocabulary, dimension),
          ...regularizer,
        })
        return scope.node('embedding', [input!.node], { parameters: { weight } })
      },
    })
  },
)
