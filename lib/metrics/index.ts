/** The metrics: what a run reports beside the loss. */
import { callOf } from '../call.js'
import { checkPositiveInteger } from '../checks.js'
import type { Metric } from './metric.js'

export type { Metric } from './metric.js'

/**
 * Share of the examples whose highest score is at the right class. With one output there are two classes, yes above 0 for
 * the losses on scores and above 0.5 for those on values.
 */
export const accuracy = (): Metric => ({
  call: callOf('accuracy'),
  name: 'accuracy',
  descriptor: { kind: 'accuracy' },
  width: () => 1,
  finish: mean,
  better: 'larger',
})

/** Share of the examples whose right class is among the k highest scores. In history as `top5Accuracy` for k = 5. */
export function topKAccuracy(k: number): Metric {
  checkPositiveInteger('k', k)
  return {
    call: callOf('topKAccuracy', k),
    name: `top${k}Accuracy`,
    descriptor: { kind: 'top_k', k },
    width: () => 1,
    finish: mean,
    better: 'larger',
  }
}

/** How many examples of each class (row) were taken for each class (column). A single output has two: no and yes. */
export const confusionMatrix = (): Metric => ({
  call: callOf('confusionMatrix'),
  name: 'confusionMatrix',
  descriptor: { kind: 'confusion_matrix' },
  width: (outputs) => Math.max(outputs, 2) ** 2,
  finish(sums) {
    const classes = Math.round(Math.sqrt(sums.length))
    return Array.from({ length: classes }, (_, right) => [...sums.subarray(right * classes, (right + 1) * classes)])
  },
})

/** The mean of |output − target| over examples and outputs. */
export const meanAbsoluteError = (): Metric => ({
  call: callOf('meanAbsoluteError'),
  name: 'meanAbsoluteError',
  descriptor: { kind: 'mean_absolute_error' },
  width: () => 1,
  finish: mean,
  better: 'smaller',
})

/**
 * Share of the targets' variance that the outputs explain: 1 − Σ(target − output)² / Σ(target − mean)², the mean over all
 * outputs of each output's own. 1 is perfect, 0 no better than always giving the mean.
 */
export const r2 = (): Metric => ({
  call: callOf('r2'),
  name: 'r2',
  descriptor: { kind: 'r2' },
  width: (outputs) => 3 * outputs,
  // For each output: Σ weight·target, Σ weight·target², Σ weight·(target − output)².
  finish(sums, weight) {
    const outputs = sums.length / 3
    let shares = 0
    for (let i = 0; i < outputs; i++) {
      const [sum, squares, residual] = sums.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number]
      shares += 1 - residual / (squares - (sum * sum) / weight)
    }
    return shares / outputs
  },
  better: 'larger',
})

const mean = (sums: Float64Array, weight: number): number => sums[0]! / weight
