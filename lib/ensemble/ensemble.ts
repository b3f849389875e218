import { inspect } from 'node:util'
import { checkBoolean, checkPositive, oneOf } from '../checks.js'
import type { Data, Dataset, Examples } from '../data/index.js'
import { GradusError, invalidArgument } from '../errors.js'
import { formatShape } from '../layers/shape.js'
import type { Loss } from '../losses/index.js'
import type { Metric } from '../metrics/index.js'
import { encodeSafetensors, writeSafetensors } from '../model/file.js'
import type { Model } from '../model/model.js'
import { checkModelPath, type Packed, type SaveOptions, saveRules } from '../model/save.js'
import { type DataType, type NativeEnsemble, type NativeProgram, native } from '../native.js'
import { type Check, optionsOf } from '../options.js'
import { passRules } from '../train/calls.js'
import { links, predictClasses, predictProbabilities } from '../train/classes.js'
import { type EvaluateOptions, type Evaluation, evaluate } from '../train/evaluate.js'
import type { AnyValues } from '../train/history.js'
import { predictEach, predictSync } from '../train/predict.js'
import type { Predictions } from '../train/predictions.js'
import type { EvaluateTarget } from '../train/source.js'
import type { TrainTarget } from '../train/target.js'
import { consistsOf } from '../train/turn.js'
import { checkAlike, checkMembers, checkOneDevice, conventionsOf, programsOf } from './members.js'
import type { Predictor } from './predictor.js'
import { packEnsemble } from './save.js'

/** How the members' predictions become one. */
export type Combine = 'probabilities' | 'geometric' | 'scores' | 'vote'

export interface EnsembleOptions {
  /**
   * `'probabilities'`, the default: the weighted mean p̄ of the members' probabilities; `predict` gives log p̄, of yes-or-no
   * outputs logit p̄. `'geometric'`: the mean of their log-probabilities. `'scores'`: the mean of their scores, which for softmax
   * is the same but for a constant in each row. `'vote'`: the log of each class's share of the votes, at least log 1e-7; of
   * yes-or-no outputs its logit. Where outputs are no probabilities, as in regression, the first three are the mean of the values.
   */
  combine?: Combine | undefined
  /** One for each member, from 0 up; brought to the sum 1. Default: equal ones. */
  weights?: ArrayLike<number> | undefined
  /** The combined scores are divided by it. Default 1. */
  temperature?: number | undefined
}

export interface EnsemblePredictOptions extends EvaluateOptions {
  /** True: {@link Spread} as well. */
  spread?: boolean | undefined
}

/** What an ensemble predicts, and how far its members are from one mind. */
export interface Spread {
  readonly predictions: Predictions
  /**
   * The weighted standard deviation of the members' probabilities, of values where the outputs are no probabilities; shaped as
   * the predictions.
   */
  readonly spread: Predictions
}

const readOptions = optionsOf<EnsembleOptions>()(
  'ensemble',
  {
    combine: [oneOf('probabilities', 'geometric', 'scores', 'vote'), 'probabilities'],
    weights: checkWeights as Check<ArrayLike<number>>,
    temperature: [checkPositive, 1],
  },
  ['members'],
)
const readPredict = optionsOf<EnsemblePredictOptions>()(
  'ensemble.predict',
  { ...passRules, spread: [checkBoolean, false] },
  ['x'],
)

const readSave = optionsOf<SaveOptions>()('ensemble.save', saveRules)

function checkWeights(argument: string, value: unknown): number[] {
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)
  if (!isList) throw invalidArgument(argument, 'a list of numbers, one for each member', value)
  const weights = Array.from(value as ArrayLike<unknown>)
  for (const [i, weight] of weights.entries()) {
    if (typeof weight === 'number' && weight >= 0 && Number.isFinite(weight)) continue
    throw invalidArgument(`${argument}[${i}]`, 'a number of at least 0', weight)
  }
  return weights as number[]
}

/**
 * Several models that predict as one. Made by {@link ensemble} and {@link loadEnsemble}. The members are live: what they are
 * trained to later counts. They are all on the processor, or all on one GPU, where the ensemble computes then.
 *
 * `predict` gives scores that the members' loss takes: softmax of them is the mean of the members' probabilities. So `evaluate`
 * and all metrics are those of the first member's loss, and the highest score is that of the class.
 */
