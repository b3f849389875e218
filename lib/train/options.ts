/** What `fit` can be told, and the checks on it. */
import {
  checkBoolean,
  checkFunction,
  checkNotNegativeInteger,
  checkOptional,
  checkPath,
  checkPositive,
  checkPositiveInteger,
  checkShare,
} from '../checks.js'
import { checkAugment } from '../data/augment.js'
import { GradusError, invalidArgument } from '../errors.js'
import { anything, optionsOf } from '../options.js'
import * as factories from '../schedules/index.js'
import { checkUnit, type Schedule } from '../schedules/schedule.js'
import { checkAugmentable } from './augmentable.js'
import type { Callback, EpochContext } from './callback.js'
import { resolveCallbacks } from './callbacks.js'
import { checkSignal, resolveThreads } from './calls.js'
import { checkClassWeights } from './class-weights.js'
import { longestSeconds } from './halt.js'
import type { AnyValues } from './history.js'
import { checkMonitor } from './monitor.js'
import { mayGoOn, mayGoOnThere, type Settings, type TrainingOptions } from './settings.js'
import type { TrainTarget } from './target.js'
import { asTold } from './told-to-go-on.js'

export interface FitOptions<Values extends object = AnyValues, Model = unknown> extends TrainingOptions {
  /**
   * Objects told of the run's events: `onTrainBegin`, `onEpochBegin`, `onStepsEnd` after some steps, `onEpochEnd` after
   * validation, `onTrainEnd`. A function is told of each finished epoch.
   */
  callbacks?: readonly (Callback<Values, Model> | ((context: EpochContext<Values, Model>) => unknown))[] | undefined
}

/** The options with their defaults, callbacks among them. */
export interface FitSettings extends Settings {
  readonly callbacks: readonly Callback[]
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
    validateAverage: checkBoolean,
    shuffle: [checkBoolean, true],
    augment: checkAugment,
    schedule: checkSchedule,
    momentumSchedule: checkSchedule,
    weightDecaySchedule: checkSchedule,
    clipNorm: checkPositive,
    clipValue: checkPositive,
    classWeights: anything,
    dir: checkPath,
    name: checkFolderName,
    resume: checkResume,
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
export function resolveFitOptions(target: TrainTarget, options: FitOptions): FitSettings {
  const read = asTold(readOptions(options))
  if (read.validationSplit !== undefined && read.validation !== undefined) {
    throw invalidArgument('validationSplit', 'no validation beside it', read.validationSplit)
  }
  checkMomentum(target, read)
  checkAverage(target, read)
  checkMonitors(target, read)
  if (read.augment) checkAugmentable(target, read.augment)
  checkName(read)
  checkGoingOn(read)
  return {
    ...read,
    quiet: read.quiet ?? !process.stderr.isTTY,
    threads: resolveThreads(read.threads),
    callbacks: resolveCallbacks(read.callbacks),
    classWeights: undefined,
    givenClassWeights: checkClassWeights(target, read.classWeights),
  }
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

function checkResume(argument: string, value: unknown): boolean | string {
  if (typeof value === 'boolean') return value
  if (typeof value === 'string' && value !== '') return value
  throw invalidArgument(argument, "true, 'must' or the path of a checkpoint", value)
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

function checkGoingOn(options: FitOptions): void {
  const { resume, dir, name, initialEpoch = 0 } = options
  if (!mayGoOn(options)) return
  if (dir === undefined) throw invalidArgument('resume', "dir beside it, the run's directory", resume)
  if (initialEpoch > 0) throw invalidArgument('initialEpoch', 'none with resume, which knows it', initialEpoch)
  if (name !== undefined && mayGoOnThere(options)) {
    throw invalidArgument('name', "none with resume; dir alone, as 'runs/mnist', goes on with a run", name)
  }
}

const schedules = ['schedule', 'momentumSchedule', 'weightDecaySchedule'] as const

function checkMomentum({ optimizer }: TrainTarget, { momentumSchedule }: FitOptions): void {
  if (momentumSchedule === undefined || optimizer.momentum !== undefined) return
  const message = `momentumSchedule: expected an optimizer with momentum, received ${optimizer.kind} without`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

const hasValidation = ({ validation, validationSplit }: FitOptions): boolean =>
  validation !== undefined || validationSplit !== undefined

function checkAverage({ optimizer }: TrainTarget, options: FitOptions): void {
  if (!options.validateAverage) return
  const example = 'adam({ average: averagedWeights() })'
  if (optimizer.average === undefined) {
    throw invalidArgument('validateAverage', `an optimizer that keeps an average, as ${example}`, true)
  }
  if (!hasValidation(options)) throw invalidArgument('validateAverage', 'validation or validationSplit beside it', true)
}

/** Every column that somebody goes by is there. */
function checkMonitors(target: TrainTarget, options: FitOptions): void {
  const scheduled = (['momentum', 'weightDecay'] as const).filter((name) => options[`${name}Schedule`] !== undefined)
  const run = { target, hasValidation: hasValidation(options), hasAverage: options.validateAverage ?? false, scheduled }
  const check = (place: string, monitor: unknown) => {
    if (monitor !== undefined) checkMonitor(`${place}.monitor`, monitor, run)
  }
  for (const role of schedules) check(role, options[role]?.monitor)
  options.callbacks?.forEach((callback, i) => {
    if (typeof callback === 'object') check(`callbacks[${i}]`, callback?.monitor)
  })
}
