/** The metrics: what a run reports beside the loss. Of the errors those that are losses too stand among the losses. */
export { type AverageOptions, balancedAccuracy, f1, precision, recall, specificity } from './class-counts.js'
export { accuracy, auc, confusionMatrix, logLoss, topKAccuracy } from './classes.js'
export { type CustomMetricOptions, customMetric } from './custom.js'
export { r2, rootMeanSquaredError } from './errors.js'
export type { Metric, Outputs } from './metric.js'

/** What the metrics give that may be asked for by name alone, as in `metrics: ['accuracy']`. */
export interface MetricValues {
  accuracy: number
  auc: number
  balancedAccuracy: number
  confusionMatrix: number[][]
  f1: number
  logLoss: number
  meanAbsoluteError: number
  meanSquaredError: number
  precision: number
  r2: number
  recall: number
  rootMeanSquaredError: number
  specificity: number
}
