/** What `fit` can be told, and the checks on it. */
import { availableParallelism } from 'node:os'
import {
  checkBoolean,
  checkFunction,
  checkOptional,
  checkOptions,
  checkPositive,
  checkPositiveInteger,
} from '../checks.js'
import type { Data } from '../data/stream.js'
import { describe, GradusError, invalidArgument } from '../errors.js'
import { checkUnit, type Schedule } from '../schedules/schedule.js'
import { nearest } from '../suggest.js'
import type { Callback, EpochContext } from './callback.js'
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

const fitOptions = [
  ...['epochs', 'initialEpoch', 'batchSize', 'accumulate', 'validation', 'validationSplit', 'shuffle', 'schedule'],
  ...['clipNorm', 'clipValue', 'classWeights', 'callbacks', 'signal', 'maxRefusedSteps', 'threads', 'stepsPerCall'],
  ...['sanityCheck', 'quiet', 'momentumSchedule', 'weightDecaySchedule', 'dir', 'name', 'maxSeconds'],
]

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

/** The options with their defaults. Error: `GRADUS_INVALID_ARGUMENT` names the bad one. */
export function resolveFitOptions(target: TrainTarget, options: FitOptions): Settings {
  checkOptions('options', options, fitOptions)
  const { epochs = 1, initialEpoch = 0, accumulate = 1, shuffle = true, maxRefusedSteps = 10 } = options
  const { quiet = !process.stderr.isTTY } = options
  checkPositiveInteger('epochs', epochs)
  if (!Number.isSafeInteger(initialEpoch) || initialEpoch < 0) {
    throw invalidArgument('initialEpoch', 'a whole number from 0 up', initialEpoch)
  }
  checkPositiveInteger('accumulate', accumulate)
  checkBoolean('shuffle', shuffle)
  checkBoolean('quiet', quiet)
  checkOptional(checkBoolean, 'sanityCheck', options.sanityCheck)
  checkOptional(checkSignal, 'signal', options.signal)
  checkPositiveInteger('maxRefusedSteps', maxRefusedSteps)
  if (options.maxSeconds !== undefined && !(options.maxSeconds > 0 && options.maxSeconds <= longestSeconds)) {
    throw invalidArgument('maxSeconds', `a positive number up to ${longestSeconds}`, options.maxSeconds)
  }
  checkOptional(checkPositiveInteger, 'batchSize', options.batchSize)
  checkOptional(checkPositiveInteger, 'stepsPerCall', options.stepsPerCall)
  checkOptional(checkPositive, 'clipNorm', options.clipNorm)
  checkOptional(checkPositive, 'clipValue', options.clipValue)
  const { validation, validationSplit } = options
  if (validationSplit !== undefined) {
    if (!(validationSplit > 0 && validationSplit < 1)) {
      throw invalidArgument('validationSplit', 'a number between 0 and 1', validationSplit)
    }
    if (validation !== undefined) throw invalidArgument('validationSplit', 'no validation beside it', validationSplit)
  }
  checkSchedules(target, options)
  checkMonitors(target, options)
  if (options.dir !== undefined && (typeof options.dir !== 'string' || options.dir === '')) {
    throw invalidArgument('dir', 'a path', options.dir)
  }
  checkName(options)
  return {
    ...options,
    epochs,
    initialEpoch,
    accumulate,
    shuffle,
    maxRefusedSteps,
    quiet,
    threads: resolveThreads(options.threads),
    callbacks: resolveCallbacks(options.callbacks ?? []),
    classWeights: undefined,
    givenClassWeights: checkClassWeights(target, options.classWeights),
  }
}

