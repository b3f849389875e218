/** A study as it is defined: what is searched, by what, and how much. */
import { factory } from '../../call.js'
import {
  checkBoolean,
  checkFunction,
  checkNotNegativeInteger,
  checkPositive,
  checkPositiveInteger,
  checkSeed,
  checkText,
  oneOf,
} from '../../checks.js'
import { GradusError, invalidArgument } from '../../errors.js'
import { needed, optionsOf } from '../../options.js'
import { settled } from '../../settled.js'
import type { Pruner } from '../pruners/pruner.js'
import { auto } from '../samplers/auto.js'
import { random } from '../samplers/random.js'
import type { Direction, Sampler } from '../samplers/sampler.js'
import type { ParameterRecord } from '../space/parameter.js'
import { checkSpace, type Space } from '../space/space.js'
import { checkStages, type Stage, type StageOptions } from './stage.js'
import type { TrialFunction } from './trial-function.js'

export interface StudyOptions<Parameters extends ParameterRecord = ParameterRecord> {
  /** What may vary: parameters by their names. */
  space: Parameters | Space<Parameters>
  /** Trains once; see {@link TrialFunction}. */
  trial: TrialFunction<Parameters>
  /** The column of an epoch's record by which trials are compared, such as `valAccuracy`; of own objectives any name. */
  metric: string
  direction: Direction
  /** Epochs of a whole trial; needed by pruners. Default: the trial decides, and `fit` is told. */
  epochs?: number | undefined
  /** Trials in all. Default 100; of a study with stages their sum. */
  trials?: number | undefined
  /** Default: {@link auto}, with stages {@link random}. */
  sampler?: Sampler | undefined
  /** Ends or pauses trials that are worse than others at the same epoch. Default: none. */
  pruner?: Pruner | undefined
  /** From coarse to fine: a few epochs in wide ranges, then more in those of the best. Default: one, of all trials. */
  stages?: readonly StageOptions[] | undefined
  /** Of everything that is drawn; 0 to 2⁵³ − 1. Default 0. */
  seed?: number | undefined
  /** Runs each trial so many times, told by `fold`; its value is their mean. Default 1: one validation set. */
  folds?: number | undefined
  /** Whether a finite space may give parameters that a trial has had. Default false: the search ends when all are taken. */
  repeats?: boolean | undefined
  /** How often a trial is taken over from workers that died before it counts as lost. Default 3. */
  retries?: number | undefined
  /** Which checkpoints of finished trials stay: of the ten best trials, or of all. Default `'best'`. */
  keep?: 'best' | 'all' | undefined
  /**
   * The same trials on any number of workers: trial n waits for the results of those below n − `parallel`, and takes the
   * others as pending. Not with a pruner. Default false.
   */
  reproducible?: boolean | undefined
  /** With `reproducible`: trials at the same time at most. Default 4. */
  parallel?: number | undefined
  /** Seconds without a report after which a trial fails. Default: it is shown as stuck, and goes on. */
  timeout?: number | undefined
  /** `'best'`: trials of a later stage begin with the weights of the best trial before. Default: their own. */
  initial?: 'best' | undefined
  /**
   * Files that trials need, by paths from the study's file on: workers of a queue that do not have them get them from the master.
   * Default none.
   */
  files?: readonly string[] | undefined
  /** Folders of studies whose results count here as well, where their parameters fit the space. Default none. */
  startFrom?: readonly string[] | undefined
}

/** Made by {@link defineStudy}: the options with their defaults, checked. */
export interface StudyDefinition<Parameters extends ParameterRecord = ParameterRecord> {
  readonly space: Space<Parameters>
  readonly trial: TrialFunction<Parameters>
  readonly metric: string
  readonly direction: Direction
  readonly epochs: number | null
  readonly trials: number
  readonly sampler: Sampler
  readonly pruner: Pruner | null
  readonly stages: readonly Stage[] | null
  readonly seed: number
  readonly folds: number
  readonly repeats: boolean
  readonly retries: number
  readonly keep: 'best' | 'all'
  readonly reproducible: boolean
  readonly parallel: number
  readonly timeout: number | null
  readonly initial: 'best' | null
  readonly files: readonly string[]
  readonly startFrom: readonly string[]
}

function checkSampler(argument: string, value: unknown): Sampler {
  const { name, suggest } = (value ?? {}) as Partial<Sampler>
  if (typeof name === 'string' && typeof suggest === 'function') return value as Sampler
  throw invalidArgument(argument, 'a sampler, such as random() or tpe()', value)
}

function checkPruner(argument: string, value: unknown): Pruner {
  const { name, afterReport } = (value ?? {}) as Partial<Pruner>
  if (typeof name === 'string' && typeof afterReport === 'function') return value as Pruner
  throw invalidArgument(argument, 'a pruner, such as asha() or median()', value)
}

