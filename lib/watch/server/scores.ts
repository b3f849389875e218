/** Which columns of an epoch say how good a model is, and when it was at its best. */
import type { EpochEntry, RunInfo } from '../recording/recording.js'

/** Columns of an epoch that are no scores. */
const others = [
  ...['epoch', 'step', 'learningRate', 'momentum', 'weightDecay', 'updateRatio', 'gradientNorm'],
  ...['refusedSteps', 'seconds', 'samplesPerSecond', 'regularizationLoss'],
]

/** `accuracy` → `valAccuracy`. */
export const validationOf = (score: string): string => `val${score.charAt(0).toUpperCase()}${score.slice(1)}`

/** The same of the average of the weights: `averageValAccuracy`. */
export const averageOf = (score: string): string => `averageV${validationOf(score).slice(1)}`

export const isValidation = (column: string): boolean => /^(averageV|v)al[A-Z]/.test(column)

/** Loss first, then the metrics, without their twins on validation data. */
export function scoresOf(epochs: readonly EpochEntry[]): string[] {
  return Object.keys(epochs.at(-1) ?? {}).filter((name) => !others.includes(name) && !isValidation(name))
}

/** Whether less of it is better: as the run says, else by its name. */
function isLowerBetter(column: string, { metrics }: Pick<RunInfo, 'metrics'>): boolean {
  const metric = metrics?.find(({ name }) => name === column || validationOf(name) === column)
  if (metric?.better !== undefined) return metric.better === 'smaller'
  return /loss|error|deviation|perplexity|hinge/i.test(column)
}

/** The first metric that is a number, or the loss; on validation data where there are some. */
function headline(info: Pick<RunInfo, 'metrics'>, epochs: readonly EpochEntry[]): string | undefined {
  const isNumber = (column: string) => epochs.some((entry) => Number.isFinite(entry[column]))
  const known = info.metrics?.map(({ name }) => name) ?? scoresOf(epochs).filter((name) => name !== 'loss')
  const score = known.find(isNumber) ?? 'loss'
  return [validationOf(score), score].find(isNumber)
}

export function bestOf(info: Pick<RunInfo, 'metrics'>, epochs: readonly EpochEntry[]) {
  const column = headline(info, epochs)
  if (column === undefined) return undefined
  const sign = isLowerBetter(column, info) ? -1 : 1
  let best: EpochEntry | undefined
  for (const entry of epochs) {
    const value = entry[column]
    if (typeof value !== 'number') continue
    if (!best || sign * value > sign * (best[column] as number)) best = entry
  }
  return best && { column, value: best[column] as number, epoch: best.epoch }
}
