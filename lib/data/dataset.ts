/** Examples to train on, evaluate with or predict from; copied once into native memory for each kind of model. */
import { inspect } from 'node:util'
import { GradusError } from '../errors.js'
import { type ColumnRole, type NativeColumn, type NativeDataset, native } from '../native.js'
import {
  type ColumnData,
  isByteArray,
  isColumn,
  isTable,
  type NumberArray,
  type OpenColumn,
  product,
} from './column.js'
import type { Conventions } from './conventions.js'
import { checkExamples, type Examples, type NumberedExamples } from './examples.js'
import { fill } from './fill.js'
import { inWords } from './in-words.js'
import { numbered } from './labels.js'
import { likeBytes, meaningOf, scaleOfBytes, statesScale } from './meaning.js'
import { type Plan, planAll, type Requirements, rowsOf, wantedOf, withColumn } from './plans.js'

/** A copy in native memory, and what the bytes of each of its inputs mean; null for numbers. */
interface Loaded {
  dataset: NativeDataset
  bytes: OpenColumn['bytes'][]
}

type Later = (signal?: AbortSignal) => Promise<Examples>

/**
 * Examples that stay in native memory from their first use until {@link Dataset.dispose}, or until they are collected.
 * Made by {@link dataset}.
 */
export class Dataset {
  #examples: NumberedExamples | null
  /** Class c is `classes[c]`; undefined where the targets came as numbers, without a list of names. */
  readonly classes: readonly string[] | undefined
  #resident = new Map<string, Promise<Loaded>>()
  readonly #temporary: boolean
  #later: Later | undefined
  #prepared: Promise<void> | undefined

  /**
   * @internal `temporary`: whoever makes it disposes of it, however its work ends. `argument`: how errors name it where it
   * comes as an option. `later`: finds the targets when somebody needs them; until then there are none.
   */
  constructor(
    examples: Examples,
    {
      temporary = false,
      argument = 'data',
      later,
    }: { readonly temporary?: boolean; readonly argument?: string; readonly later?: Later | undefined } = {},
  ) {
    checkExamples(argument, examples)
    this.#examples = numbered(examples, argument === 'data' ? 'y' : `${argument}.y`)
    this.classes = this.#examples.classes
    this.#temporary = temporary
    this.#later = later
  }

  /** @internal Finds what is to be found first. The signal of the first call ends it. */
  async prepare(signal?: AbortSignal): Promise<void> {
    if (!this.#later) return
    this.#prepared ??= this.#later(signal).then((found) => {
      if (!this.#examples) return
      this.#examples = numbered(found)
      this.#later = undefined
    })
    await this.#prepared
  }

