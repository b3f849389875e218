import type { Data } from '../data/stream.js'
import type { TrainResult } from '../native.js'
import type { EpochRecord, History } from './history.js'
import type { Settings } from './options.js'
import type { Source } from './source.js'
import type { TrainTarget } from './target.js'

/** What a callback is told. */
export interface CallbackContext {
  /** The model under training; between steps, so that it can be read and evaluated. */
  readonly target: TrainTarget
  /** The running or just finished epoch, from 1; `initialEpoch` before the first. */
  readonly epoch: number
  /** Number of the last epoch. */
  readonly epochs: number
  /** The epochs finished so far. */
  readonly history: History
  /** The column that is watched unless another is named: `valLoss`, or `loss` without validation. */
  readonly defaultColumn: 'loss' | 'valLoss'
  /** In `onEpochEnd`: the finished epoch. */
  readonly record?: EpochRecord
  /** In `onStepsEnd`: the updates since the last call. */
  readonly steps?: StepsReport
  /** In `onTrainEnd`: `epochs`, the reason given to `stop`, `abort` or `error`. */
  readonly stoppedBy?: string
  /** In `onTrainEnd`: what ended the run, when it was an error or an abort. */
  readonly error?: unknown
  /** @internal What `fit` was told, and the examples in native memory; null when the run ends before it has them. */
  readonly call: FitCall | null
  /** Ends the run: after this epoch, or after this step when called in `onStepsEnd`. The first reason given counts. */
  stop(reason?: string): void
}

/** @internal */
export interface FitCall {
  readonly settings: Settings
  readonly data: Data
  readonly training: Source
  readonly validation: Source | null
}

/** Updates done in one native call, as columns with one entry an update. */
export interface StepsReport extends TrainResult {
  /** Number of the first, from 0. */
  readonly firstStep: number
  /** One an accepted update. */
  readonly learningRates: Float64Array
  /** Likewise, where they are scheduled. */
  readonly momenta?: Float64Array
  readonly weightDecays?: Float64Array
  /** Examples of this epoch trained so far, and all of them (null for a stream). */
  readonly rowsDone: number
  readonly rowsTotal: number | null
}

/**
 * An object told of a run's events. Each function may be async: the run waits for it. One that throws ends the run with
 * its error. An object can be used for several runs, one after the other.
 */
export interface Callback {
  /**
   * Looks at the layers every so many steps; what is seen comes in `steps.inspections`, laid out as the program's
   * `inspection` says. All callbacks of a run see the same: at all the steps that any of them asks for, evenly (with 4 and 6 at
   * every second one), with histograms if one wants them.
   */
  inspections?: { every: number; histograms: boolean }
  /** A column of the records that it goes by: `fit` makes sure that there is one of this name. */
  readonly monitor?: string | undefined
  onTrainBegin?(context: CallbackContext): void | Promise<void>
  onEpochBegin?(context: CallbackContext): void | Promise<void>
  /** After each native call of about 50 ms; see `stepsPerCall`. */
  onStepsEnd?(context: CallbackContext): void | Promise<void>
  /** After validation. */
  onEpochEnd?(context: CallbackContext): void | Promise<void>
  /** However the run ends, once `onTrainBegin` was told. */
  onTrainEnd?(context: CallbackContext): void | Promise<void>
}
