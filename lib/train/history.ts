/** What a run leaves behind: one record an epoch, and the same by columns. */

/** One finished epoch. Metrics come under their names, on validation data with `val` before: `valAccuracy`. */
export interface EpochRecord {
  /** From 1. */
  epoch: number
  /** Mean data loss over the epoch's examples, each as it was when its batch was trained, weighted by their weights. */
  loss: number
  /** The regularisers' term, mean over the updates. */
  regularizationLoss: number
  /** Of the last update. */
  learningRate: number
  /** Likewise, where it is scheduled. */
  momentum?: number
  weightDecay?: number
  /** ‖Δw‖ / ‖w‖ over all weights, mean over the updates; about 1e-3 is healthy (CS231n, "Babysitting the learning"). */
  updateRatio: number
  /** Norm of the whole gradient before clipping, mean over the updates. */
  gradientNorm: number
  /** Updates left out because their gradient was not finite; the means above leave them out too. */
  refusedSteps: number
  /** Of the whole epoch, validation included. */
  seconds: number
  /** Trained examples a second of training. */
  samplesPerSecond: number
  accuracy?: number
  valLoss?: number
  valAccuracy?: number
  [metric: string]: number | number[][] | undefined
}

/** The records by columns: `history.loss[i]` is `loss` of the i-th epoch that was finished. */
export interface History {
  /** Epochs finished by this run. */
  epochs: number
  /** `epochs` when all were done, else what ended the run: `stop`, `earlyStopping`, …; null while it runs. */
  stoppedBy: string | null
  loss: number[]
  regularizationLoss: number[]
  learningRate: number[]
  momentum?: number[]
  weightDecay?: number[]
  updateRatio: number[]
  gradientNorm: number[]
  refusedSteps: number[]
  seconds: number[]
  samplesPerSecond: number[]
  accuracy?: number[]
  valLoss?: number[]
  valAccuracy?: number[]
  [column: string]: number[] | number[][][] | number | string | null | undefined
}

export function emptyHistory(): History {
  return {
    epochs: 0,
    stoppedBy: null,
    loss: [],
    regularizationLoss: [],
    learningRate: [],
    updateRatio: [],
    gradientNorm: [],
    refusedSteps: [],
    seconds: [],
    samplesPerSecond: [],
  }
}

export function addRecord(history: History, record: EpochRecord): void {
  history.epochs++
  for (const [name, value] of Object.entries(record)) {
    history[name] ??= []
    ;(history[name] as unknown[]).push(value)
  }
}

/** The column of a loss or metric on validation data. */
export function validationColumn(name: string): string {
  return `val${name.charAt(0).toUpperCase()}${name.slice(1)}`
}
