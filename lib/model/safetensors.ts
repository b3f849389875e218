/**
 * The safetensors format (github.com/huggingface/safetensors): the length of the header as 8 bytes, little-endian; a JSON
 * header that gives each tensor's dtype, shape and place; the bytes of the tensors, row-major, without gaps. Here headers
 * are encoded and decoded; model/file.ts reads and writes the files.
 */
import { GradusError } from '../errors.js'

/** The dtypes that Gradus reads and writes. */
const arrays = { F32: Float32Array, F64: Float64Array, I32: Int32Array, U8: Uint8Array } as const
type DtypeName = keyof typeof arrays
export type TensorData = Float32Array | Float64Array | Int32Array | Uint8Array

export interface Tensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: TensorData
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

/** The format's own limit. */
export const maxHeaderLength = 100_000_000

export function badFile(what: string, cause?: unknown): GradusError {
  return new GradusError('GRADUS_BAD_FILE', what, cause === undefined ? undefined : { cause })
}

export function emptyTensor({ dtype, begin, end }: TensorPlace): TensorData {
  const TypedArray = arrays[dtype]
  return new TypedArray((end - begin) / TypedArray.BYTES_PER_ELEMENT)
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
  if (length > maxHeaderLength) throw new GradusError('GRADUS_TOO_LARGE', 'the header would be longer than 100 MB')
  const bytes = new Uint8Array(8 + length).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.set(json, 8)
  return bytes
}

const dtypeOf = (data: TensorData): DtypeName =>
  (Object.keys(arrays) as DtypeName[]).find((name) => data instanceof arrays[name])!

/** Trusts nothing; `dataLength` is what the file has after the header. */
export function decodeHeader(bytes: Uint8Array, dataLength: number): Header {
  const entries = Object.entries(parseObject(bytes))
  const tensors = new Map<string, TensorPlace>()
  let metadata: Record<string, string> = {}
  for (const [name, entry] of entries) {
    if (name === '__metadata__') metadata = checkMetadata(entry)
    else tensors.set(name, checkTensor(name, entry))
  }
  checkPlaces(tensors, dataLength)
  return { metadata, tensors }
}

function parseObject(bytes: Uint8Array): object {
  if (bytes[0] !== 0x7b) throw badFile('the header does not begin with "{"')
  let value: unknown
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch (error) {
    throw badFile('the header is not JSON in UTF-8', error)
  }
  const twice = repeatedKey(text)
  if (twice !== undefined) throw badFile(`the header has the key ${short(twice)} twice in one object`)
  return value as object
}

/** A key that an object of this valid JSON has twice; `JSON.parse` would keep the last one in silence. */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = []
  for (let i = 0; i < json.length; i++) {
    if (json[i] === '{') open.push(new Set())
    else if (json[i] === '}') open.pop()
    else if (json[i] === '"') {
      const begin = i
      for (i++; json[i] !== '"'; i++) if (json[i] === '\\') i++
      let next = i + 1
      while (json.charCodeAt(next) <= 0x20) next++
      if (json[next] !== ':') continue
      const key = JSON.parse(json.slice(begin, i + 1)) as string
      if (open.at(-1)!.has(key)) return key
      open.at(-1)!.add(key)
    }
  }
  return undefined
}

function checkMetadata(entry: unknown): Record<string, string> {
  if (!isObject(entry) || Object.values(entry).some((value) => typeof value !== 'string')) {
    throw badFile('__metadata__ is not an object of strings')
  }
  return entry as Record<string, string>
}

function checkTensor(name: string, entry: unknown): TensorPlace {
  const tensor = `tensor ${short(name)}`
  if (!isObject(entry)) throw badFile(`${tensor} is not an object`)
  const extra = Object.keys(entry).find((key) => !['dtype', 'shape', 'data_offsets'].includes(key))
  if (extra !== undefined) throw badFile(`${tensor} has an unknown entry ${short(extra)}`)
  const { dtype, shape, data_offsets: offsets } = entry
  if (typeof dtype !== 'string' || !Object.hasOwn(arrays, dtype)) {
    throw badFile(`${tensor} has the dtype ${short(dtype)}; known are ${Object.keys(arrays).join(', ')}`)
  }
  if (!Array.isArray(shape) || !shape.every(isLength)) throw badFile(`${tensor} has a shape that is not of lengths`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isLength)) {
    throw badFile(`${tensor} has data_offsets that are not two lengths`)
  }
  const [begin, end] = offsets as [number, number]
  const size = shape.reduce((product: number, length: number) => product * length, 1)
  const needed = size * arrays[dtype as DtypeName].BYTES_PER_ELEMENT
  // A product beyond 2^53 is inexact, but then it is also longer than any file.
  if (!Number.isSafeInteger(needed)) throw badFile(`${tensor} has a shape of more than 2^53 bytes`)
  if (end - begin !== needed) throw badFile(`${tensor} has ${end - begin} bytes, and its shape needs ${needed}`)
  return { dtype: dtype as DtypeName, shape, begin, end }
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

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isLength = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

const short = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
