/** What `fit` can be told, and the checks on it. */
import { availableParallelism } from 'node:os'
import {
  checkBoolean,
  checkFunction,
  checkNotNegativeInteger,
  checkOptional,
  checkPath,
  checkPositive,
  checkPositiveInteger,
} from '../checks.js'
import type { Data } from '../data/stream.js'
import { describe, GradusError, invalidArgument } from '../errors.js'
import { anything, optionsOf } from '../options.js'
import * as factories from '../schedules/index.js'
import { checkUnit, type Schedule } from '../schedules/schedule.js'
import type { Callback, EpochContext } from './callback.js'
import { resolveCallbacks } from './callbacks.js'
import { type ClassWeights, checkClassWeights } from './class-weights.js'
import { longestSeconds } from './halt.js'
import type { AnyValues } from './history.js'
import { checkMonitor } from './monitor.js'
import type { TrainTarget } from './target.js'

export interface FitOptions<Values extends object = AnyValues, Model = unknown> {
  /** Number of the last epoch. Default 1. */
  epochs?: number
  /** Epochs done before, when a run goes on: training begins with the next. Default 0. */
  initialEpoch?: number
  /**
   * Examples in a batch; the last of an epoch may be smaller. Batches run across the ends of a stream's pieces. Default 32; of a
   * stream, each piece as it comes.
   */
  batchSize?: number
  /** Gradients of this many batches are averaged into one update. Default 1. */
  accumulate?: number
  /** Data to evaluate on after each epoch. */
  validation?: Data
  /** Or: the share of the examples, the last ones, kept out of training for that. */
  validationSplit?: number
  /** The order of the examples changes each epoch, by the model's seed. Default true; streams keep their order. */
  shuffle?: boolean
  /** The learning rate over time. Default: the optimizer's own, always. */
  schedule?: Schedule
  /** Momentum over time, of Adam and its kin beta1: low at first, high later. Default: the optimizer's own, always. */
  momentumSchedule?: Schedule
  /**
   * Decoupled weight decay over time; groups with their own keep it. A schedule that multiplies needs an optimizer with weight
   * decay. Default: the optimizer's own, always.
   */
  weightDecaySchedule?: Schedule
  /** Scales the whole gradient, regularisation included, down to this norm when it is longer. */
  clipNorm?: number
  /** Limits each element of the gradient to ± this, after `clipNorm`. */
  clipValue?: number
  /**
   * How much the examples of each class count in the loss: an array by class number, or a record by number or name; classes not
   * named count 1. `'balanced'`: examples / (classes · examples of the class), counted on the training data, so that each
   * class has the same share of the whole; for data in memory. Metrics count examples.
   */
  classWeights?: ClassWeights
  /**
   * The run directory, or with `name` the folder of all runs: what {@link monitor} records goes there, for `gradus watch` and `gradus diagnose`. Without a monitor
   * among the callbacks there is one with its defaults. Default: nothing is written.
   */
  dir?: string
  /** Makes a folder of its own for the run below `dir`: `mnist`, then `mnist-2`, …; `run.dir` tells which. */
  name?: string
  /**
   * Objects told of the run's events: `onTrainBegin`, `onEpochBegin`, `onStepsEnd` after some steps, `onEpochEnd` after
   * validation, `onTrainEnd`. A function is told of each finished epoch.
   */
  callbacks?: readonly (Callback<Values, Model> | ((context: EpochContext<Values, Model>) => unknown))[]
  /** Ends the run after the step it is in: `done` rejects with the signal's reason; the weights stay as they are. */
  signal?: AbortSignal
  /** Ends the run after so many seconds, counted from the call of `fit`: after the step it is in. Default: no limit. */
  maxSeconds?: number
  /** Steps in a row with a gradient that is not finite, after which training gives up. Default 10. */
  maxRefusedSteps?: number
  /**
   * Default and at most: all cores that the process may use. `GRADUS_THREADS` overrides the default and this. The results
   * are the same bits for any number.
   */
  threads?: number
  /** Updates done in one native call, between which callbacks are told. Default: as many as take about 50 ms. */
  stepsPerCall?: number
  /**
   * Looks at data and model first, as {@link sanityCheck} does, and ends the run with `GRADUS_SANITY_CHECK` if something is
   * wrong. Default false.
   */
  sanityCheck?: boolean
  /** Shows no progress. Default: false when standard error, where it is shown, is a terminal. */
  quiet?: boolean
}

/** Of data in memory; a stream brings its own. */
export const defaultBatchSize = 32

/** Of passes that do not train. */
export const passBatchSize = 256

export interface Settings extends Omit<FitOptions, 'callbacks' | 'classWeights'> {
  epochs: number
  initialEpoch: number
  accumulate: number
  shuffle: boolean
  maxRefusedSteps: number
  threads: number
  quiet: boolean
  callbacks: Callback[]
  /** As given; what they come to in numbers is known once the data are open. */
  givenClassWeights?: ClassWeights | undefined
  classWeights?: Float64Array | undefined
}

