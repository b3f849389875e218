/** What the checks share: the data as numbers, and copies of the model to do as they like with. */
import { setImmediate as nextTick } from 'node:timers/promises'
import { type ColumnData, openColumn, product, scalesOf } from '../../data/column.js'
import { Dataset } from '../../data/dataset.js'
import type { Examples, NumberedExamples } from '../../data/examples.js'
import { namedColumns } from '../../data/plans.js'
import type { ModelCopy } from '../../model/copy.js'
import type { Model } from '../../model/model.js'
import type { Descriptor, FloatArray, NativeDataset, PassCall } from '../../native.js'
import { adaptFirst } from '../../train/adapt.js'
import { requirementsOf, residentSource } from '../../train/source.js'
import { callInTurn } from '../../train/turn.js'
import { TargetTally } from '../chance.js'
import { countExamples, examplesOf, spreadExamples } from '../subset.js'
import type { SanitySettings } from './options.js'

/** Examples that the checks of the untrained model look at. */
const lookedAt = 512

/** A column of numbers: `read` gives those of some rows as the model will see them. */
export interface NumberColumn {
  readonly argument: string
  readonly rows: number
  readonly elements: number
  read(first: number, count: number): ArrayLike<number>
  /** By element of a row: the model sees value · scale + offset. */
  readonly scales: Float64Array
  readonly offsets: Float64Array
}

export class Context {
  readonly model: Model
  readonly descriptor: Descriptor
  /** All that were given, and a sample of them that the model can take. */
  readonly examples: NumberedExamples
  readonly rows: number
  readonly settings: SanitySettings
  readonly #datasets: Dataset[] = []
  readonly #copies = new Set<ModelCopy>()
  #sample: Promise<NativeDataset> | undefined
  #base: ModelCopy | undefined
  /** Copies of a model whose normalization waits for `fit` have the mean and variance of the sample. */
  #moments: [parameter: number, data: FloatArray][] = []
  #targets: Promise<TargetTally | null> | undefined

  constructor(model: Model, examples: NumberedExamples, settings: SanitySettings) {
    this.model = model
    this.descriptor = model.descriptor
    this.examples = examples
    this.settings = settings
    this.rows = countExamples(examples, model.inputs)
  }

  /** What the last dimension of the output counts, for losses on class numbers. */
  get classes(): number {
    return this.model.outputShape.at(-1) ?? 1
  }

  inputColumns(examples = this.examples): NumberColumn[] {
    const columns = namedColumns(examples.x, this.model.inputs)
    return this.model.inputs
      .filter(({ kind }) => kind === 'real')
      .map(({ name, shape }) =>
        open(this.model.inputs.length > 1 ? `x.${name}` : 'x', columns[name]!, product(shape), 1 / 255),
      )
  }

  /** How errors name the inputs that go into a normalization layer. */
  get normalized(): string[] {
    const { inputs, normalizations } = this.model
    return normalizations.map(({ input }) => (inputs.length > 1 ? `x.${inputs[input]!.name}` : 'x'))
  }

  /** The targets, with the elements each example seems to have; null where they do not divide evenly. */
  targetColumn(examples = this.examples, rows = this.rows): NumberColumn | null {
    const { y } = examples
    if (y === undefined) return null
    for (const elements of [1, product(this.model.outputShape)]) {
      try {
        const column = open('y', y, elements, 1)
        if (column.rows === rows) return column
      } catch {
        // Another count of elements may fit.
      }
    }
    return null
  }

  /** Whether targets are class numbers, one an example. */
  get hasLabels(): boolean {
    const { targets } = this.model.loss
    return targets === 'labels' || (targets === 'either' && this.targetColumn()?.elements === 1 && this.classes > 1)
  }

  /** What the targets are like; null where they fit no model. */
  targets(): Promise<TargetTally | null> {
    this.#targets ??= this.#tally()
    return this.#targets
  }

