/** The losses. Each is a mean over the examples, weighted if they have weights; regularisation is added apart. */
import { callOf, factory } from '../call.js'
import { checkFraction, checkPositive } from '../checks.js'
import { absoluteErrorMetric, squaredErrorMetric } from '../metrics/errors.js'
import type { Metric } from '../metrics/metric.js'
import { optionsOf } from '../options.js'
import type { Loss } from './loss.js'

export { type CustomLossOptions, customLoss } from './custom.js'
export type { CustomLossContext, Loss } from './loss.js'

export interface SoftmaxCrossEntropyOptions {
  /** What the scores are divided by. Default 1. */
  temperature?: number | undefined
  /**
   * The share ε of each target, at least 0 and less than 1, that is spread over all classes: (1 − ε) · target + ε / classes
   * (Szegedy et al., "Rethinking the Inception architecture for computer vision", 2016). Default 0.
   */
  labelSmoothing?: number | undefined
}

const readSoftmax = optionsOf<SoftmaxCrossEntropyOptions>()('softmaxCrossEntropy', {
  temperature: [checkPositive, 1],
  labelSmoothing: [checkFraction, 0],
})

/**
 * −log of the probability that softmax of the scores gives to the right class. Takes scores, without a softmax layer at
 * the end; targets are class numbers, or for each class its probability, which sum to 1.
 *
 * With `labelSmoothing` the loss does not ask for scores without bounds; the metrics, `logLoss` among them, hold the scores against
 * the targets as they are.
 *
 * With a temperature T other than 1, T² times that of the scores / T: what a student learns with from a teacher's probabilities
 * that were softened as well ({@link distill}), where T² keeps its gradients as large as at 1 (Hinton, Vinyals and Dean
 * 2015). Probabilities that the model gives later are softmax of the scores at temperature 1, and so is the metric `logLoss`.
 * @function
 */
export const softmaxCrossEntropy = factory(
  'softmaxCrossEntropy',
  1,
  (options: SoftmaxCrossEntropyOptions = {}): Loss => {
    const { temperature, labelSmoothing } = readSoftmax(options)
    const given = { ...(temperature !== 1 && { temperature }), ...(labelSmoothing !== 0 && { labelSmoothing }) }
    return {
      call: Object.keys(given).length === 0 ? callOf('softmaxCrossEntropy') : callOf('softmaxCrossEntropy', given),
      kind: 'softmax_cross_entropy',
      ...(temperature !== 1 && { parameter: temperature }),
      ...(labelSmoothing !== 0 && { smoothing: labelSmoothing }),
      targets: 'either',
      outputs: 'classes',
      probabilities: 'rows',
    }
  },
)

const marginRules = { margin: [checkPositive, 1] } as const
const readMulticlass = optionsOf<{ margin?: number | undefined }>()('multiclassHinge', marginRules)
const readOneVsAll = optionsOf<{ margin?: number | undefined }>()('oneVsAllHinge', marginRules)

/**
 * Σ over the wrong classes j of max(0, score[j] − score[right] + margin): the multiclass support vector machine of
 * Weston and Watkins (1999). Margin 1 unless given. Targets are class numbers.
 * @function
 */
export const multiclassHinge = factory('multiclassHinge', 1, (options: { margin?: number | undefined } = {}): Loss => {
  const { margin } = readMulticlass(options)
  return {
    call: callOf('multiclassHinge', { margin }),
    kind: 'multiclass_hinge',
    parameter: margin,
    targets: 'labels',
    outputs: 'classes',
  }
})

/**
 * Σ over all classes j of max(0, margin − s·score[j]), s = 1 for the right class and −1 for the others: one support
 * vector machine a class. Margin 1 unless given. Targets are class numbers.
 * @function
 */
export const oneVsAllHinge = factory('oneVsAllHinge', 1, (options: { margin?: number | undefined } = {}): Loss => {
  const { margin } = readOneVsAll(options)
  return {
    call: callOf('oneVsAllHinge', { margin }),
    kind: 'one_vs_all_hinge',
    parameter: margin,
    targets: 'labels',
    outputs: 'classes',
  }
})

/** The mean over the outputs of (output − target)². Targets are shaped as the output. Also a metric. @function */
export const meanSquaredError = factory('meanSquaredError', 0, (): Loss & Metric<'meanSquaredError', number> => ({
  ...squaredErrorMetric,
  call: callOf('meanSquaredError'),
  kind: 'mean_squared_error',
  targets: 'dense',
  outputs: 'values',
}))

/**
 * The mean over the outputs of |output − target|, whose slope is ±1, and 0 where they are equal: single targets far off pull
 * no harder than others, and the best constant is the median. Targets are shaped as the output. Also a metric.
 * @function
 */
export const meanAbsoluteError = factory('meanAbsoluteError', 0, (): Loss & Metric<'meanAbsoluteError', number> => ({
  ...absoluteErrorMetric,
  call: callOf('meanAbsoluteError'),
  kind: 'mean_absolute_error',
  targets: 'dense',
  outputs: 'values',
}))

/**
 * −t·log σ(score) − (1 − t)·log(1 − σ(score)), averaged over the outputs, for any number of independent yes-or-no
 * questions. Takes scores, without a sigmoid layer at the end; targets t from 0 to 1, shaped as the output.
 * @function
 */
export const binaryCrossEntropy = factory(
  'binaryCrossEntropy',
  0,
  (): Loss => ({
    call: callOf('binaryCrossEntropy'),
    kind: 'binary_cross_entropy',
    targets: 'dense',
    outputs: 'answers',
    probabilities: 'each',
  }),
)

const readHuber = optionsOf<{ delta?: number | undefined }>()('huber', { delta: [checkPositive, 1] })

/**
 * Squared near zero, absolute beyond: with e = output − target, e²/2 for |e| ≤ delta, else delta·(|e| − delta/2), averaged
 * over the outputs (Huber 1964). Delta 1 unless given. Targets are shaped as the output.
 * @function
 */
export const huber = factory('huber', 1, (options: { delta?: number | undefined } = {}): Loss => {
  const { delta } = readHuber(options)
  return { call: callOf('huber', { delta }), kind: 'huber', parameter: delta, targets: 'dense', outputs: 'values' }
})
