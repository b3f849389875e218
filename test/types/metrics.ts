// Compiled, never run: metrics carry their names and what they give.
import {
  accuracy,
  confusionMatrix,
  customMetric,
  f1,
  type Loss,
  type Metric,
  type MetricValues,
  meanAbsoluteError,
  precision,
  recall,
  softmaxCrossEntropy,
  topKAccuracy,
} from 'gradus'

const shares: Metric<'accuracy', number> = accuracy()
const matrix: Metric<'confusionMatrix', number[][]> = confusionMatrix()
const top5: Metric<'top5Accuracy', number> = topKAccuracy(5)
const topMany: Metric<`top${number}Accuracy`, number> = topKAccuracy(Number('7'))
const macro: Metric<'precision', number> = precision()
const micro: Metric<'microF1', number> = f1({ average: 'micro' })
const weighted: Metric<'weightedRecall', number> = recall({ average: 'weighted' })
const ofClass: Metric<'recallOfClass2', number> = recall({ class: 2 })
const both: Loss & Metric<'meanAbsoluteError', number> = meanAbsoluteError()
const own: Metric<'bias', number> = customMetric({
  name: 'bias',
  sums: (predictions, targets, weights) => [predictions[0]! - targets[0]!, weights[0]!],
  value: ([bias, weight]) => bias! / weight!,
})
const any: readonly Metric[] = [shares, matrix, top5, topMany, macro, micro, weighted, ofClass, both, own]
const known: MetricValues['confusionMatrix'] = matrix.finish(new Float64Array(9), 'classes')

// @ts-expect-error a matrix is no number
const wrong: Metric<'confusionMatrix', number> = confusionMatrix()
// @ts-expect-error its name is top3Accuracy
const other: Metric<'top5Accuracy', number> = topKAccuracy(3)
// @ts-expect-error an average is one of three
const mean = precision({ average: 'mean' })
// @ts-expect-error a loss on classes is no metric
const loss: Metric = softmaxCrossEntropy()
// @ts-expect-error the sums are numbers
const words = customMetric({ name: 'words', sums: () => ['a'], value: () => 0 })
// @ts-expect-error its options are average and class
const misspelt = recall({ clas: 2 })
// @ts-expect-error no metric is called so
type Unknown = MetricValues['acuracy']

export { any, known, loss, mean, misspelt, other, type Unknown, words, wrong }
