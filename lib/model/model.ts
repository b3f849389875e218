import { inspect } from 'node:util'
import type { Conventions } from '../data/conventions.js'
import type { Data, Dataset, Examples } from '../data/index.js'
import type { DeviceName } from '../devices.js'
import type { FileSource } from '../files.js'
import type { Layer } from '../layers/layer.js'
import { sizeOf } from '../layers/shape.js'
import type { Loss } from '../losses/index.js'
import type { Metric } from '../metrics/index.js'
import type { DataType, Descriptor, NativeProgram } from '../native.js'
import type { NamePatterns } from '../optimizers/patterns.js'
import { refuseAssignment } from '../settled.js'
import { type AdaptOptions, adaptTo } from '../train/adapt.js'
import { predictClasses, predictProbabilities } from '../train/classes.js'
import { type EvaluateOptions, type Evaluation, evaluate, type ModelEvaluateOptions } from '../train/evaluate.js'
import { fit } from '../train/fit.js'
import type { AnyValues } from '../train/history.js'
import { besideTraining } from '../train/in-training.js'
import type { FitOptions } from '../train/options.js'
import { predict, predictSync } from '../train/predict.js'
import type { Predictions } from '../train/predictions.js'
import type { Run } from '../train/run.js'
import type { TrainTarget } from '../train/target.js'
import { averageOf } from './averaged.js'
import { type AskedMetric, type CompileOptions, optimizerOf, type ValuesOf } from './compile.js'
import { copyModel, type ModelCopy } from './copy.js'
import { ModelCore } from './core.js'
import { encodeSafetensors, writeSafetensors } from './file.js'
import { checkStill } from './idle.js'
import type { Network } from './lower.js'
import { type LoadWeightsOptions, layerWithWeights, readWeightsOf } from './reuse.js'
import { checkModelPath, type Packed, type Parts, packModel, readSaveOptions, type SaveOptions } from './save.js'
import { type SummaryOptions, summarize, titleOf } from './summary.js'
import { beginWith, checkWeights, currentWeights, noteNumbers, readGet, type Weights, writeWeights } from './weights.js'

/**
 * A network and its weights. Made by {@link sequential}, {@link graph} or {@link loadModel}; the weights are native memory,
 * freed when the model is garbage, or now by `dispose()`.
 */
export class Model<Values extends object = AnyValues> {
  readonly dtype: DataType
  readonly seed: number
  readonly inputs: TrainTarget['inputs']
  /** Of one example. */
  readonly outputShape: readonly number[]
  /** @internal */
  readonly conventions: Conventions = {}
  /** What `save` was given as metadata of the user's own, in a model that was loaded; otherwise undefined. */
  readonly metadata: unknown
  /** @internal */
  readonly normalizations: TrainTarget['normalizations']

  readonly #core: ModelCore

  /** @internal `initialize`: false where all weights will be written before they are used. */
  constructor(
    network: Network,
    { initialize = true, metadata }: { readonly initialize?: boolean; readonly metadata?: unknown } = {},
  ) {
    this.metadata = metadata
    this.#core = new ModelCore(network, initialize)
    const { inputs, normalizations, weights } = this.#core.lowered
    this.dtype = network.dtype
    this.seed = network.seed
    this.inputs = inputs
    this.outputShape = network.output.shape
    this.normalizations = normalizations
    noteNumbers(this, weights)
  }

  /** The network as plain data: what the native program is made from. A copy. */
  get descriptor(): Descriptor {
    return this.#core.descriptor
  }

  /**
   * The names of the classes, where the first data trained on had names: class c is `classes[c]`. Kept in the model's file;
   * later data with names are numbered by them.
   */
  get classes(): readonly string[] | undefined {
    return this.conventions.classes
  }

  /** @internal The native program, made when it is first needed. */
  get program(): NativeProgram {
    return this.#core.program
  }

