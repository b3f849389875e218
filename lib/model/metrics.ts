/** The metrics of a model: asked for by name or made, checked against what its loss takes the outputs for. */
import { restore } from '../call.js'
import { describe, GradusError } from '../errors.js'
import { meanAbsoluteError, meanSquaredError } from '../losses/index.js'
import type { Loss } from '../losses/loss.js'
import * as metrics from '../metrics/index.js'
import { isMetric, type Metric, type MetricOutput, type Outputs } from '../metrics/metric.js'
import { didYouMean } from '../suggest.js'

export type MetricName = keyof metrics.MetricValues

/** The metrics that need no argument may be given by name. */
const { accuracy, auc, balancedAccuracy, confusionMatrix, f1, logLoss, precision, r2, recall } = metrics
const { rootMeanSquaredError, specificity } = metrics
const byName: { [Name in MetricName]: () => Metric<Name, metrics.MetricValues[Name]> } = {
  ...{ accuracy, balancedAccuracy, precision, recall, f1, specificity, auc, logLoss, confusionMatrix },
  ...{ r2, meanAbsoluteError, meanSquaredError, rootMeanSquaredError },
}

export function checkMetrics(asked: readonly unknown[], loss: Loss, size: number): Metric[] {
  const output: MetricOutput = { outputs: loss.outputs, size, loss: loss.custom?.name ?? loss.call[0] }
  const chosen = asked.map((metric, i) => found(`metrics[${i}]`, metric))
  chosen.forEach((metric, i) => {
    if (chosen.findIndex(({ name }) => name === metric.name) !== i) {
      throw new GradusError('GRADUS_INVALID_ARGUMENT', `metrics[${i}]: "${metric.name}" is there already`)
    }
    checkFit(`metrics[${i}]`, metric, output)
  })
  return chosen
}

function found(argument: string, metric: unknown): Metric {
  if (typeof metric === 'string' && Object.hasOwn(byName, metric)) return byName[metric as MetricName]()
  if (isMetric(metric)) return metric
  if (typeof metric !== 'string') {
    const hint = typeof metric === 'function' && metric.name ? `; call it: ${metric.name}()` : ''
    const message = `${argument}: expected a name or a metric such as topKAccuracy(5), received ${describe(metric)}${hint}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const names = Object.keys(byName)
  const hint = didYouMean(metric, names) || `; known are ${names.join(', ')}, topKAccuracy(k) and customMetric({ … })`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `${argument}: there is no metric ${describe(metric)}${hint}`)
}

const words: Record<Outputs, string> = {
  classes: 'scores of classes',
  answers: 'yes-or-no answers',
  values: 'plain numbers',
}

function checkFit(argument: string, metric: Metric, output: MetricOutput): void {
  if (metric.fits.includes(output.outputs)) {
    metric.check?.(argument, output)
    return
  }
  const fitting = Object.entries(byName)
    .filter(([, make]) => fits(make(), output))
    .map(([name]) => `'${name}'`)
  const kinds = metric.fits.map((kind) => words[kind]).join(' and ')
  const problem = `${metric.name} is for ${kinds}, and the outputs of ${output.loss} are ${words[output.outputs]}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `${argument}: ${problem}; what fits: ${fitting.join(', ')}`)
}

function fits(metric: Metric, output: MetricOutput): boolean {
  if (!metric.fits.includes(output.outputs)) return false
  try {
    metric.check?.('', output)
    return true
  } catch {
    return false
  }
}

const factories = { ...metrics, meanAbsoluteError, meanSquaredError }

/** A metric of a saved model. */
export const restoreMetric = (call: unknown): Metric => restore(factories, call, isMetric)
