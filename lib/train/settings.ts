/** What a run is told, given and resolved. */
import type { Augmentation } from '../data/augment.js'
import type { Data } from '../data/stream.js'
import type { Schedule } from '../schedules/schedule.js'
import type { ClassWeights } from './class-weights.js'

/** What `fit` can be told, but for its callbacks. */
export interface TrainingOptions {
  /** Number of the last epoch. Default 1. */
  epochs?: number | undefined
  /** Epochs done before, when a run goes on: training begins with the next. Default 0. */
  initialEpoch?: number | undefined
  /**
   * Examples in a batch; the last of an epoch may be smaller. Batches run across the ends of a stream's pieces. Default 32; of a
   * stream, each piece as it comes.
   */
  batchSize?: number | undefined
  /** Gradients of this many batches are averaged into one update. Default 1. */
  accumulate?: number | undefined
  /** Data to evaluate on after each epoch. */
  validation?: Data | undefined
  /** Or: the share of the examples, the last ones, kept out of training for that. */
  validationSplit?: number | undefined
  /**
   * Evaluates the average of the weights on the validation data as well, from when there is one on: `averageValLoss`,
   * `averageValAccuracy`, …, by which callbacks and schedules can go too. Needs an optimizer with `average`. Default false.
   */
  validateAverage?: boolean | undefined
  /** The order of the examples changes each epoch, by the model's seed. Default true; streams keep their order. */
  shuffle?: boolean | undefined
  /**
   * How images are changed on their way into batches, one after the other: {@link randomCrop}, {@link randomFlip},
   * {@link alternatingFlip}, {@link randomAffine}, {@link cutout}, {@link colorJitter}, {@link mixup}, {@link cutmix}. In training
   * alone: never in validation. For a model with one input of shape [height, width, channels], on the processor. What becomes of an
   * example follows from the model's seed, the transform's place in the list, the epoch and the example's row, so that neither batch
   * size nor threads, order or going on change it. Default: none.
   */
  augment?: readonly Augmentation[] | undefined
  /** The learning rate over time. Default: the optimizer's own, always. */
  schedule?: Schedule | undefined
  /** Momentum over time, of Adam and its kin beta1: low at first, high later. Default: the optimizer's own, always. */
  momentumSchedule?: Schedule | undefined
  /**
   * Decoupled weight decay over time; groups with their own keep it. A schedule that multiplies needs an optimizer with weight
   * decay. Default: the optimizer's own, always.
   */
  weightDecaySchedule?: Schedule | undefined
  /** Scales the whole gradient, regularisation included, down to this norm when it is longer. */
  clipNorm?: number | undefined
  /** Limits each element of the gradient to ± this, after `clipNorm`. */
  clipValue?: number | undefined
  /**
   * How much the examples of each class count in the loss: an array by class number, or a record by number or name; classes not
   * named count 1. `'balanced'`: examples / (classes · examples of the class), counted on the training data, so that each
   * class has the same share of the whole; for data in memory. Metrics count examples.
   */
  classWeights?: ClassWeights | undefined
  /**
   * The run directory, or with `name` the folder of all runs: what {@link monitor} records goes there, for `gradus watch` and `gradus diagnose`. Without a monitor
   * among the callbacks there is one with its defaults. Default: nothing is written.
   */
  dir?: string | undefined
  /** Makes a folder of its own for the run below `dir`: `mnist`, then `mnist-2`, …; `run.dir` tells which. */
  name?: string | undefined
  /**
   * Goes on with the run in `dir` from its newest checkpoint, to the bits that it would have had. True: where there is one, else
   * begins; `'must'`: is not content to begin; a path of a checkpoint or of another run's directory: begins a new run in `dir`
   * from there. The history holds the earlier epochs, iterating gives them first. What decides the numbers must be the same: model,
   * loss, optimizer, data, batches, schedules. A {@link checkpoint} with its defaults is among the callbacks if none is. Default
   * false.
   */
  resume?: boolean | 'must' | (string & {}) | undefined
  /** Ends the run after the step it is in: `done` rejects with the signal's reason; the weights stay as they are. */
  signal?: AbortSignal | undefined
  /** Ends the run after so many seconds, counted from the call of `fit`: after the step it is in. Default: no limit. */
  maxSeconds?: number | undefined
  /** Steps in a row with a gradient that is not finite, after which training gives up. Default 10. */
  maxRefusedSteps?: number | undefined
  /**
   * Default and at most: all cores that the process may use. `GRADUS_THREADS` overrides the default and this. The results
   * are the same bits for any number.
   */
  threads?: number | undefined
  /** Updates done in one native call, between which callbacks are told. Default: as many as take about 50 ms. */
  stepsPerCall?: number | undefined
  /**
   * Looks at data and model first, as {@link sanityCheck} does, and ends the run with `GRADUS_SANITY_CHECK` if something is
   * wrong. Default false.
   */
  sanityCheck?: boolean | undefined
  /** Shows no progress. Default: false when standard error, where it is shown, is a terminal. */
  quiet?: boolean | undefined
}

/** Whether it may go on with the run that is in `dir` already. */
export const mayGoOnThere = ({ resume }: Pick<TrainingOptions, 'resume'>): boolean =>
  resume === true || resume === 'must'

/** Whether it may go on with any. */
export const mayGoOn = ({ resume }: Pick<TrainingOptions, 'resume'>): boolean =>
  resume !== undefined && resume !== false

/** The same with its defaults. */
export interface Settings extends Omit<TrainingOptions, 'classWeights'> {
  epochs: number
  initialEpoch: number
  accumulate: number
  shuffle: boolean
  maxRefusedSteps: number
  threads: number
  quiet: boolean
  /** As given; what they come to in numbers is known once the data are open. */
  givenClassWeights?: ClassWeights | undefined
  classWeights?: Float64Array | undefined
}