  /**
   * Says what to train for and how; needed before `fit` and `evaluate`. May be called again: the weights are kept, the
   * optimizer starts anew.
   *
   * @throws GRADUS_INVALID_ARGUMENT, GRADUS_SHAPE_MISMATCH when the loss or a metric does not fit the output, GRADUS_BUSY
   */
  compile<const Asked extends readonly AskedMetric[] = []>(options: CompileOptions<Asked>): Model<ValuesOf<Asked>> {
    this.#core.compile(options)
    return this as unknown as Model<ValuesOf<Asked>>
  }

  /** Where the model computes: `'cpu'`, or a GPU as `'cuda:0'`. */
  get device(): string {
    return this.program.device
  }

  /**
   * Brings the model to another device, with all that its optimizer keeps: from there it goes on with the same bits.
   *
   * @throws GRADUS_NO_DEVICE, GRADUS_DEVICE_BUSY, GRADUS_OUT_OF_MEMORY: see {@link devices}; GRADUS_BUSY
   * @example await model.to('cuda')
   */
  async to(device: DeviceName): Promise<this> {
    await this.#core.moveTo(device)
    return this
  }

  /** @internal */
  get loss(): Loss {
    return this.#core.needCompiled('loss').loss
  }

  /** @internal */
  get metrics(): readonly Metric[] {
    return this.#core.needCompiled('metrics').metrics
  }