function checkName({ name, dir, initialEpoch = 0 }: FitOptions): void {
  if (name === undefined) return
  if (typeof name !== 'string' || name === '' || /[/\\]|^\.+$/.test(name)) {
    throw invalidArgument('name', 'the name of a folder, without slashes', name)
  }
  if (dir === undefined) throw invalidArgument('name', 'dir beside it, the folder of all runs', name)
  if (initialEpoch > 0) {
    throw invalidArgument('name', "none with initialEpoch; dir alone, as 'runs/mnist-2', goes on with a run", name)
  }
}

const schedules = ['schedule', 'momentumSchedule', 'weightDecaySchedule'] as const

function checkSchedules({ optimizer }: TrainTarget, options: FitOptions): void {
  for (const name of schedules) {
    const schedule = checkOptional(checkFunction<Schedule>, name, options[name])
    checkOptional(checkUnit, `${name}.unit`, schedule?.unit)
  }
  if (options.momentumSchedule === undefined || optimizer.momentum !== undefined) return
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

function resolveCallbacks(callbacks: NonNullable<FitOptions['callbacks']>): Callback[] {
  if (!Array.isArray(callbacks)) throw invalidArgument('callbacks', 'an array', callbacks)
  return callbacks.map((callback, i) => {
    if (typeof callback === 'function') return { onEpochEnd: checkListener(`callbacks[${i}]`, callback) }
    if (typeof callback !== 'object' || callback === null) {
      throw invalidArgument(`callbacks[${i}]`, 'an object or a function', callback)
    }
    checkEvents(`callbacks[${i}]`, callback)
    return callback
  })
}

/** A function is told of epochs; not so one that only makes what is told, or a schedule. */
function checkListener<Listener extends { name: string }>(place: string, listener: Listener): Listener {
  if ('plot' in listener || 'observe' in listener) {
    const message = `${place}: expected a callback, received a schedule; give it to fit as schedule: { schedule: … }`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  if (!makers.includes(listener.name)) return listener
  const message = `${place}: received the function ${listener.name}; did you mean ${listener.name}()?`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

const makers = ['earlyStopping', 'monitor', 'tensorboard']

const events = ['onTrainBegin', 'onEpochBegin', 'onStepsEnd', 'onEpochEnd', 'onTrainEnd'] as const

/** What others call the events there are. */
const foreignEvents: Readonly<Record<string, string>> = {
  onBatchBegin: 'onStepsEnd tells of steps, when some are done',
  onBatchEnd: 'onStepsEnd tells of steps',
  onStepEnd: 'onStepsEnd tells of steps',
  onTrainBatchEnd: 'onStepsEnd tells of steps',
  onYield: 'onStepsEnd tells of steps',
  onValidationEnd: 'onEpochEnd comes after validation',
  onTestEnd: 'onEpochEnd comes after validation',
  onTrainStart: 'onTrainBegin tells of the begin',
  onEpochStart: 'onEpochBegin tells of the begin',
  onTrainEpochEnd: 'onEpochEnd tells of epochs',
}

/** Everything that is called like an event is one, and a function. */
function checkEvents(place: string, callback: Callback): void {
  for (const event of events) checkOptional(checkFunction, `${place}.${event}`, callback[event])
  // Methods of classes are not among an object's own keys.
  for (let object: object | null = callback; object && object !== Object.prototype; ) {
    for (const name of Object.getOwnPropertyNames(object)) {
      if (!/^on_?[A-Z]|^on_/.test(name) || events.some((event) => event === name)) continue
      const meant = nearest(name, events)
      const hint = foreignEvents[name] ?? (meant ? `did you mean ${meant}?` : `there are ${events.join(', ')}`)
      throw new GradusError('GRADUS_INVALID_ARGUMENT', `${place}: there is no event ${JSON.stringify(name)}; ${hint}`)
    }
    object = Object.getPrototypeOf(object)
  }
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

/** What `evaluate` and `predict` take. */
export function checkPassOptions(options: unknown): void {
  checkOptions('options', options, ['batchSize', 'threads', 'signal'])
  checkOptional(checkSignal, 'signal', (options as { signal?: unknown }).signal)
}
