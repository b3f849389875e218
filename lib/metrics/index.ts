/** The metrics: what a run reports beside the loss. */
import { callOf } from '../call.js'
import { checkPositiveInteger } from '../checks.js'
import type { Metric } from './metric.js'

export type { Metric } from './metric.js'

/** What the metrics give that may be asked for by name alone, as in `metrics: ['accuracy']`. */
export interface MetricValues {
  accuracy: number
  confusionMatrix: number[][]
  meanAbsoluteError: number
  r2: number
}

/**
 * Share of the examples whose highest score is at the right class. With one output there are two classes, yes above 0 for
 * the losses on scores and above 0.5 for those on values. An example with a score that is not a number is wrong.
 */
export const accuracy = (): Metric<'accuracy', number> => ({
  call: callOf('accuracy'),
  name: 'accuracy',
  descriptor: { kind: 'accuracy' },
  width: () => 1,
  finish: mean,
  better: 'larger',
})

/** Share of the examples whose right class is among the k highest scores. In history as `top5Accuracy` for k = 5. */
export function topKAccuracy<const K extends number>(k: K): Metric<`top${K}Accuracy`, number> {
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

/**
 * How many examples of each class (row) were taken for each class (column). A single output has two: no and yes. Examples
 * with a score that is not a number belong to no class: where there are any, each row has one more column for them, and the
 * matrix is [classes, classes + 1]. At most 2,000 classes.
 */
export const confusionMatrix = (): Metric<'confusionMatrix', number[][]> => ({
  call: callOf('confusionMatrix'),
  name: 'confusionMatrix',
  descriptor: { kind: 'confusion_matrix' },
  width: (outputs) => Math.max(outputs, 2) * (Math.max(outputs, 2) + 1),
  finish(sums) {
    const classes = Math.floor(Math.sqrt(sums.length))
    const rows = Array.from({ length: classes }, () => new Array<number>(classes + 1))
    // Array.from takes ten times as long as a loop.
    for (let i = 0; i < sums.length; i++) rows[Math.floor(i / (classes + 1))]![i % (classes + 1)] = sums[i]!
    if (rows.every((row) => row[classes] === 0)) for (const row of rows) row.pop()
    return rows
  },
})

/** The mean of |output − target| over examples and outputs. */
export const meanAbsoluteError = (): Metric<'meanAbsoluteError', number> => ({
  call: callOf('meanAbsoluteError'),
  name: 'meanAbsoluteError',
  descriptor: { kind: 'mean_absolute_error' },
  width: () => 1,
  finish: mean,
  better: 'smaller',
})

/**
 * Share of the targets' variance that the outputs explain: 1 − Σ(target − output)² / Σ(target − mean)², the mean over all
 * outputs of each output's own. 1 is perfect, 0 no better than always giving the mean. Where the targets are constant it is 1
 * for outputs that are exactly right and else 0, as in scikit-learn's `r2_score`.
 */
export const r2 = (): Metric<'r2', number> => ({
  call: callOf('r2'),
  name: 'r2',
  descriptor: { kind: 'r2' },
  width: (outputs) => 1 + 4 * outputs,
  // Σ weight; then for each output two numbers for the mean, Σ weight·(target − mean)², Σ weight·(target − output)².
  finish(sums) {
    if (sums[0] === 0) return Number.NaN
    let shares = 0
    for (let at = 1; at < sums.length; at += 4) shares += explained(sums[at + 2]!, sums[at + 3]!)
    return (4 * shares) / (sums.length - 1)
  },
  better: 'larger',
})

function explained(squares: number, residual: number): number {
  if (residual === 0) return 1
  return squares === 0 && !Number.isNaN(residual) ? 0 : 1 - residual / squares
}

const mean = (sums: Float64Array, weight: number): number => sums[0]! / weight
