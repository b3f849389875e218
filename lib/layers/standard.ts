/** Inputs brought to mean 0 and deviation 1 by numbers that come from the training data. */
import { callOf } from '../call.js'
import { oneOf } from '../checks.js'
import { optionsOf } from '../options.js'
import { checkName, defineLayer, type Layer, layerFactory } from './layer.js'
import { filled } from './normalization.js'
import { sizeOf } from './shape.js'

export interface NormalizationOptions {
  /**
   * A mean and variance for each number of an example, for each channel, which is its last dimension, or one of each for all of them.
   * Default: `'channel'` of images, which have three dimensions, else `'feature'`.
   */
  per?: 'feature' | 'channel' | 'all' | undefined
  /** Default `normalization1`, … in layer order. */
  name?: string | undefined
}

const readNormalization = optionsOf<NormalizationOptions>()('normalization', {
  per: oneOf('feature', 'channel', 'all'),
  name: checkName,
})

/** What a layer on an input of this shape counts by. */
export const adaptsPer = (
  per: NonNullable<Layer['definition']['adapts']>,
  { length }: readonly number[],
): 'feature' | 'channel' | 'all' => (per === 'usual' ? (length === 3 ? 'channel' : 'feature') : per)

/** Far below any variance: the op adds it under the root. */
const epsilon = 1e-30

/**
 * (x − mean) / deviation, with the mean and deviation of the training data: `fit` takes them from its data when the model has
 * none yet, `model.adapt(data)` from others. They are weights that are not trained, and are saved with the model: whoever
 * loads it gives it the raw numbers. A feature that never changes becomes 0. Takes an input of the model directly.
 *
 * @example
 * const model = sequential({ input: [13] }, [normalization(), dense(32, { activation: 'relu' }), dense(3)])
 * @function
 */
export const normalization = layerFactory('normalization', 1, (options?: NormalizationOptions): Layer => {
  const { per, name } = readNormalization(options)
  return defineLayer({
    call: callOf('normalization', { per, name }),
    name,
    adapts: per ?? 'usual',
    outputShape: ([shape]) => shape!,
    // A batch norm without gain and bias, whose mean and variance stay as they are.
    lower(scope, [input]) {
      const { shape, node } = input!
      const byChannel = adaptsPer(per ?? 'usual', shape) === 'channel'
      const flat = byChannel ? shape.slice(-1) : [sizeOf(shape)]
      const parameters = {
        mean: scope.parameter('mean', filled(flat, 0, false)),
        variance: scope.parameter('variance', filled(flat, 1, false)),
      }
      const isFlat = byChannel || shape.length === 1
      const from = isFlat ? node : scope.node('reshape', [node], { shape: flat })
      const normal = scope.node('batch_norm', [from], { parameters, epsilon })
      return isFlat ? normal : scope.node('reshape', [normal], { shape: [...shape] })
    },
  })
})
