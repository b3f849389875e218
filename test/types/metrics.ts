// Compiled, never run: metrics carry their names and what they give.
import { accuracy, confusionMatrix, type Metric, type MetricValues, topKAccuracy } from 'gradus'

const shares: Metric<'accuracy', number> = accuracy()
const matrix: Metric<'confusionMatrix', number[][]> = confusionMatrix()
const top5: Metric<'top5Accuracy', number> = topKAccuracy(5)
const topMany: Metric<`top${number}Accuracy`, number> = topKAccuracy(Number('7'))
const any: readonly Metric[] = [shares, matrix, top5, topMany]
const known: MetricValues['confusionMatrix'] = matrix.finish(new Float64Array(9), 1)

// @ts-expect-error a matrix is no number
const wrong: Metric<'confusionMatrix', number> = confusionMatrix()
// @ts-expect-error its name is top3Accuracy
const other: Metric<'top5Accuracy', number> = topKAccuracy(3)
// @ts-expect-error no metric is called so
type Unknown = MetricValues['acuracy']

export { any, known, other, type Unknown, wrong }
