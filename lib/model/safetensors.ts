/**
 * The safetensors format (github.com/huggingface/safetensors): the length of the header as 8 bytes, little-endian; a JSON
 * header that gives each tensor's dtype, shape and place; the bytes of the tensors, row-major, without gaps. Here headers
 * are encoded and decoded; model/file.ts reads and writes the files.
 */
import { GradusError } from '../errors.js'
import { JsonReader, notJson, short } from './json-reader.js'

/** The dtypes that Gradus writes, and reads as they are. */
const arrays = { F32: Float32Array, F64: Float64Array, I32: Int32Array, U8: Uint8Array } as const
type WrittenDtype = keyof typeof arrays
/** Bytes of an element. Halves are read as floats; what else there is beside it may lie in a file and is passed over. */
const sizes = {
  ...{ F32: 4, F64: 8, I32: 4, U8: 1, F16: 2, BF16: 2 },
  ...{ BOOL: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, I16: 2, U16: 2, U32: 4, I64: 8, U64: 8 },
} as const
type DtypeName = keyof typeof sizes
export type TensorData = Float32Array | Float64Array | Int32Array | Uint8Array

/** Elements that lie elsewhere, and are copied out piece by piece. */
export interface StoredData {
  readonly dtype: WrittenDtype
  readonly byteLength: number
  /** Fills `bytes`, whole elements at the beginning of their own memory, with those from byte `begin` on. */
  copy(begin: number, bytes: Uint8Array): void
}

export interface Tensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: TensorData | StoredData
}

/** Where a tensor lies in the file. */
export interface TensorPlace {
  readonly dtype: DtypeName
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

export interface Header {
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, TensorPlace>
}

/** Enough for 100,000 tensors, or the words of a language. The format itself allows 100 MB. */
export const maxHeaderLength = 16_000_000

export function badFile(what: string, cause?: unknown): GradusError {
  return new GradusError('GRADUS_BAD_FILE', what, cause === undefined ? undefined : { cause })
}

const isWritten = (dtype: DtypeName): dtype is WrittenDtype => Object.hasOwn(arrays, dtype)
export const isHalf = (dtype: DtypeName): dtype is 'F16' | 'BF16' => dtype === 'F16' || dtype === 'BF16'

export const elementsOf = ({ dtype, begin, end }: TensorPlace): number => (end - begin) / sizes[dtype]

/** For its elements as they are read. */
export function emptyTensor(place: TensorPlace): TensorData {
  const { dtype } = place
  if (isHalf(dtype)) return new Float32Array(elementsOf(place))
  if (!isWritten(dtype)) throw badFile(`a tensor is ${dtype}, which is not read`)
  return new arrays[dtype](elementsOf(place))
}

/** Length and header, padded with spaces so that the data begin at a multiple of 8. */
export function encodeHeader(tensors: readonly Tensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  let end = 0
  const entries = tensors.map(({ name, shape, data }) => {
    const begin = end
    end += data.byteLength
    return [name, { dtype: dtypeOf(data), shape, data_offsets: [begin, end] }] as const
  })
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([['__metadata__', metadata], ...entries])))
  const length = Math.ceil(json.length / 8) * 8
  if (length > maxHeaderLength)
    throw new GradusError(
      'GRADUS_TOO_LARGE',
      'the header would be longer than 16 MB: so many layers, or so much metadata, a file cannot hold',
    )
  const bytes = new Uint8Array(8 + length).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.set(json, 8)
  return bytes
}

const dtypeOf = (data: TensorData | StoredData): WrittenDtype =>
  'dtype' in data ? data.dtype : (Object.keys(arrays) as WrittenDtype[]).find((name) => data instanceof arrays[name])!

/** Trusts nothing; `dataLength` is what the file has after the header. */
export function decodeHeader(bytes: Uint8Array, dataLength: number): Header {
  if (bytes[0] !== 0x7b) throw badFile('the header does not begin with "{"')
  const json = new JsonReader(textOf(bytes))
  const tensors = new Map<string, TensorPlace>()
  let metadata: Record<string, string> = {}
  for (const name of json.keys()) {
    if (name === '__metadata__') metadata = readMetadata(json)
    else tensors.set(name, readTensor(json, name))
  }
  json.end()
  checkPlaces(tensors, dataLength)
  return { metadata, tensors }
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw notJson(error)
  }
}

function readMetadata(json: JsonReader): Record<string, string> {
  const entries: [string, string][] = []
  const problem = '__metadata__ is not an object of strings'
  if (!json.begins('{')) throw badFile(problem)
  for (const key of json.keys()) {
    if (!json.begins('"')) throw badFile(problem)
    if (entries.length === 1000) throw badFile('__metadata__ has more than 1,000 entries')
    entries.push([key, json.string()])
  }
  return Object.fromEntries(entries)
}

function readTensor(json: JsonReader, name: string): TensorPlace {
  const tensor = `tensor ${short(name)}`
  let dtype: string | undefined
  let shape: number[] | undefined
  let offsets: number[] | undefined
  if (!json.begins('{')) throw badFile(`${tensor} is not an object`)
  for (const key of json.keys()) {
    if (key === 'dtype') dtype = json.begins('"') ? json.string() : fail(`${tensor} has a dtype that is not a string`)
    else if (key === 'shape') shape = json.lengths() ?? fail(`${tensor} has a shape that is not of lengths`)
    else if (key === 'data_offsets')
      offsets = json.lengths() ?? fail(`${tensor} has data_offsets that are not two lengths`)
    else throw badFile(`${tensor} has an unknown entry ${short(key)}`)
  }
  if (dtype === undefined || !Object.hasOwn(sizes, dtype)) {
    throw badFile(`${tensor} has the dtype ${short(dtype)}; known are ${Object.keys(sizes).join(', ')}`)
  }
  if (!shape) throw badFile(`${tensor} has no shape`)
  if (offsets?.length !== 2) throw badFile(`${tensor} has data_offsets that are not two lengths`)
  return checkSizes(tensor, { dtype: dtype as DtypeName, shape, begin: offsets[0]!, end: offsets[1]! })
}

function checkSizes(tensor: string, place: TensorPlace): TensorPlace {
  const { dtype, shape, begin, end } = place
  const needed = shape.reduce((product, length) => product * length, sizes[dtype] as number)
  // A product beyond 2^53 is inexact, but then it is also longer than any file.
  if (!Number.isSafeInteger(needed)) throw badFile(`${tensor} has a shape of more than 2^53 bytes`)
  if (end - begin !== needed) throw badFile(`${tensor} has ${end - begin} bytes, and its shape needs ${needed}`)
  return place
}

function fail(what: string): never {
  throw badFile(what)
}

/** One after another, without gap or overlap, up to the end of the file. */
function checkPlaces(tensors: ReadonlyMap<string, TensorPlace>, dataLength: number): void {
  let position = 0
  for (const [name, { begin, end }] of [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== position) {
      const fault = begin < position ? 'overlaps the one before' : 'leaves a gap before it'
      throw badFile(`tensor ${short(name)} ${fault}: it begins at ${begin}, not ${position}`)
    }
    position = end
  }
  if (position !== dataLength) throw badFile(`the tensors need ${position} bytes, and the file has ${dataLength}`)
}
