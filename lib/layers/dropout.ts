/** Dropout. */
import { callOf } from '../call.js'
import { checkFraction } from '../checks.js'
import { optionsOf } from '../options.js'
import { checkName, defineLayer, type Layer, layerFactory } from './layer.js'
import { shapeError } from './shape.js'

const readOptions = optionsOf<{ name?: string | undefined }>()('dropout', { name: checkName }, ['rate'])
const readSpatial = optionsOf<{ name?: string | undefined }>()('spatialDropout', { name: checkName }, ['rate'])

/**
 * While training, each value is set to zero with probability `rate` and the others are divided by 1 − rate, so that
 * nothing need be scaled afterwards (Srivastava et al. 2014). Outside training it does nothing.
 *
 * @param rate - share of the values that is dropped: at least 0, less than 1
 * @function
 */
export const dropout = layerFactory(
  'dropout',
  2,
  (rate: number, options: { name?: string | undefined } = {}): Layer => {
    checkFraction('rate', rate)
    const { name } = readOptions(options)
    return defineLayer({
      call: callOf('dropout', rate, { name }),
      name,
      outputShape: ([shape]) => shape!,
      lower: (scope, [input]) => scope.node('dropout', [input!.node], { rate }),
    })
  },
)

/**
 * {@link dropout} of whole channels, for images, whose neighbouring pixels say the same (Tompson et al. 2015): while
 * training, a channel of an example is zero everywhere with probability `rate`, or divided by 1 − rate.
 *
 * @param rate - share of the channels that is dropped: at least 0, less than 1
 * @function
 */
export const spatialDropout = layerFactory(
  'spatialDropout',
  2,
  (rate: number, options: { name?: string | undefined } = {}): Layer => {
    checkFraction('rate', rate)
    const { name } = readSpatial(options)
    return defineLayer({
      call: callOf('spatialDropout', rate, { name }),
      name,
      outputShape: ([shape = []], label) => {
        if (shape.length < 2) throw shapeError(label, 'at least two dimensions', shape, 'dropout() takes one')
        return shape
      },
      lower: (scope, [input]) => scope.node('spatial_dropout', [input!.node], { rate }),
    })
  },
)
