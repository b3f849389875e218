/** Layer norm, batch norm and group norm. */
import { callOf } from '../call.js'
import { checkBoolean, checkFraction, checkPositive, checkPositiveInteger } from '../checks.js'
import { optionsOf } from '../options.js'
import { checkName, defineLayer, type Layer, layerFactory, type NewParameter } from './layer.js'
import { type Shape, shapeError } from './shape.js'

interface NormOptions {
  /** Added to the variance; default 1e-5. */
  epsilon?: number | undefined
  /** False: gain and bias stay as they are. Default true. */
  trainable?: boolean | undefined
  /** Default the layer's own name with a number, in layer order: `layerNorm1`, `layerNorm2`, … */
  name?: string | undefined
}
export type LayerNormOptions = NormOptions

export interface BatchNormOptions extends NormOptions {
  /** How much of the running mean and variance is kept at each step; default 0.9. */
  momentum?: number | undefined
  /** Whether each channel is multiplied by a gain; default true. */
  gain?: boolean | undefined
  /** Whether a bias is added to each channel; default true. */
  bias?: boolean | undefined
}

const common = {
  epsilon: [checkPositive, 1e-5],
  trainable: [checkBoolean, true],
  name: checkName,
} as const
const readLayerNorm = optionsOf<LayerNormOptions>()('layerNorm', common)
const readGroupNorm = optionsOf<LayerNormOptions>()('groupNorm', common, ['groups'])
const readBatchNorm = optionsOf<BatchNormOptions>()('batchNorm', {
  ...common,
  momentum: [checkFraction, 0.9],
  gain: [checkBoolean, true],
  bias: [checkBoolean, true],
})

/**
 * Brings each line of the last dimension to mean 0 and variance 1, then multiplies by a gain and adds a bias for each of
 * its elements, both trained (Ba et al. 2016). Of examples of one dimension the line is the whole example.
 * @function
 */
export const layerNorm = layerFactory('layerNorm', 1, (options: LayerNormOptions = {}): Layer => {
  const { epsilon, trainable, name } = readLayerNorm(options)
  return defineLayer({
    call: callOf('layerNorm', { epsilon, trainable, name }),
    name,
    outputShape: someDimension,
    lower(scope, [input]) {
      const columns = [input!.shape.at(-1)!]
      const parameters = {
        gain: scope.parameter('gain', filled(columns, 1, trainable)),
        bias: scope.parameter('bias', filled(columns, 0, trainable)),
      }
      return scope.node('layer_norm', [input!.node], { parameters, epsilon })
    },
  })
})

/**
 * Brings each element of the last dimension, of an image each channel, to mean 0 and variance 1 over the batch and all
 * other dimensions, then multiplies by a gain and adds a bias, both trained (Ioffe and Szegedy 2015). Outside training it
 * takes running averages of mean and variance, which are weights that are not trained. Without gain and bias nothing of
 * it can be frozen: `trainable: false` keeps the averages as they are, and takes them in training too.
 * @function
 */
export const batchNorm = layerFactory('batchNorm', 1, (options: BatchNormOptions = {}): Layer => {
  const resolved = readBatchNorm(options)
  const { epsilon, momentum, gain, bias, trainable, name } = resolved
  return defineLayer({
    call: callOf('batchNorm', resolved),
    name,
    outputShape: someDimension,
    lower(scope, [input]) {
      const columns = [input!.shape.at(-1)!]
      const parameters = {
        ...(gain && { gain: scope.parameter('gain', filled(columns, 1, trainable)) }),
        ...(bias && { bias: scope.parameter('bias', filled(columns, 0, trainable)) }),
        mean: scope.parameter('mean', filled(columns, 0, false)),
        variance: scope.parameter('variance', filled(columns, 1, false)),
      }
      const frozen = gain || bias ? undefined : !trainable
      return scope.node('batch_norm', [input!.node], { parameters, epsilon, momentum, frozen })
    },
  })
})

/**
 * Brings each of `groups` groups of neighbouring channels of an example to mean 0 and variance 1, over its pixels too, then
 * multiplies by a gain and adds a bias for each channel, both trained (Wu and He 2018). `groupNorm(1)` is a layer norm of the
 * whole image, one group a channel an instance norm.
 * @function
 */
export const groupNorm = layerFactory('groupNorm', 2, (groups: number, options: LayerNormOptions = {}): Layer => {
  checkPositiveInteger('groups', groups)
  const { epsilon, trainable, name } = readGroupNorm(options)
  return defineLayer({
    call: callOf('groupNorm', groups, { epsilon, trainable, name }),
    name,
    outputShape: ([shape = []], label) => {
      if (shape.length && shape.at(-1)! % groups === 0) return shape
      throw shapeError(label, `a number of channels that ${groups} groups divide`, shape)
    },
    lower(scope, [input]) {
      const channels = [input!.shape.at(-1)!]
      const parameters = {
        gain: scope.parameter('gain', filled(channels, 1, trainable)),
        bias: scope.parameter('bias', filled(channels, 0, trainable)),
      }
      return scope.node('group_norm', [input!.node], { parameters, groups, epsilon })
    },
  })
})

function someDimension([shape = []]: readonly Shape[], label: string): Shape {
  if (!shape.length) throw shapeError(label, 'at least one dimension', shape)
  return shape
}

export function filled(shape: Shape, value: number, trainable: boolean): NewParameter {
  return { shape: [...shape], trainable, initializer: { kind: 'constant', value } }
}
