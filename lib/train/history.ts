/** What a run leaves behind: one record an epoch, and the same by columns. */

/** What metrics give, each by its name. Of a model whose metrics are not known to the compiler: any names. */
export type AnyValues = { accuracy?: number | undefined; [metric: string]: number | number[][] | undefined }

/** `accuracy` on validation data: `valAccuracy`. */
type ValName<Name> = Name extends string ? `val${Capitalize<Name>}` : never

/** `valAccuracy` of the average of the weights: `averageValAccuracy`. */
type AverageName<Name> = `average${Capitalize<ValName<Name>>}`

/** As one object type, which is what editors show. */
type Shown<T> = { [K in keyof T]: T[K] }

type Epoch = {
  /** From 1. */
  epoch: number
  /** Mean data loss over the epoch's examples, each as it was when its batch was trained, weighted by their weights. */
  loss: number
  /** On validation data, where `fit` has any. */
  valLoss?: number | undefined
  /** Likewise, of the average of the weights, with `validateAverage`. */
  averageValLoss?: number | undefined
  /** The regularisers' term, mean over the updates. */
  regularizationLoss: number
  /** Of the last update. */
  learningRate: number
  /** Likewise, where it is scheduled. */
  momentum?: number | undefined
  /** Likewise. */
  weightDecay?: number | undefined
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
}

/**
 * One finished epoch. Metrics come under their names, on validation data with `val` before: `valAccuracy`, and of the average of
 * the weights `averageValAccuracy`. The values on validation data are there when `fit` has validation data and the run was not
 * stopped while it evaluated them; those of the average from when there is one on.
 */
export type EpochRecord<Values extends object = AnyValues> = Shown<
  Epoch & Values & { [K in keyof Values as ValName<K> | AverageName<K>]?: Values[K] }
>

type Columns<Record> = { [K in keyof Record]: Exclude<Record[K], undefined>[] }

type Ending = {
  /** Epochs finished by this run. */
  epochs: number
  /** `epochs` when all were done, else what ended the run: `stop`, `break`, `maxSeconds`, …; null while it runs. */
  stoppedBy: string | null
}

type AnyColumn = number[] | number[][][] | number | string | null | undefined

/** The records by columns: `history.loss[i]` is `loss` of the i-th epoch that was finished. */
export type History<Values extends object = AnyValues> = string extends keyof Values
  ? Shown<
      Ending &
        Columns<Omit<Epoch, 'epoch'>> & {
          accuracy?: number[] | undefined
          valAccuracy?: number[] | undefined
          averageValAccuracy?: number[] | undefined
        }
    > & {
      [column: string]: AnyColumn
    }
  : Shown<Ending & Columns<EpochRecord<Values>>>

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

/** The same of the average of the weights. */
export const averageColumn = (name: string): string => `averageV${validationColumn(name).slice(1)}`
