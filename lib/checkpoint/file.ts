/** Checkpoints as files: a model's safetensors file, with all else that the run is. */
import { product } from '../data/column.js'
import type { SafetensorsReader } from '../model/file.js'
import { parseShallow } from '../model/json-reader.js'
import type { Model } from '../model/model.js'
import { emptyTensor, type Tensor, type TensorData } from '../model/safetensors.js'
import { entryName, isOfRun, isStored, packState } from '../model/save.js'
import { checkEntry } from '../model/tensors.js'
import { type FloatArray, type NativeSnapshot, native } from '../native.js'
import type { Moment } from '../train/callback.js'
import type { EpochRecord } from '../train/history.js'
import type { RunState } from '../train/run-state.js'
import { type CheckpointHeader, damaged, formatVersion, type Head, withHeader } from './head.js'
import { checkState } from './state.js'
import { decodeValue, encodeValue } from './values.js'

/** What a checkpoint holds, as tensors and metadata. */
export function packCheckpoint(
  model: Model,
  state: RunState,
  { kind, epochs, rows, step, record }: Moment,
  { id, identity, watched }: Pick<Head, 'id' | 'identity' | 'watched'>,
): { tensors: Tensor[]; metadata: Record<string, string> } {
  const { tensors, metadata } = packState(model.parts(), state.native, true)
  const { native: weights, callbacks, records, ...rest } = state
  const isWithin = state.under !== null
  const own: Tensor[] = []
  const run = {
    format: formatVersion,
    ...{ id, kind: isWithin ? 'steps' : 'epoch', epochs, rows, step, isa: native.isa, identity, watched },
    record: isWithin || kind === 'steps' ? null : encodeValue('run/record', numbersOf(record), own),
    state: encodeValue('run', { ...rest, watching: weights.watching, records: jsonBytes(records) }, own),
    callbacks: encodeValue('callback', callbacks, own),
  }
  return { tensors: [...tensors, ...own], metadata: { ...metadata, run: JSON.stringify(run) } }
}

const numbersOf = (record: EpochRecord | null) =>
  record && Object.fromEntries(Object.entries(record).filter(([, value]) => typeof value === 'number'))

/** Too long for a header, after many epochs; each is written down once. */
const jsonBytes = (records: readonly EpochRecord[]): Uint8Array =>
  new TextEncoder().encode(`[${records.map(jsonOf).join(',')}]`)

const written = new WeakMap<EpochRecord, string>()

function jsonOf(record: EpochRecord): string {
  const json = written.get(record) ?? JSON.stringify(encodeValue('', record, []))
  written.set(record, json)
  return json
}

const fromJsonBytes = (bytes: unknown): unknown => {
  if (!(bytes instanceof Uint8Array)) throw damaged('its records are no bytes')
  return decodeValue(JSON.parse(new TextDecoder().decode(bytes)), new Map())
}

/** An open checkpoint, whose state is to be read. */
export class CheckpointReader {
  readonly head: Head
  readonly conventions: unknown
  readonly #file: SafetensorsReader
  readonly #run: Readonly<Record<string, unknown>>

  constructor({ head, run, file }: CheckpointHeader) {
    const { conventions } = file.header.metadata
    this.head = head
    this.conventions = conventions === undefined ? {} : parseShallow(conventions)
    this.#file = file
    this.#run = run
  }

  /** The state, of a model with these parameters and arenas. */
  async state(model: Model): Promise<RunState> {
    const { descriptor, program } = model
    const tensors = await this.#ownTensors()
    const decode = (name: string) => decodeValue(this.#run[name], tensors) as Record<string, unknown>
    const { watching, records, ...rest } = decode('state')
    const told = checkState({ ...rest, records: fromJsonBytes(records), callbacks: decode('callbacks') })
    const { metadata } = this.#file.header
    const weights = new native.Snapshot(program)
    try {
      weights.step = Number(metadata.step)
      weights.momentumProduct = Number(metadata.momentumProduct)
      weights.watching = watching as Float64Array
      for (const arena of weights.arenas) await this.#readArena(arena, descriptor, weights)
    } catch (error) {
      weights.dispose()
      throw error
    }
    return { ...told, native: weights }
  }

  async #ownTensors(): Promise<Map<string, TensorData>> {
    const own = new Map<string, TensorData>()
    for (const [name, place] of this.#file.header.tensors) {
      if (!isOfRun(name)) continue
      const whole = emptyTensor(place)
      for await (const { first, data } of this.#file.pieces(name)) whole.set(data, first)
      own.set(name, whole)
    }
    return own
  }

  /** Of what is not trained there are the parameters themselves and their average. */
  async #readArena(arena: string, { parameters, dtype }: Model['descriptor'], to: NativeSnapshot): Promise<void> {
    let begin = 0
    for (const parameter of parameters) {
      const { name, shape } = parameter
      if (isStored(arena, parameter)) {
        const entry = entryName(arena, name)
        checkEntry(this.#file.header, entry, shape, dtype)
        for await (const { first, data } of this.#file.pieces(entry)) to.write(arena, begin + first, data as FloatArray)
      }
      begin += product(shape)
    }
  }
}

/** Opens a checkpoint to go on from it; its errors name the file. */
export const withCheckpoint = <Result>(
  path: string,
  work: (checkpoint: CheckpointReader) => Promise<Result>,
): Promise<Result> => withHeader(path, (header) => work(new CheckpointReader(header)))