function checkFolders(argument: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw invalidArgument(argument, 'a list of folders', value)
  return Object.freeze(value.map((one, i) => checkText(`${argument}[${i}]`, one)))
}

/** Below the folder of the study's file: they come to the same place elsewhere. */
function checkFiles(argument: string, value: unknown): readonly string[] {
  const files = Array.isArray(value) ? value : [value]
  const isBelow = (path: unknown) =>
    typeof path === 'string' &&
    path !== '' &&
    !path.split(/[\\/]/).some((name) => name === '..' || name === '') &&
    !/^[a-z]:/i.test(path)
  if (Array.isArray(value) && files.every(isBelow)) return Object.freeze([...files])
  throw invalidArgument(
    argument,
    "a list of paths such as 'data/train.csv', below the folder of the study's file",
    value,
  )
}

const readOptions = optionsOf<StudyOptions>()('defineStudy', {
  space: needed((place, value) => checkSpace(value as ParameterRecord, place)),
  trial: needed(checkFunction<TrialFunction>),
  metric: needed(checkText),
  direction: needed(oneOf('minimize', 'maximize')),
  epochs: checkPositiveInteger,
  trials: checkPositiveInteger,
  sampler: checkSampler,
  pruner: checkPruner,
  stages: checkStages,
  seed: [checkSeed, 0],
  folds: [checkPositiveInteger, 1],
  repeats: [checkBoolean, false],
  retries: [checkNotNegativeInteger, 3],
  keep: [oneOf('best', 'all'), 'best'],
  reproducible: [checkBoolean, false],
  parallel: [checkPositiveInteger, 4],
  timeout: checkPositive,
  initial: oneOf('best'),
  files: [checkFiles, []],
  startFrom: [checkFolders, []],
})

const definitions = new WeakSet<object>()

/** Whether {@link defineStudy} of this copy of Gradus has made it. */
export const isStudyDefinition = (value: unknown): value is StudyDefinition =>
  typeof value === 'object' && value !== null && definitions.has(value)

/**
 * A study: a space, a function that trains once, and how the search goes. What a study file exports by default, and what
 * {@link createStudy} takes. (CS231n, "Hyperparameter optimization".)
 *
 * @throws `GRADUS_INVALID_ARGUMENT` naming the option: a space that cannot be, a sampler that cannot search it, options that
 * exclude one another
 * @example
 * export default defineStudy({
 *   metric: 'valAccuracy', direction: 'maximize', epochs: 20, trials: 60,
 *   space: { learningRate: logUniform(1e-5, 1), hidden: integer(32, 512, { log: true }) },
 *   trial: ({ params, fit }) => fit(build(params), train, { validation, batchSize: 128 }),
 * })
 * @function
 */
export const defineStudy = factory(
  'defineStudy',
  1,
  <const Parameters extends ParameterRecord>(options: StudyOptions<Parameters>): StudyDefinition<Parameters> => {
    const read = readOptions(options as unknown as StudyOptions)
    const { space, stages = null, sampler, pruner = null } = read
    const definition = {
      ...read,
      ...{ stages, pruner, epochs: read.epochs ?? null, timeout: read.timeout ?? null, initial: read.initial ?? null },
      sampler: sampler ?? (stages ? random() : auto()),
      trials: stages ? stages.reduce((sum, { trials }) => sum + trials, 0) : (read.trials ?? 100),
    }
    checkTogether(read, definition.pruner)
    definition.sampler.check?.(space as Space)
    const made = settled(definition, 'define another study') as unknown as StudyDefinition<Parameters>
    definitions.add(made)
    return made
  },
)

/** Options that exclude one another, or need one another. */
function checkTogether(read: ReturnType<typeof readOptions>, pruner: Pruner | null): void {
  const { stages, epochs, trials, folds, reproducible, initial } = read
  const refuse = (argument: string, expected: string, value: unknown): never => {
    throw invalidArgument(argument, expected, value)
  }
  if (stages && trials !== undefined) refuse('trials', 'none beside stages, which have their own', trials)
  if (stages && epochs !== undefined) refuse('epochs', 'none beside stages, which have their own', epochs)
  if (initial !== undefined && !stages) refuse('initial', 'stages beside it', initial)
  if (pruner && !stages && epochs === undefined)
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `epochs: expected a number, as ${pruner.name} judges by epochs`)
  if (pruner && folds > 1) refuse('folds', 'one beside a pruner, as folds are reported one by one', folds)
  if (pruner && reproducible)
    refuse('reproducible', 'false beside a pruner, whose decisions depend on who reports first', reproducible)
}