  /** As they were given, with class numbers for names of classes. Throws `GRADUS_DISPOSED` once they are let go of. */
  get examples(): NumberedExamples {
    if (this.#examples) return this.#examples
    throw new GradusError('GRADUS_DISPOSED', 'The dataset was disposed: make a new one')
  }

  /**
   * The examples in native memory, as the model needs them.
   * @throws `GRADUS_INVALID_ARGUMENT` when shapes do not fit, `GRADUS_INVALID_DATA` names the row with a NaN, an
   * infinity or a label out of range.
   * @internal
   */
  async resident(requirements: Requirements): Promise<NativeDataset> {
    if (this.#later) await this.prepare()
    const loaded = await this.#load(requirements)
    const { conventions, targets, settles } = requirements
    if (conventions && this.classes && targets !== 'none') conventions.classes ??= this.classes
    if (conventions && settles) await settleInputs(conventions, requirements.inputs, loaded)
    return loaded.dataset
  }

  #load(requirements: Requirements): Promise<Loaded> {
    const { examples } = this
    const meanings = JSON.stringify(meaningsOf(examples.x, requirements))
    const inputs = `${requirements.dtype} ${textOf(requirements.inputs)} ${meanings}`
    const targets =
      requirements.targets === 'none'
        ? ''
        : JSON.stringify([
            requirements.targets,
            requirements.outputShape,
            this.classes && wantedOf(examples, requirements),
            requirements.probabilities,
          ])
    // A copy that carries targets as well serves predictions too.
    for (const [key, known] of this.#resident) {
      if (targets ? key === inputs + targets : key.startsWith(inputs)) return known
    }
    const made = load(examples, requirements, this.#temporary)
    const key = inputs + targets
    this.#resident.set(key, made)
    made.catch(() => this.#resident.delete(key))
    return made
  }

  /** Lets go of the arrays and of the native memory now. A `fit` that still needs it ends with `GRADUS_DISPOSED`. */
  dispose(): void {
    this.#examples = null
    for (const made of this.#resident.values()) made.then(({ dataset }) => dataset.dispose()).catch(() => {})
    this.#resident.clear()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** `Dataset(x: Uint8Array [60000, 28, 28], y: Uint8Array [60000])`. */
  toString(): string {
    return `Dataset(${this.#examples ? inWords(this.#examples) : 'disposed'})`
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

/**
 * Examples to be used more than once: the arrays are checked and copied into native memory at their first use, a slice
 * at a time, and stay there. `fit`, `evaluate` and `predict` also take plain `{ x, y }`, which they copy each time.
 *
 * @example
 * const train = dataset({ x: await readIdx('train-images.gz'), y: await readIdx('train-labels.gz') })
 */
export function dataset(examples: Examples): Dataset {
  return new Dataset(examples)
}

/** A column of a dataset in native memory. */
export interface LoadedColumn {
  readonly role: ColumnRole
  readonly index: number
  readonly native: NativeColumn
}

const columnsByDataset = new WeakMap<NativeDataset, readonly LoadedColumn[]>()

/** What the columns of a dataset are. */
export const loadedColumns = (dataset: NativeDataset): readonly LoadedColumn[] => columnsByDataset.get(dataset) ?? []

/** A view of the rows from `first` on: the memory lives as long as one of both. */
export function viewOf(dataset: NativeDataset, first: number, count: number): NativeDataset {
  const view = dataset.subset(Uint32Array.from({ length: count }, (_, i) => first + i))
  columnsByDataset.set(view, loadedColumns(dataset))
  return view
}

async function load(examples: NumberedExamples, requirements: Requirements, temporary: boolean): Promise<Loaded> {
  const plans: Plan[] = []
  for (const planned of planAll(examples, requirements)) {
    const { column, undecided } = planned
    plans.push(undecided ? withColumn(planned, await likeBytes(column, undecided)) : planned)
  }
  const rows = rowsOf(plans)
  const of = (role: ColumnRole) => plans.filter((plan) => plan.role === role).map((plan) => plan.native)
  const made = new native.Dataset(rows, of('input'), of('target')[0] ?? null, of('weight')[0] ?? null, temporary)
  try {
    columnsByDataset.set(
      made,
      plans.map(({ role, index, native }) => ({ role, index, native })),
    )
    for (const plan of plans) await fill(made, plan.role, plan.index, plan.column, plan.conversion)
  } catch (error) {
    made.dispose()
    throw error
  }
  return { dataset: made, bytes: plans.filter(({ role }) => role === 'input').map(({ column }) => column.bytes) }
}

/** Whoever trains on them first settles what the numbers of the inputs mean. */
async function settleInputs(
  conventions: Conventions,
  inputs: Requirements['inputs'],
  { dataset, bytes }: Loaded,
): Promise<void> {
  for (const [i, { name, shape, kind }] of inputs.entries()) {
    if (kind === 'index' || conventions.inputs?.[name]) continue
    const read = (first: number, count: number) => dataset.read('input', i, first, count) as NumberArray
    const meaning = bytes[i]
      ? { kind: 'bytes' as const, ...bytes[i] }
      : await meaningOf({ rows: dataset.size, elements: product(shape), read })
    conventions.inputs = { ...conventions.inputs, [name]: meaning }
  }
}

const texts = new WeakMap<Requirements['inputs'], string>()

/** Made once for each model: small networks predict in less time. */
function textOf(inputs: Requirements['inputs']): string {
  const known = texts.get(inputs)
  if (known !== undefined) return known
  const text = JSON.stringify(inputs)
  texts.set(inputs, text)
  return text
}

/** What tells one copy of the inputs from another: how bytes are scaled, and numbers that are to be taken for bytes. */
function meaningsOf(x: Examples['x'], { inputs, conventions }: Requirements): unknown[] {
  return inputs.map(({ name }) => {
    const given = isColumn(x) ? x : (x as Record<string, ColumnData> | null)?.[name]
    const meaning = conventions?.inputs?.[name]
    if (!isColumn(given) || statesScale(given)) return null
    if (isByteArray(isTable(given) ? given.data : given)) return scaleOfBytes(meaning)
    return meaning?.kind === 'bytes' ? { scale: meaning.scale, offset: meaning.offset } : null
  })
}
