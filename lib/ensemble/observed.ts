/** What members make of what was observed: log-probabilities of what came, or errors. */
import { product } from '../data/column.js'
import { links } from '../train/classes.js'
import type { Held } from './held.js'
import type { Observed } from './mixture.js'

/** Of a row of scores the log of softmax, in place of them. */
export function logSoftmax(row: Float64Array): void {
  const largest = row.reduce((a, b) => Math.max(a, b))
  const log = largest + Math.log(row.reduce((sum, score) => sum + Math.exp(score - largest), 0))
  for (let i = 0; i < row.length; i++) row[i]! -= log
}

export const logSigmoid = (score: number): number => Math.min(score, 0) - Math.log1p(Math.exp(-Math.abs(score)))

/** Of each row's classes the log-probabilities. */
export function logProbabilities(scores: Float64Array, columns: number): Float64Array {
  const logs = scores.slice()
  for (let at = 0; at < logs.length; at += columns) logSoftmax(logs.subarray(at, at + columns))
  return logs
}

/** Whether the loss is minus the mean log-likelihood of what the outputs stand for. */
export const hasLikelihood = ({ loss }: Held): boolean => links[loss.kind] !== undefined

/**
 * With softmax one observation a row, or of targets that are probabilities one of each class; with sigmoids a yes and a no of
 * each output. The mean by their counts is minus the loss.
 */
export function observedBy({ outputs, targets, weights, outputShape, loss, rows }: Held): Observed {
  const columns = product(outputShape)
  if (links[loss.kind] === 'sigmoid') {
    const counts = Float64Array.from({ length: 2 * targets.length }, (_, i) => {
      const target = targets[i >> 1]!
      return ((i % 2 === 0 ? target : 1 - target) * weights[Math.floor((i >> 1) / columns)]!) / columns
    })
    const logs = (scores: Float64Array) =>
      Float64Array.from({ length: 2 * scores.length }, (_, i) =>
        logSigmoid(i % 2 === 0 ? scores[i >> 1]! : -scores[i >> 1]!),
      )
    return { counts, logs: outputs.map(logs) }
  }
  const each = outputs.map((scores) => logProbabilities(scores, columns))
  if (targets instanceof Int32Array) {
    const ofRight = (logs: Float64Array) =>
      Float64Array.from({ length: rows }, (_, row) => logs[row * columns + targets[row]!]!)
    return { counts: weights, logs: each.map(ofRight) }
  }
  return { counts: targets.map((target, i) => target * weights[Math.floor(i / columns)]!), logs: each }
}

/** Of each member: output − target of each element; and how much each counts. */
export function errorsOf({ outputs, targets, weights, rows }: Held): { errors: Float64Array[]; counts: Float64Array } {
  const columns = targets.length / rows
  return {
    errors: outputs.map((values) => values.map((value, i) => value - targets[i]!)),
    counts: Float64Array.from({ length: targets.length }, (_, i) => weights[Math.floor(i / columns)]!),
  }
}