  /** @internal */
  get optimizer(): TrainTarget['optimizer'] {
    return optimizerOf(this.#core.needCompiled('optimizer'))
  }

  /**
   * Trains off the main thread. The run can be awaited, which gives the history, and iterated, epoch by epoch.
   *
   * @throws GRADUS_NOT_COMPILED before `compile`; for the others see {@link FitOptions}
   */
  fit(data: Data, options: FitOptions<Values, Model<Values>> = {}): Run<Values> {
    this.#core.needCompiled('fit')
    return fit<Values, Model<Values>>(this, data, options)
  }

  /** Loss and metrics on data, without training: dropout is off, batch norm takes its running averages. */
  async evaluate(data: Data, options: ModelEvaluateOptions = {}): Promise<Evaluation<Values>> {
    this.#core.needCompiled('evaluate')
    return evaluate<Values>(this, data, options)
  }

  /**
   * The outputs, a row each: of a classifier scores, not probabilities. Off the main thread where that pays.
   *
   * @param x the inputs as `fit` takes them, or one example: `[1, 2, 3, 4]` for the input shape [4]
   * @example
   * const [scores] = await model.predict([5.1, 3.5, 1.4, 0.2])
   * @throws those of the data; rejects with the signal's reason when it fires
   */
  async predict(x: Dataset | Examples['x'], options: ModelEvaluateOptions = {}): Promise<Predictions> {
    return predict(this, x, options)
  }

  /**
   * Probabilities: softmax of the scores for {@link softmaxCrossEntropy}, one for each class; sigmoid for
   * {@link binaryCrossEntropy}, the probability of yes for each output. Else as {@link Model.predict}.
   *
   * @throws GRADUS_NOT_COMPILED before `compile`, GRADUS_INVALID_ARGUMENT for other losses
   */
  async predictProbabilities(x: Dataset | Examples['x'], options: ModelEvaluateOptions = {}): Promise<Predictions> {
    this.#core.needCompiled('predictProbabilities')
    return predictProbabilities(this, x, options)
  }

  /**
   * The class of each example: its name where the model has {@link Model.classes}, else its number. That of the highest score,
   * the first of equal ones; of a single yes-or-no output the second where its score is above 0. Else as {@link Model.predict}.
   *
   * @throws GRADUS_NOT_COMPILED, GRADUS_INVALID_ARGUMENT for losses without classes, GRADUS_NON_FINITE names the first row
   */
  async predictClasses(x: Dataset | Examples['x'], options: ModelEvaluateOptions = {}): Promise<number[] | string[]> {
    this.#core.needCompiled('predictClasses')
    return predictClasses(this, x, options)
  }

  /**
   * The same as {@link Model.predict}, at once: for small networks and few rows, where a promise takes longer than the work.
   * It holds the event loop for all of that, on one thread. Fastest from one typed array of the model's dtype.
   *
   * @throws those of `predict`; GRADUS_BUSY while the model trains or evaluates, except between its steps, in callbacks
   */
  predictSync(x: Examples['x']): Predictions {
    return predictSync(this, x)
  }

  /**
   * Takes the mean and variance of the model's {@link normalization} layers from these inputs. `fit` does so by itself, from
   * its training data, when the model has none yet; a stream must be given here first.
   *
   * @throws those of the data; GRADUS_INVALID_ARGUMENT for a model without such a layer, GRADUS_BUSY during `fit`
   */
  async adapt(data: Data, options?: AdaptOptions): Promise<void> {
    await adaptTo(this, data, options)
  }

  /** How many numbers the model consists of, running averages of batch norm included. */
  get parameterCount(): number {
    return this.#core.lowered.descriptor.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  }

  /**
   * Copies of the weights, by name in layer order. During `fit` in its callbacks alone.
   *
   * @param options - `average: true` for the average of them that an optimizer with `average` keeps
   */
  getWeights(options: { average?: boolean | undefined } = {}): Weights {
    return currentWeights(checkStill(this.program), this.#core.lowered.descriptor.parameters, readGet(options).average)
  }

  /**
   * A model of its own whose weights are the average of this one's, compiled alike. Batch norm's statistics are those that the
   * averaged weights lead to: see {@link recomputeStatistics}.
   *
   * @param data - what the model was trained on, inputs are enough; needed with batch norm alone
   * @throws GRADUS_INVALID_ARGUMENT without an average, or with batch norm and without data; GRADUS_BUSY; those of the data
   */
  async averaged(data?: Data, options: EvaluateOptions = {}): Promise<Model<Values>> {
    const make = () => new Model(this.#core.network, { initialize: false, metadata: this.metadata })
    return averageOf<Model<Values>>(this, this.#core.needCompiled('averaged'), make, data, options)
  }

  /**
   * Replaces all weights by a record as `getWeights` gives it, float32 or float64; after an error nothing has changed. The
   * optimizer's state stays, and from its first update on the average of the weights. During `fit` in its callbacks alone.
   */
  setWeights(weights: Weights): void {
    const { parameters } = this.#core.lowered.descriptor
    writeWeights(checkStill(this.program), checkWeights(weights, parameters, this.dtype))
    if (this.normalizations.length > 0) this.conventions.isAdapted = true
  }

  /**
   * Reads weights by name out of a safetensors file, or its bytes: those of another model, or what Python wrote. Everything is
   * checked first: after an error nothing has changed. The optimizer's state stays; the average of what is read begins anew there.
   *
   * @param options - `names` says which; what else lies in the file is left alone
   * @throws GRADUS_BAD_FILE naming a weight that the file lacks or that has another shape, GRADUS_BUSY
   * @example await model.loadWeights('trunk.safetensors', { names: ['dense1', 'dense2'] })
   */
  async loadWeights(file: FileSource | ArrayBuffer, options: LoadWeightsOptions = {}): Promise<void> {
    this.#core.checkIdle()
    const weights = await readWeightsOf(this.#core.lowered, file, options)
    this.#core.checkIdle()
    for (const [i, data] of weights) beginWith(this.program, i, data)
    noteNumbers(this, weights)
  }

  /** Of the layers, in order of work. */
  get layerNames(): readonly string[] {
    return [...new Set(this.#core.lowered.steps.filter(({ node }) => node.layer).map(({ name }) => name))]
  }

  /**
   * A layer for another model, which there begins with copies of the weights that it has here now, and keeps its name.
   *
   * @throws GRADUS_INVALID_ARGUMENT when there is no layer of this name, GRADUS_BUSY
   * @example
   * const trunk = trained.layerNames.slice(0, -1).map((name) => trained.layer(name))
   * const model = sequential({ input: [784] }, [...trunk, dense(3, { name: 'head' })]).freeze().unfreeze('head')
   */
  layer(name: string): Layer {
    return layerWithWeights(this.#core.lowered, checkStill(this.program), name, this.conventions.isAdapted === true)
  }

  /**
   * Keeps weights as they are from now on, as `trainable: false` of their layers would. A compiled model is compiled again
   * with the same options: the optimizer starts anew. Batch norm goes on to normalize by the batch, and to average.
   *
   * @param names - patterns of layers or weights; default: all
   * @throws GRADUS_INVALID_ARGUMENT when a pattern names nothing, GRADUS_BUSY
   * @example model.freeze(['embedding1', 'dense*']).unfreeze('dense3')
   */
  freeze(names: NamePatterns = '*'): this {
    this.#core.setFrozen(names, (frozen, name) => frozen.add(name))
    return this
  }

  /** Trains again what {@link Model.freeze} keeps; what its layer itself does not train stays so. */
  unfreeze(names: NamePatterns = '*'): this {
    this.#core.setFrozen(names, (frozen, name) => frozen.delete(name))
    return this
  }

  /**
   * A table of the layers with their output shapes and parameters; of networks with convolutions also the multiply-adds that
   * one example takes, how many pixels a place of each layer sees (its receptive field), and the memory of a step: of values,
   * gradients and what layers keep, beside the weights and what the optimizer keeps.
   */
  summary(options: SummaryOptions = {}): string {
    return summarize(this.#core.lowered, this.descriptor, options)
  }

  /**
   * Writes the whole model to one safetensors file, which {@link loadModel} reads without code of the model's own but custom
   * parts, and Python too. Put in its place when whole: never half a file. During `fit` it waits for a moment between steps.
   *
   * @param file - a path, in a folder that is there, or a file URL; any name but one that promises another format, as .h5
   * @throws GRADUS_BAD_FILE when it cannot be written
   * @example await model.save('iris.safetensors', { metadata: { classes: ['setosa', 'versicolor', 'virginica'] } })
   */
  async save(file: string | URL, options: SaveOptions = {}): Promise<void> {
    const path = checkModelPath('file', file)
    await this.pack(options, ({ tensors, metadata }) => writeSafetensors(path, tensors, metadata))
  }

  /** The bytes that {@link Model.save} would write, for a database or another machine. {@link loadModel} takes them. */
  async toBuffer(options: SaveOptions = {}): Promise<Buffer> {
    return this.pack(options, ({ tensors, metadata }) => encodeSafetensors(tensors, metadata))
  }

  /** @internal What the file will hold, as long as `use` takes. */
  pack<Result>(options: SaveOptions, use: (packed: Packed) => Promise<Result>): Promise<Result> {
    const { optimizer, metadata } = readSaveOptions(options)
    if (optimizer) this.#core.needCompiled('save with its optimizer')
    const of = { ...this.parts(metadata), program: this.program, optimizer }
    return besideTraining(of.program, 'save()', () => packModel(of, use))
  }

  /** @internal What files and checkpoints are made from. */
  parts(metadata = this.metadata): Parts {
    const { network, lowered, compiled } = this.#core
    return { network, lowered, compiled, conventions: this.conventions, metadata }
  }

  /** @internal A model of its own, of the same network and weights, compiled alike. `change`: in its descriptor alone. */
  copy(change: (descriptor: Descriptor) => Descriptor = (descriptor) => descriptor, device?: DeviceName): ModelCopy {
    const own = this.#core.needCompiled('model')
    const compiled = device ? { ...own, device } : own
    return copyModel(change(this.descriptor), checkStill(this.program), this.#core.lowered, compiled, this.conventions)
  }

  /** Frees the native memory now; later calls throw GRADUS_DISPOSED. */
  dispose(): void {
    this.#core.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** `Model([784] → [10], 203530 parameters)`. */
  toString(): string {
    return titleOf(this.#core.lowered, this.outputShape, this.#core.isDisposed)
  }

  [inspect.custom](): string {
    return `${this}\n${this.summary()}`
  }
}

refuseAssignment(Model.prototype, ['loss', 'optimizer', 'metrics'], 'compile({ loss, optimizer, metrics }) says it')
refuseAssignment(Model.prototype, ['trainable'], 'freeze() keeps weights as they are')
