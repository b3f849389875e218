/** How well a kind of model does on examples that it has not seen, by holding out each part of the data once. */
import { inspect } from 'node:util'
import { checkBoolean, checkFunction, checkPositiveInteger, checkSeed } from '../checks.js'
import { Dataset } from '../data/dataset.js'
import type { Examples } from '../data/examples.js'
import { foldRows } from '../data/folds.js'
import { checkGroups, type Groups } from '../data/partition.js'
import { classesOf, countRows, takeExamples, withClasses } from '../data/split.js'
import { type Data, isStream } from '../data/stream.js'
import { GradusError, invalidArgument } from '../errors.js'
import { anything, optionsOf } from '../options.js'
import { checkSignal } from '../train/calls.js'
import type { Evaluation } from '../train/evaluate.js'
import { short } from '../words.js'
import type { FitOptions } from './callbacks.js'
import { Model } from './model.js'

export interface CrossValidateOptions {
  /** Parts of the data, from 2 up. Default 5. */
  folds?: number | undefined
  /** Each fold has the same share of each class, to within one row. Default false. */
  stratify?: boolean | undefined
  /** One number or word for each example, such as the patient it is of: examples of one group lie in the same fold. */
  groupBy?: Groups | undefined
  /** False: folds are stretches of the examples as they lie. Default true. */
  shuffle?: boolean | undefined
  /** Of the folds' rows; 0 to 2⁵³ − 1. Default 0. */
  seed?: number | undefined
  /** How many examples there are; needed only where the shapes do not tell. */
  rows?: number | undefined
  /** What `fit` is told in each fold; it is quiet unless told otherwise. A function is called with the fold's number, from 0. */
  fit?: FitOptions | ((fold: number) => FitOptions) | undefined
  /** Told of each fold when it is done. */
  onFold?: ((progress: { fold: number; folds: number; evaluation: Evaluation }) => void) | undefined
  /** Ends the call after the step it is in; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

const readOptions = optionsOf<CrossValidateOptions>()(
  'crossValidate',
  {
    folds: [checkFolds, 5],
    stratify: [checkBoolean, false],
    groupBy: anything<Groups | undefined>,
    shuffle: [checkBoolean, true],
    seed: [checkSeed, 0],
    rows: checkPositiveInteger,
    fit: anything<CrossValidateOptions['fit']>,
    onFold: checkFunction,
    signal: checkSignal,
  },
  ['build', 'data'],
)

function checkFolds(argument: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 1) return value as number
  throw invalidArgument(argument, 'a whole number from 2 up', value)
}

/** What {@link crossValidate} found. Prints as a table. */
export class CrossValidation {
  /** Loss and metrics of each fold's model on the examples that it has not seen. */
  readonly folds: readonly Evaluation[]
  /** The mean over the folds of the loss and of each metric that is a number. */
  readonly mean: Readonly<Record<string, number>>
  /** The standard deviation of one fold from another (over folds − 1). */
  readonly deviation: Readonly<Record<string, number>>

  constructor(folds: readonly Evaluation[]) {
    this.folds = folds
    const names = Object.keys(folds[0]!).filter((name) => typeof folds[0]![name] === 'number')
    const columns = names.map((name) => [name, folds.map((fold) => fold[name] as number)] as const)
    this.mean = Object.fromEntries(columns.map(([name, values]) => [name, meanOf(values)]))
    this.deviation = Object.fromEntries(columns.map(([name, values]) => [name, deviationOf(values)]))
  }

  toString(): string {
    const lines = Object.keys(this.mean).map((name) => {
      const values = this.folds.map((fold) => short(fold[name] as number)).join(', ')
      return `${name} ${short(this.mean[name]!)} ± ${short(this.deviation[name]!)} (${values})`
    })
    return [`${this.folds.length} folds`, ...lines].join('\n  ')
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))
}

/**
 * k-fold cross-validation: the data are cut into folds, and for each a new model is trained on all the others and evaluated
 * on it. Whatever a model takes from its training data, as {@link normalization} and `classWeights: 'balanced'` do, it takes
 * from those others alone. One fold after the other, off the main thread; copies of the examples are made on it.
 *
 * @param build makes a new compiled model for a fold, whose number from 0 it is given
 * @throws those of `split`, `fit` and `evaluate`; the signal's reason
 * @example
 * const found = await crossValidate(() => sequential({ input: [4], seed: 1 }, layers()).compile(options), { x, y }, {
 *   folds: 5, stratify: true, fit: { epochs: 50 } })
 * console.log(found.mean.accuracy, found.deviation.accuracy)
 */
export async function crossValidate(
  build: (fold: number) => Model | Promise<Model>,
  data: Data,
  options?: CrossValidateOptions,
): Promise<CrossValidation> {
  checkFunction('build', build)
  const settings = readOptions(options)
  const { folds, signal } = settings
  const examples = examplesOf(data)
  const rows = countRows(examples, settings.rows)
  const parts = foldRows(rows, { ...settings, ...groupings(examples, rows, settings) })
  const built = new Set<Model>()
  const evaluations: Evaluation[] = []
  for (const [fold, held] of parts.entries()) {
    signal?.throwIfAborted()
    const model = checkBuilt(await build(fold), built)
    const rest = Uint32Array.from(parts.flatMap((part) => (part === held ? [] : [...part]))).sort()
    const fit = typeof settings.fit === 'function' ? settings.fit(fold) : settings.fit
    await model.fit(takeExamples(examples, rest, rows), { quiet: true, ...(signal && { signal }), ...fit }).done
    const evaluation = await model.evaluate(takeExamples(examples, held, rows), signal ? { signal } : {})
    evaluations.push(evaluation)
    settings.onFold?.({ fold, folds, evaluation })
  }
  return new CrossValidation(evaluations)
}

function examplesOf(data: Data): Examples {
  if (isStream(data)) throw invalidArgument('data', 'examples in memory as { x, y }', 'a stream')
  return data instanceof Dataset ? data.examples : withClasses(data)
}

function groupings(examples: Examples, rows: number, { stratify, groupBy, shuffle }: ReturnType<typeof readOptions>) {
  if (stratify && (groupBy !== undefined || !shuffle)) {
    const other = groupBy !== undefined ? 'groupBy' : 'shuffle: false'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `stratify: expected no ${other} beside it, received both`)
  }
  return {
    classes: stratify ? classesOf(examples, rows) : undefined,
    groups: groupBy === undefined ? undefined : checkGroups('groupBy', groupBy, rows),
  }
}

/** One that has been trained on the fold before would know what it is asked. */
function checkBuilt(model: unknown, built: Set<Model>): Model {
  if (!(model instanceof Model)) throw invalidArgument('the result of build', 'a compiled model', model)
  if (built.has(model)) {
    throw new GradusError(
      'GRADUS_INVALID_ARGUMENT',
      'build: expected a new model for each fold, received the same again',
    )
  }
  built.add(model)
  return model
}
