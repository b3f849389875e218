/** What a study trains: a function of parameters, and what it is given. */
import type { Data } from '../../data/stream.js'
import type { FitOptions } from '../../model/callbacks.js'
import type { Model } from '../../model/model.js'
import type { History } from '../../train/history.js'
import type { ParameterRecord } from '../space/parameter.js'
import type { Params, ParamsOf } from '../space/space.js'

/** What the search says itself. */
export const ownOptions = ['epochs', 'initialEpoch', 'dir', 'name', 'resume', 'signal', 'threads'] as const

/** What the `fit` of a trial can be told: what the search does not say itself. */
export type TrialFitOptions<Values extends object> = Omit<
  FitOptions<Values>,
  Exclude<(typeof ownOptions)[number], 'epochs'>
>

/** What a trial's function is given. */
export interface TrialContext<Parameters extends ParameterRecord = ParameterRecord> {
  /** From 0, as trials are begun. */
  readonly number: number
  /** Typed by the space: `params.optimizer` is `{ name: 'adam', beta1 } | { name: 'nesterov', momentum }`. */
  readonly params: ParameterRecord extends Parameters ? Params : ParamsOf<Parameters>
  /** Epochs of a whole trial of this stage; null where the study has none. */
  readonly epochs: number | null
  /** A number of its own for each trial and fold, the same whoever trains it. */
  readonly seed: number
  /** Its own directory, for checkpoints and all else. What is there when it begins was left by the same trial. */
  readonly dir: string
  /** Whether it may have been begun before: then it goes on from what lies in `dir`, if anything does. */
  readonly resume: boolean
  /**
   * The checkpoint to begin with, of a study with `initial: 'best'` and of a trial that goes on from another; else null. `fit` takes
   * its weights, and of a trial that goes on from another the state of an optimizer of the same kind.
   */
  readonly initial: string | null
  /** Which of the study's folds, from 0. */
  readonly fold: number
  /** Threads that are its share of the machine. */
  readonly threads: number
  /** Fires when the trial is to end: its reason is a {@link TrialEnded}. */
  readonly signal: AbortSignal
  /**
   * Tells of the metric after an epoch. Without `epoch` in the record it is the one after the last that was told of.
   *
   * @throws {@link TrialEnded} when the trial pauses or ends; `signal` has fired by then
   */
  report(
    value: number,
    record?: { readonly epoch?: number | undefined; readonly [column: string]: unknown },
  ): Promise<void>
  /**
   * `model.fit` with the trial's directory, epochs, threads, signal and checkpoints; it goes on where the trial paused, reports
   * the study's metric after each epoch, and pauses and stops when told to.
   *
   * @throws {@link TrialEnded} likewise; whatever `model.fit` throws
   */
  fit<Values extends object>(
    model: Model<Values>,
    data: Data,
    options?: TrialFitOptions<Values>,
  ): Promise<History<Values>>
}

/**
 * Trains once with the parameters, and gives the metric; where `fit` was used it need not give any: then the value is that of
 * its best epoch.
 */
export type TrialFunction<Parameters extends ParameterRecord = ParameterRecord> = (
  context: TrialContext<Parameters>,
) => unknown

/** Why a trial is to end now, in its `signal` and out of its `report`. Who catches it cleans up and lets it go on its way. */
export class TrialEnded extends Error {
  /** `pause`: it goes on later, from its last checkpoint; `stop`: it does not; `lost`: another worker has it. */
  readonly how: 'pause' | 'stop' | 'lost'

  constructor(how: TrialEnded['how'], message: string) {
    super(message)
    this.name = 'TrialEnded'
    this.how = how
  }
}
