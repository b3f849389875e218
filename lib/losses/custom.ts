/** Losses written in JavaScript. */
import { callOf, factory } from '../call.js'
import { checkFunction, nameFor, oneOf } from '../checks.js'
import { invalidArgument } from '../errors.js'
import type { Outputs } from '../metrics/metric.js'
import type { FloatArray } from '../native.js'
import { needed, optionsOf } from '../options.js'
import type { CustomLoss, CustomLossContext, Loss } from './loss.js'

export interface CustomLossOptions<Targets extends 'labels' | 'dense'> {
  name: string
  /** `'dense'`: targets shaped as the output (default); `'labels'`: one class number an example, an Int32Array. */
  targets?: Targets | undefined
  /**
   * What it takes the outputs for, on which depends which metrics fit: scores of `'classes'` (default with labels),
   * `'answers'` of yes, above 0, or no, or plain `'values'` (default with dense targets).
   */
  outputs?: (Targets extends 'labels' ? 'classes' : Outputs) | undefined
  /** The loss of each example, (batch) elements, for `output` of (batch, ...outputShape). */
  forward(output: FloatArray, targets: TargetsArray<Targets>, context: CustomLossContext): FloatArray
  /**
   * The derivative of each example's own loss by its outputs, shaped as the output. Weights and the mean over the batch
   * are not its business.
   */
  backward(output: FloatArray, targets: TargetsArray<Targets>, context: CustomLossContext): FloatArray
}

type TargetsArray<Targets> = Targets extends 'labels' ? Int32Array : FloatArray

/**
 * A loss of one's own. The functions run on the main thread, on row-major arrays of the model's dtype.
 * {@link gradientCheck} says whether `backward` belongs to `forward`. A saved model has its name alone: give it to
 * `loadModel(file, { losses: { absolute } })`.
 *
 * @example
 * const absolute = customLoss({
 *   name: 'absolute',
 *   forward: (output, targets) => output.map((y, i) => Math.abs(y - targets[i])),
 *   backward: (output, targets) => output.map((y, i) => Math.sign(y - targets[i])),
 * })
 * @function
 */
export const customLoss = factory(
  'customLoss',
  1,
  <Targets extends 'labels' | 'dense' = 'dense'>(options: CustomLossOptions<Targets>): Loss => {
    const {
      targets,
      outputs = targets === 'dense' ? 'values' : 'classes',
      ...custom
    } = readOptions(options as unknown as CustomLossOptions<'labels' | 'dense'>)
    if (targets === 'labels' && outputs !== 'classes') {
      throw invalidArgument('outputs', "'classes' with targets: 'labels'", outputs)
    }
    return { call: callOf('customLoss', { name: custom.name }), kind: 'custom', targets, outputs, custom }
  },
)

const readOptions = optionsOf<CustomLossOptions<'labels' | 'dense'>>()('customLoss', {
  name: needed(nameFor('loss')),
  targets: [oneOf('dense', 'labels'), 'dense'],
  outputs: oneOf('classes', 'answers', 'values'),
  forward: needed(checkFunction<CustomLoss['forward']>),
  backward: needed(checkFunction<CustomLoss['backward']>),
})