export class Ensemble<Values extends object = AnyValues> implements Predictor<Values> {
  readonly members: readonly Model<Values>[]
  /** Of the members; their sum is 1. */
  readonly weights: readonly number[]
  readonly combine: Combine
  /** The combined scores are divided by it. */
  readonly temperature: number
  /** What `save` was given as metadata of the user's own, in an ensemble that was loaded; otherwise undefined. */
  readonly metadata: unknown

  readonly #ownsMembers: boolean
  #programs: readonly NativeProgram[] = []
  #native: NativeEnsemble | undefined
  #disposed = false

  /** @internal `ownsMembers`: whether `dispose` frees them too. */
  constructor(
    members: readonly Model<Values>[],
    options: EnsembleOptions = {},
    { ownsMembers = false, metadata }: { readonly ownsMembers?: boolean; readonly metadata?: unknown } = {},
  ) {
    this.metadata = metadata
    this.members = checkMembers<Values>(members)
    const { combine, weights, temperature } = readOptions(options)
    this.combine = combine
    this.weights = Object.freeze(normalized(weights, this.members.length))
    this.temperature = temperature
    this.#ownsMembers = ownsMembers
    this.#checkVotes()
  }

  get dtype(): DataType {
    return this.members[0]!.dtype
  }

  get inputs(): TrainTarget['inputs'] {
    return this.members[0]!.inputs
  }

  /** Of one example. */
  get outputShape(): readonly number[] {
    return this.members[0]!.outputShape
  }

  /**
   * The names of the classes, where a member knows them.
   *
   * @throws GRADUS_INVALID_ARGUMENT when members number them differently
   */
  get classes(): readonly string[] | undefined {
    return conventionsOf(this.members).classes
  }

  /** @internal */
  get loss(): Loss {
    return this.members[0]!.loss
  }

  /** @internal */
  get metrics(): readonly Metric[] {
    return this.members[0]!.metrics
  }

  /**
   * Scores, a row for each example: log p̄ for {@link softmaxCrossEntropy}, logit p̄ for {@link binaryCrossEntropy}, the mean for
   * other losses and for members that are not compiled; see {@link EnsembleOptions}. Else as {@link Model.predict}.
   */
  predict(x: Dataset | Examples['x'], options: EnsemblePredictOptions & { readonly spread: true }): Promise<Spread>
  predict(
    x: Dataset | Examples['x'],
    options?: EvaluateOptions & { readonly spread?: false | undefined },
  ): Promise<Predictions>
  predict(x: Dataset | Examples['x'], options?: EnsemblePredictOptions): Promise<Predictions | Spread>
  async predict(x: Dataset | Examples['x'], options: EnsemblePredictOptions = {}): Promise<Predictions | Spread> {
    const { spread, ...passed } = readPredict(options)
    const target = this.#target()
    const { program } = target
    const read = () => passed
    if (!spread) {
      const [predictions] = await predictEach(target, x, read, async (call) => [await program.predict(call)], 1)
      return predictions!
    }
    const [predictions, spreads] = await predictEach(target, x, read, (call) => program.predictSpread(call), 2)
    return { predictions: predictions!, spread: spreads! }
  }