const readOptions = optionsOf<FitOptions>()(
  'fit',
  {
    epochs: [checkPositiveInteger, 1],
    initialEpoch: [checkNotNegativeInteger, 0],
    batchSize: checkPositiveInteger,
    accumulate: [checkPositiveInteger, 1],
    validation: anything,
    validationSplit: checkShare,
    shuffle: [checkBoolean, true],
    schedule: checkSchedule,
    momentumSchedule: checkSchedule,
    weightDecaySchedule: checkSchedule,
    clipNorm: checkPositive,
    clipValue: checkPositive,
    classWeights: anything,
    dir: checkPath,
    name: checkFolderName,
    callbacks: [checkCallbacks, []],
    signal: checkSignal,
    maxSeconds: checkSeconds,
    maxRefusedSteps: [checkPositiveInteger, 10],
    threads: checkPositiveInteger,
    stepsPerCall: checkPositiveInteger,
    sanityCheck: checkBoolean,
    quiet: checkBoolean,
  },
  ['data'],
)

/** The options with their defaults. Error: `GRADUS_INVALID_ARGUMENT` names the bad one. */
export function resolveFitOptions(target: TrainTarget, options: FitOptions): Settings {
  const read = readOptions(options)
  if (read.validationSplit !== undefined && read.validation !== undefined) {
    throw invalidArgument('validationSplit', 'no validation beside it', read.validationSplit)
  }
  checkMomentum(target, read)
  checkMonitors(target, read)
  checkName(read)
  return {
    ...read,
    quiet: read.quiet ?? !process.stderr.isTTY,
    threads: resolveThreads(read.threads),
    callbacks: resolveCallbacks(read.callbacks),
    classWeights: undefined,
    givenClassWeights: checkClassWeights(target, read.classWeights),
  }
}

function checkShare(argument: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0 && value < 1)) {
    throw invalidArgument(argument, 'a number between 0 and 1', value)
  }
  return value
}

function checkSeconds(argument: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0 && value <= longestSeconds)) {
    throw invalidArgument(argument, `a positive number up to ${longestSeconds}`, value)
  }
  return value
}

function checkFolderName(argument: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || /[/\\]|^\.+$/.test(value)) {
    throw invalidArgument(argument, 'the name of a folder, without slashes', value)
  }
  return value
}

function checkCallbacks(argument: string, value: unknown): NonNullable<FitOptions['callbacks']> {
  if (!Array.isArray(value)) throw invalidArgument(argument, 'an array', value)
  return value
}

function checkSchedule(argument: string, value: unknown): Schedule {
  const made = Object.entries(factories).find(([, factory]) => factory === value)
  if (made) {
    const message = `${argument}: expected a schedule, received function ${made[0]}; did you mean ${made[0]}({ … })?`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const schedule = checkFunction<Schedule>(argument, value)
  checkOptional(checkUnit, `${argument}.unit`, schedule.unit)
  return schedule
}

function checkName({ name, dir, initialEpoch = 0 }: FitOptions): void {
  if (name === undefined) return
  if (dir === undefined) throw invalidArgument('name', 'dir beside it, the folder of all runs', name)
  if (initialEpoch > 0) {
    throw invalidArgument('name', "none with initialEpoch; dir alone, as 'runs/mnist-2', goes on with a run", name)
  }
}

const schedules = ['schedule', 'momentumSchedule', 'weightDecaySchedule'] as const

function checkMomentum({ optimizer }: TrainTarget, { momentumSchedule }: FitOptions): void {
  if (momentumSchedule === undefined || optimizer.momentum !== undefined) return
  const message = `momentumSchedule: expected an optimizer with momentum, received ${optimizer.kind} without`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** Every column that somebody goes by is there. */
function checkMonitors(target: TrainTarget, options: FitOptions): void {
  const scheduled = (['momentum', 'weightDecay'] as const).filter((name) => options[`${name}Schedule`] !== undefined)
  const hasValidation = options.validation !== undefined || options.validationSplit !== undefined
  const check = (place: string, monitor: unknown) => {
    if (monitor !== undefined) checkMonitor(`${place}.monitor`, monitor, { target, hasValidation, scheduled })
  }
  for (const role of schedules) check(role, options[role]?.monitor)
  options.callbacks?.forEach((callback, i) => {
    if (typeof callback === 'object') check(`callbacks[${i}]`, callback?.monitor)
  })
}

/** The number of threads asked for: `GRADUS_THREADS`, else the option, else one a core. */
export function resolveThreads(threads: number | undefined): number {
  const forced = process.env.GRADUS_THREADS
  if (forced) return checkPositiveInteger('GRADUS_THREADS', Number(forced))
  return checkOptional(checkPositiveInteger, 'threads', threads) ?? availableParallelism()
}

export function checkSignal(argument: string, signal: unknown): AbortSignal {
  if (!(signal instanceof AbortSignal)) throw invalidArgument(argument, 'an AbortSignal', signal)
  return signal
}

/** @throws `GRADUS_INVALID_ARGUMENT` for x and y apart, as other libraries take them. */
export function checkTogether(owner: string, data: unknown, options: unknown): void {
  if (!Array.isArray(options) && !ArrayBuffer.isView(options)) return
  const received = `received ${describe(data)} and ${describe(options)}`
  const message = `${owner}: expected the data as { x, y } and then the options, ${received}; write ${owner}({ x, y }, { … })`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** What `evaluate` and `predict` take, for lists of options. */
export const passRules = {
  batchSize: [checkPositiveInteger, passBatchSize],
  threads: checkPositiveInteger,
  signal: checkSignal,
} as const
