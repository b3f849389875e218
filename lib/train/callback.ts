import type { Data } from '../data/stream.js'
import type { NativeSnapshot, TrainResult } from '../native.js'
import type { Lineage } from './extensions.js'
import type { AnyValues, EpochRecord, History } from './history.js'
import type { RunFolder } from './run-folder.js'
import type { RunState } from './run-state.js'
import type { Settings } from './settings.js'
import type { Source } from './source.js'
import type { TrainTarget } from './target.js'

/** What every event tells. */
export interface RunContext<Values extends object = AnyValues, Model = unknown> {
  /** The model under training; between steps, so that it can be read, saved and evaluated. */
  readonly model: Model
  /** The running or just finished epoch, from 1; `initialEpoch` before the first. */
  readonly epoch: number
  /** Number of the last epoch. */
  readonly epochs: number
  /** The epochs finished so far. */
  readonly history: History<Values>
  /** The column that is watched unless another is named: `valLoss`, or `loss` without validation. */
  readonly defaultColumn: 'loss' | 'valLoss'
  /** @internal The model, as training sees it. */
  readonly target: TrainTarget
  /** @internal What `fit` was told, and the examples in native memory. */
  readonly call: FitCall
  /** Ends the run: after this epoch, or after this step when called in `onStepsEnd`. The first reason given counts. */
  stop(reason?: string): void
}

/** In `onStepsEnd`. */
export interface StepsContext<Values extends object = AnyValues, Model = unknown> extends RunContext<Values, Model> {
  /** The updates since the last call. */
  readonly steps: StepsReport
}

/** In `onEpochEnd`. */
export interface EpochContext<Values extends object = AnyValues, Model = unknown> extends RunContext<Values, Model> {
  /** The finished epoch. */
  readonly record: EpochRecord<Values>
}

/** In `onTrainEnd`. */
export interface EndContext<Values extends object = AnyValues, Model = unknown> extends RunContext<Values, Model> {
  /** `epochs`, the reason given to `stop`, `abort` or `error`. */
  readonly stoppedBy: string
  /** What ended the run, when it was an error or an abort. */
  readonly error?: unknown
}

/** @internal */
export interface FitCall {
  readonly settings: Settings
  readonly data: Data
  readonly training: Source
  readonly validation: Source | null
  /** Of `dir`, which the run has for itself until all callbacks have been told of its end; null without. */
  readonly folder: RunFolder | null
  /** Whether the run goes on with one before. */
  readonly goesOn: boolean
  /** Of a run that makes checkpoints or goes on from one. */
  readonly lineage: Lineage | null
  /** Ends the run after the step or batch it is in; it can go on later. */
  interrupt(reason: string): void
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
  /** How much of the average of the weights each kept, where an average follows updates. */
  readonly averageDecays?: Float64Array
  /** Examples of this epoch trained so far, and all of them (null for a stream). */
  readonly rowsDone: number
  readonly rowsTotal: number | null
}

/** What a callback wants of a run. */
export interface Wishes {
  /**
   * Looks at the layers every so many steps; what is seen comes in `steps.inspections`, laid out as the program's
   * `inspection` says. All callbacks of a run see the same: at all the steps that any of them asks for, evenly (with 4 and 6 at
   * every second one), with histograms if one wants them.
   */
  inspections?: { every: number; histograms: boolean } | undefined
}

/** @internal A moment between two native calls. */
export interface Moment {
  /** `steps`: within an epoch; `epoch`: one is finished, and every callback has been told of it; `end`: the run is over. */
  readonly kind: 'steps' | 'epoch' | 'end'
  /** Finished epochs, examples of the one under way, and updates since the model was made. */
  readonly epochs: number
  readonly rows: number
  readonly step: number
  /** Of the last finished epoch. */
  readonly record: EpochRecord | null
}

/** @internal Writes checkpoints. What makes one lies above training. */
export interface Keeper {
  isDue(moment: Moment): boolean | Promise<boolean>
  /**
   * Takes the state, and resolves when training may go on.
   *
   * @param take - gives the state of this moment; the native part in the memory of an earlier one, if there is one
   * @param recorded - resolves when what callbacks have recorded up to this moment lies on the disk
   */
  keep(moment: Moment, take: (into?: NativeSnapshot) => Promise<RunState>, recorded: Promise<unknown>): Promise<void>
  /** The checkpoint that the run can go on from now, once all that is being written is there; null where there is none. */
  last(): Promise<string | null>
  /** After every `onTrainEnd`: resolves when everything is written, or throws why it could not be. */
  close(): Promise<void>
  /** When the run's directory is closed as well: a signal that has ended the run goes its way. */
  release(): void
}

type Told<Result = void> = Result | Promise<Result>

/**
 * An object told of a run's events. Each function may be async: the run waits for it. One that throws ends the run with
 * its error. An object can be used for several runs, one after the other.
 *
 * What it remembers from epoch to epoch it gives to checkpoints by `state`, and takes back by `restore` when a run goes on.
 *
 * @example
 * let best = Infinity
 * const telling = {
 *   name: 'telling',
 *   state: () => best,
 *   restore: (state) => { best = state },
 *   onTrainBegin: () => { best = Infinity },
 *   onEpochEnd({ record: { loss } }) { if (loss < best) console.log('better', (best = loss)) },
 * }
 */
export interface Callback<Values extends object = AnyValues, Model = unknown> {
  /** Under which checkpoints keep what it remembers. A second one of a name counts as `name#2`. Default `callback`. */
  readonly name?: string | undefined
  /** A column of the records that it goes by: `fit` makes sure that there is one of this name. */
  readonly monitor?: string | undefined
  /** @internal */
  readonly keeper?: Keeper
  /**
   * What it remembers of the run so far, for a checkpoint: plain values and typed arrays, at most 50 deep, copied. One that
   * remembers something and has no `state` and `restore` begins anew when a run goes on.
   */
  state?(): unknown
  /** Of a run that goes on, after every `onTrainBegin`: what `state` gave when the checkpoint was written. */
  restore?(state: unknown): Told
  /** May give back what it wants of the run. */
  onTrainBegin?(context: RunContext<Values, Model>): Told<unknown>
  onEpochBegin?(context: RunContext<Values, Model>): Told
  /** After each native call of about 50 ms; see `stepsPerCall`. */
  onStepsEnd?(context: StepsContext<Values, Model>): Told
  /** Just before a checkpoint is written: what has been recorded so far must lie on the disk before the checkpoint does. */
  onCheckpoint?(context: RunContext<Values, Model>): Told
  /** After validation. */
  onEpochEnd?(context: EpochContext<Values, Model>): Told<unknown>
  /** However the run ends, once `onTrainBegin` was told. */
  onTrainEnd?(context: EndContext<Values, Model>): Told
}
