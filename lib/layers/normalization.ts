/** Layer norm and batch norm. */
import { callOf, factory } from '../call.js'
import { checkBoolean, checkFraction, checkPositive } from '../checks.js'
import { optionsOf } from '../options.js'
import { checkName, defineLayer, type Layer, type NewParameter } from './layer.js'
import { type Shape, shapeError } from './shape.js'

export interface LayerNormOptions {
  /** Added to the variance; default 1e-5. */
  epsilon?: number | undefined
  /** False: gain and bias stay as they are. Default true. */
  trainable?: boolean | undefined
  /** Default `layerNorm1`, … or `batchNorm1`, … in layer order. */
  name?: string | undefined
}

export interface BatchNormOptions extends LayerNormOptions {
  /** How much of the running mean and variance is kept at each step; default 0.9. */
  momentum?: number | undefined
}

const common = {
  epsilon: [checkPositive, 1e-5],
  trainable: [checkBoolean, true],
  name: checkName,
} as const
const readLayerNorm = optionsOf<LayerNormOptions>()('layerNorm', common)
const readBatchNorm = optionsOf<BatchNormOptions>()('batchNorm', { ...common, momentum: [checkFraction, 0.9] })

/**
 * Brings each example to mean 0 and variance 1 over its elements, then multiplies by a gain and adds a bias for each
 * element, both trained (Ba et al. 2016). Takes one-dimensional examples.
 * @function
 */
export const layerNorm = factory('layerNorm', 1, (options: LayerNormOptions = {}): Layer => {
  const { epsilon, trainable, name } = readLayerNorm(options)
  return defineLayer({
    call: callOf('layerNorm', { epsilon, trainable, name }),
    name,
    outputShape: oneDimension,
    lower(scope, [input]) {
      const parameters = {
        gain: scope.parameter('gain', filled(input!.shape, 1, trainable)),
        bias: scope.parameter('bias', filled(input!.shape, 0, trainable)),
      }
      return scope.node('layer_norm', [input!.node], { parameters, epsilon })
    },
  })
})

/**
 * Brings each element to mean 0 and variance 1 over the batch, then multiplies by a gain and adds a bias, both trained
 * (Ioffe and Szegedy 2015). Outside training it takes running averages of mean and variance, which are weights that are
 * not trained. Takes one-dimensional examples.
 * @function
 */
export const batchNorm = factory('batchNorm', 1, (options: BatchNormOptions = {}): Layer => {
  const { epsilon, momentum, trainable, name } = readBatchNorm(options)
  return defineLayer({
    call: callOf('batchNorm', { epsilon, momentum, trainable, name }),
    name,
    outputShape: oneDimension,
    lower(scope, [input]) {
      const parameters = {
        gain: scope.parameter('gain', filled(input!.shape, 1, trainable)),
        bias: scope.parameter('bias', filled(input!.shape, 0, trainable)),
        mean: scope.parameter('mean', filled(input!.shape, 0, false)),
        variance: scope.parameter('variance', filled(input!.shape, 1, false)),
      }
      return scope.node('batch_norm', [input!.node], { parameters, epsilon, momentum })
    },
  })
})

function oneDimension([shape = []]: readonly Shape[], label: string): Shape {
  if (shape.length !== 1) throw shapeError(label, 'one dimension', shape, 'put flatten() before it')
  return shape
}

export function filled(shape: Shape, value: number, trainable: boolean): NewParameter {
  return { shape: [...shape], trainable, initializer: { kind: 'constant', value } }
}
