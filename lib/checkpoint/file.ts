/** Checkpoints as files: a model's safetensors file, with all else that the run is. */
import { GradusError } from '../errors.js'
import { fileError, nameOf as fileNameOf } from '../files.js'
import { openBytes, SafetensorsReader } from '../model/file.js'
import { parseShallow } from '../model/json-reader.js'
import type { Model } from '../model/model.js'
import { emptyTensor, type Tensor, type TensorData } from '../model/safetensors.js'
import { entryName, packState } from '../model/save.js'
import { type FloatArray, type NativeState, native } from '../native.js'
import type { Moment } from '../train/callback.js'
import type { EpochRecord } from '../train/history.js'
import type { RunState } from '../train/run-state.js'
import type { Identity } from './identity.js'
import { decodeValue, encodeValue } from './values.js'

/** Of what entry `run` of the metadata says; raised when older versions could not go on from it. */
const formatVersion = 1

/** What is known of a checkpoint from its header alone. */
export interface Head {
  /** Of the run that it belongs to. */
  readonly id: string
  /** At an epoch's end, or within one. */
  readonly kind: 'epoch' | 'steps'
  /** Finished epochs, examples of the one under way, and updates. */
  readonly epochs: number
  readonly rows: number
  readonly step: number
  /** The numbers of the last epoch's record; none within an epoch. */
  readonly record: Readonly<Record<string, number>> | null
  /** By what it is compared with others; null where nothing was named. */
  readonly watched: Watched | null
  readonly identity: Identity
}

/** A column of the records, and whether small or large values are good. */
export interface Watched {
  readonly column: string
  readonly mode: 'min' | 'max'
}

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

const damaged = (what: string) => new GradusError('GRADUS_BAD_FILE', `it is damaged: ${what}`)

/** An open checkpoint. */
export class CheckpointReader {
  readonly head: Head
  readonly conventions: unknown
  readonly size: number
  readonly #file: SafetensorsReader
  readonly #run: Record<string, unknown>

  constructor(file: SafetensorsReader, size: number) {
    const { metadata } = file.header
    const run = parseRun(metadata.run)
    this.head = headOf(run)
    this.conventions = metadata.conventions === undefined ? {} : parseShallow(metadata.conventions)
    this.size = size
    this.#file = file
    this.#run = run
  }

  /** @throws GRADUS_BAD_FILE when a byte is not as it was written */
  async checkHash(): Promise<void> {
    if (this.#file.header.metadata.sha256 === undefined) throw damaged('it has no hash')
    await this.#file.checkHash()
  }

  /** The state, of a model with these parameters and arenas. */
  async state(model: Model): Promise<RunState> {
    const { descriptor, program } = model
    const tensors = await this.#ownTensors()
    const decode = (name: string) => decodeValue(this.#run[name], tensors) as Record<string, unknown>
    const { watching, records, ...rest } = decode('state')
    const arenas: Record<string, FloatArray> = {}
    for (const arena of program.arenas.filter((name) => name !== 'gradients')) {
      arenas[arena] = await this.#arena(arena, descriptor)
    }
    const { metadata } = this.#file.header
    const weights = {
      step: Number(metadata.step),
      momentumProduct: Number(metadata.momentumProduct),
      watching,
      arenas,
    } as NativeState
    const state = { ...rest, records: fromJsonBytes(records), callbacks: decode('callbacks'), native: weights }
    return state as unknown as RunState
  }

  async #ownTensors(): Promise<Map<string, TensorData>> {
    const own = new Map<string, TensorData>()
    for (const [name, place] of this.#file.header.tensors) {
      if (!name.startsWith('run/') && !name.startsWith('callback/')) continue
      const whole = emptyTensor(place)
      for await (const { first, data } of this.#file.pieces(name)) whole.set(data, first)
      own.set(name, whole)
    }
    return own
  }

  /** Of what is not trained only the parameters themselves are there. */
  async #arena(arena: string, { parameters, dtype }: Model['descriptor']): Promise<FloatArray> {
    const sizes = parameters.map(({ shape }) => shape.reduce((product, length) => product * length, 1))
    const size = sizes.reduce((sum, one) => sum + one, 0)
    const elements = dtype === 'float64' ? new Float64Array(size) : new Float32Array(size)
    let begin = 0
    for (const [i, { name, trainable }] of parameters.entries()) {
      if (arena === 'parameters' || trainable) {
        for await (const { first, data } of this.#file.pieces(entryName(arena, name))) elements.set(data, begin + first)
      }
      begin += sizes[i]!
    }
    return elements
  }
}

/** Opens a checkpoint; its errors name the file. */
export async function withCheckpoint<Result>(
  path: string,
  work: (checkpoint: CheckpointReader) => Promise<Result>,
  options: { follow?: boolean | undefined } = {},
): Promise<Result> {
  try {
    const bytes = await openBytes(path, options)
    try {
      return await work(new CheckpointReader(await SafetensorsReader.open(bytes), bytes.size))
    } finally {
      await bytes.close()
    }
  } catch (error) {
    if (!(error instanceof GradusError)) throw fileError(path, error)
    if (error.message.startsWith(fileNameOf(path)) || error.code !== 'GRADUS_BAD_FILE') throw error
    throw new GradusError(error.code, `${fileNameOf(path)}: ${error.message}`, { cause: error })
  }
}

function parseRun(json: string | undefined): Record<string, unknown> {
  if (json === undefined) throw new GradusError('GRADUS_BAD_FILE', 'no checkpoint: its metadata have no entry "run"')
  const run = parseShallow(json)
  if (typeof run !== 'object' || run === null || Array.isArray(run)) throw damaged('its entry "run" is no record')
  const { format } = run as Record<string, unknown>
  if (format === formatVersion) return run as Record<string, unknown>
  const newer = Number(format) > formatVersion ? 'a newer Gradus wrote it' : 'its format is unknown'
  throw new GradusError(
    'GRADUS_BAD_FILE',
    `${newer}: format ${JSON.stringify(format)}, and this one reads ${formatVersion}`,
  )
}

function headOf({ id, kind, epochs, rows, step, record, watched, identity }: Record<string, unknown>): Head {
  const counts = [epochs, rows, step]
  if (typeof id !== 'string' || (kind !== 'epoch' && kind !== 'steps'))
    throw damaged('its entry "run" says not of which run')
  if (!counts.every((count) => Number.isSafeInteger(count) && (count as number) >= 0))
    throw damaged('its counts are none')
  if (typeof identity !== 'object' || identity === null) throw damaged('its entry "run" has no identity')
  const numbers = decodeValue(record ?? null, new Map()) as Head['record']
  return { id, kind, epochs, rows, step, record: numbers, watched: watchedOf(watched), identity } as Head
}

function watchedOf(value: unknown): Watched | null {
  const { column, mode } = (value ?? {}) as Partial<Watched>
  return typeof column === 'string' && (mode === 'min' || mode === 'max') ? { column, mode } : null
}