  /** The same as {@link Ensemble.predict}, at once; see {@link Model.predictSync}. */
  predictSync(x: Examples['x']): Predictions {
    return predictSync(this.#target(), x)
  }

  /** The combined probabilities; see {@link Model.predictProbabilities}. */
  async predictProbabilities(x: Dataset | Examples['x'], options: EvaluateOptions = {}): Promise<Predictions> {
    this.#needCompiled('predictProbabilities')
    return predictProbabilities(this.#target(), x, options)
  }

  /** The class of each example; see {@link Model.predictClasses}. */
  async predictClasses(x: Dataset | Examples['x'], options: EvaluateOptions = {}): Promise<number[] | string[]> {
    this.#needCompiled('predictClasses')
    return predictClasses(this.#target(), x, options)
  }

  /** The first member's loss and metrics, of the combined scores; `regularizationLoss` is the members' weighted mean. */
  async evaluate(data: Data, options: EvaluateOptions = {}): Promise<Evaluation<Values>> {
    this.#needCompiled('evaluate')
    return evaluate<Values>(this.#target(), data, options)
  }

  /**
   * Writes all members to one safetensors file, which {@link loadEnsemble} reads: as {@link Model.save} does, each member's
   * tensors under its number.
   *
   * @param file - a path, in a folder that is there, or a file URL
   * @param options - `optimizer: true`: with the state of each member's optimizer
   * @throws GRADUS_BAD_FILE when it cannot be written
   * @example await together.save('iris-ensemble.safetensors')
   */
  async save(file: string | URL, options: SaveOptions = {}): Promise<void> {
    const path = checkModelPath('file', file)
    await this.#pack(options, ({ tensors, metadata }) => writeSafetensors(path, tensors, metadata))
  }

  /** The bytes that {@link Ensemble.save} would write. {@link loadEnsemble} takes them. */
  async toBuffer(options: SaveOptions = {}): Promise<Buffer> {
    return this.#pack(options, ({ tensors, metadata }) => encodeSafetensors(tensors, metadata))
  }

  #pack<Result>(options: SaveOptions, use: (packed: Packed) => Promise<Result>): Promise<Result> {
    const { optimizer, metadata = this.metadata } = readSave(options)
    this.#checkDisposed()
    programsOf(this.members)
    const { combine, weights, temperature } = this
    return packEnsemble(this.members, { combine, weights, temperature }, { optimizer, metadata }, use)
  }

  /** Frees what the ensemble holds; the members only where it made them itself. Later calls throw GRADUS_DISPOSED. */
  dispose(): void {
    this.#disposed = true
    this.#native?.dispose()
    this.#native = undefined
    if (this.#ownsMembers) for (const member of this.members) member.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** `Ensemble(5 members, probabilities: [784] → [10])`. */
  toString(): string {
    const { length } = this.members
    const shapes = `${this.inputs.map(({ shape }) => formatShape(shape)).join(', ')} → ${formatShape(this.outputShape)}`
    return `Ensemble(${length} member${length === 1 ? '' : 's'}, ${this.combine}: ${shapes})`
  }

  [inspect.custom](): string {
    return this.toString()
  }

  /** What the calls of lib/train take. Members may have been compiled anew or taught names of classes since the last call. */
  #target(): EvaluateTarget & { readonly dtype: DataType; readonly program: NativeEnsemble } {
    const { members } = this
    const program = this.#program()
    const compiled = members[0]!.parts().compiled
    return {
      program,
      dtype: this.dtype,
      inputs: this.inputs,
      outputShape: this.outputShape,
      conventions: conventionsOf(members),
      loss: compiled?.loss as Loss,
      metrics: compiled?.metrics ?? [],
    }
  }

  /** Made anew where a member has another program than in the last call. */
  #program(): NativeEnsemble {
    this.#checkDisposed()
    const programs = programsOf(this.members)
    if (this.#native && programs.every((program, i) => program === this.#programs[i])) return this.#native
    checkAlike(this.members)
    checkOneDevice(programs)
    this.#checkVotes()
    this.#native?.dispose()
    const compiled = this.members[0]!.parts().compiled
    const link = (compiled && links[compiled.loss.kind]) ?? 'identity'
    this.#native = new native.Ensemble(programs, Float64Array.from(this.weights), this.combine, link, this.temperature)
    this.#programs = programs
    consistsOf(this.#native, programs)
    return this.#native
  }

  #checkDisposed(): void {
    if (this.#disposed) throw new GradusError('GRADUS_DISPOSED', 'the ensemble has been disposed')
  }

  #checkVotes(): void {
    const compiled = this.members[0]!.parts().compiled
    if (this.combine !== 'vote' || (compiled && compiled.loss.outputs !== 'values')) return
    const received = compiled ? `those of ${compiled.loss.call[0]}` : 'models that are not compiled'
    const message = `combine: 'vote' expects members that choose classes, received ${received}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }

  #needCompiled(what: string): void {
    if (this.members[0]!.parts().compiled) return
    throw new GradusError('GRADUS_NOT_COMPILED', `${what}: call compile({ loss, optimizer }) of the members first`)
  }
}

function normalized(weights: ArrayLike<number> | undefined, count: number): number[] {
  if (!weights) return Array.from({ length: count }, () => 1 / count)
  if (weights.length !== count) {
    throw invalidArgument('weights', `${count} numbers, one for each member`, weights)
  }
  const given = Array.from(weights).reduce((total, weight) => total + weight, 0)
  if (Math.abs(given - 1) < 1e-9) return Array.from(weights) // as they came out of a file, to the bit
  // Divided first, so that the sum of large ones stays finite.
  const largest = Math.max(...Array.from(weights))
  if (largest === 0) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', 'weights: expected one above 0, received zeros alone')
  }
  const scaled = Array.from(weights, (weight) => weight / largest)
  const sum = scaled.reduce((total, weight) => total + weight, 0)
  return scaled.map((weight) => weight / sum)
}