  async #tally(): Promise<TargetTally | null> {
    const column = this.targetColumn()
    if (!column) return null
    const tally = new TargetTally(this.model.loss, this.hasLabels ? this.classes : column.elements, this.hasLabels)
    await forEachNumber(column, (value, _, element) => tally.count(value, element))
    if (tally.needsMeasure) await forEachNumber(column, (value, _, element) => tally.measure(value, element))
    return tally
  }

  /** How many validation examples each class has; null where there are none, or they are numbered otherwise. */
  async validationCounts(classes: number): Promise<Float64Array | null> {
    const { validation } = this.settings
    if (validation === undefined || !this.hasLabels) return null
    const held = examplesOf(validation)
    const column = this.targetColumn(held, countExamples(held, this.model.inputs))
    const isAlike = held.classes?.join('\n') === this.examples.classes?.join('\n')
    if (column?.elements !== 1 || !isAlike) return null
    const counts = new Float64Array(classes)
    await forEachNumber(column, (label) => {
      if (label in counts) counts[label]! += 1
    })
    return counts
  }

  /** A copy of the model, trained or changed by one check alone. It goes with the context. */
  copy(change?: (descriptor: Descriptor) => Descriptor): ModelCopy {
    const copy = this.model.copy(change)
    for (const [parameter, data] of this.#moments) copy.program.write('parameters', parameter, data)
    this.#copies.add(copy)
    return copy
  }

  /** To be called before there are copies, on data that are finite. */
  async prepare(): Promise<void> {
    const { normalizations, conventions } = this.model
    if (normalizations.length === 0 || conventions.isAdapted || this.#moments.length > 0) return
    const { program } = this.base
    await adaptFirst(this.base, residentSource(await this.sample()))
    const parameters = normalizations.flatMap(({ mean, variance }) => [mean, variance])
    this.#moments = parameters.map((parameter) => [parameter, program.read('parameters', parameter)])
  }

  /** The copy that nobody trains. */
  get base(): ModelCopy {
    this.#base ??= this.copy()
    return this.#base
  }

  /** Native memory with these examples, as the model takes them. It goes with the context. */
  async resident(examples: Examples): Promise<NativeDataset> {
    const dataset = new Dataset(examples)
    this.#datasets.push(dataset)
    return dataset.resident(requirementsOf(this.model))
  }

  /** Some of the examples, spread over all of them. */
  sample(): Promise<NativeDataset> {
    this.#sample ??= this.resident(spreadExamples(this.examples, lookedAt, this.model.inputs))
    return this.#sample
  }

  /** A pass as in training, without dropout. */
  async pass(dataset?: NativeDataset): Promise<PassCall> {
    return {
      dataset: dataset ?? (await this.sample()),
      training: true,
      randomness: false,
      threads: this.settings.threads,
    }
  }

  /** A native call that the user's signal ends. */
  async call<Result>(copy: ModelCopy, work: () => Promise<Result>): Promise<Result> {
    const { signal } = this.settings
    const result = await callInTurn(copy.program, signal, work)
    signal?.throwIfAborted()
    return result!
  }

  dispose(): void {
    for (const dataset of this.#datasets) dataset.dispose()
    for (const copy of this.#copies) copy.dispose()
  }
}

function open(argument: string, data: ColumnData, elements: number, defaultScale: number): NumberColumn {
  const column = openColumn(argument, data, elements, defaultScale)
  const read = (first: number, count: number) => column.read(first, count)
  return { argument, rows: column.rows, elements, read, ...scalesOf(column.bytes, elements) }
}

/** Numbers looked at before the event loop has its turn: less than a millisecond of work. */
const sliceElements = 1 << 16

/** f(values, first row, rows) over slices, of values as they are stored. */
export async function forEachSlice(
  column: NumberColumn,
  f: (values: ArrayLike<number>, first: number, count: number) => void,
): Promise<void> {
  const sliceRows = Math.max(1, Math.floor(sliceElements / column.elements))
  for (let first = 0; first < column.rows; first += sliceRows) {
    if (first > 0) await nextTick()
    const count = Math.min(sliceRows, column.rows - first)
    f(column.read(first, count), first, count)
  }
}

/** f(number, row, element) for every number of a column, as the model will see it. */
export function forEachNumber(
  column: NumberColumn,
  f: (value: number, row: number, element: number) => void,
): Promise<void> {
  const { elements, scales, offsets } = column
  return forEachSlice(column, (values, first, count) => {
    for (let row = 0, i = 0; row < count; row++) {
      for (let element = 0; element < elements; element++, i++) {
        f(values[i]! * scales[element]! + offsets[element]!, first + row, element)
      }
    }
  })
}

/** The same network without regularizers and dropout. */
export const unrestrained = (descriptor: Descriptor): Descriptor => ({
  ...descriptor,
  parameters: descriptor.parameters.map(({ l1: _1, l2: _2, maxNorm: _, customRegularizer: __, ...rest }) => rest),
  nodes: descriptor.nodes.map((node) =>
    node.op === 'dropout' || node.op === 'spatial_dropout' ? { ...node, rate: 0 } : node,
  ),
})
