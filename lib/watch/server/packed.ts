/**
 * Columns of numbers on their way to the page, in far less work than digits are on both sides: as base64 within JSON, or, where
 * they are most of an answer, as the bytes behind it.
 */

/** A column of numbers as it arrives within JSON; null where there is none. */
export type Column = readonly (number | null)[]

/** What has columns, as it arrives within JSON. */
export type Wire<T> = T extends Float64Array | Uint32Array
  ? Column
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Wire<T[Key]> }
      : T

/** Numbers of steps stay exact; others were recorded as float32, and six digits are more than a screen shows. */
type Sent = Uint32Array | Float32Array

/** What is sent of a column; null of what is none. */
function sentOf(value: object): Sent | null {
  if (value instanceof Uint32Array || value instanceof Float32Array) return value
  return value instanceof Float64Array ? new Float32Array(value) : null
}

/** A value with what `pack` makes of each column in its place, under a name that says what it was. */
function packEach(value: unknown, pack: (column: Sent) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => packEach(item, pack))
  const column = sentOf(value)
  if (column !== null) return { [column instanceof Uint32Array ? 'uint32' : 'float32']: pack(column) }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, packEach(item, pack)]))
}

/** The other way: what `unpack` makes of whatever stands for a column; it tells what does by undefined for all else. */
function unpackEach(value: unknown, unpack: (packed: unknown, of: 'uint32' | 'float32') => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return typeof value[0] === 'object' ? value.map((item) => unpackEach(item, unpack)) : value
  const { uint32, float32 } = value as { uint32?: unknown; float32?: unknown }
  const column = unpack(uint32, 'uint32') ?? unpack(float32, 'float32')
  return column ?? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpackEach(item, unpack)]))
}

/** Packs the columns in a value for JSON; what stands in its place is typed as what arrives. */
export const packAll = <T>(value: T): Wire<T> =>
  packEach(value, ({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
  ) as Wire<T>

/** Puts the columns back into what came as JSON; null where there is no number. */
export const unpackAll = (value: unknown): unknown =>
  unpackEach(value, (packed, of) => {
    if (typeof packed !== 'string') return undefined
    const bytes = bytesOf(packed)
    return of === 'uint32' ? Array.from(new Uint32Array(bytes)) : numbers(new Float32Array(bytes))
  })

/** Of the JSON's length, which stands before it. */
const lengthBytes = 4

/** The JSON of a value, and its columns behind that: little-endian, each where elements of four bytes may begin. */
export function packBytes(value: unknown): Uint8Array {
  const columns: Sent[] = []
  let size = 0
  const rest = packEach(value, (column) => {
    columns.push(column)
    const place = [size, column.length]
    size += column.byteLength
    return place
  })
  const json = new TextEncoder().encode(JSON.stringify(rest))
  const begin = lengthBytes + 4 * Math.ceil(json.length / 4)
  const bytes = new Uint8Array(begin + size)
  new DataView(bytes.buffer).setUint32(0, json.length, true)
  bytes.set(json, lengthBytes)
  let at = begin
  for (const { buffer, byteOffset, byteLength } of columns) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at += byteLength
  }
  return bytes
}

/** What {@link packBytes} was given, with columns that lie in these bytes: NaN where there is no number. */
export function unpackBytes(bytes: ArrayBuffer): unknown {
  const length = new DataView(bytes).getUint32(0, true)
  const begin = lengthBytes + 4 * Math.ceil(length / 4)
  const value: unknown = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, lengthBytes, length)))
  return unpackEach(value, (packed, of) => {
    if (!Array.isArray(packed)) return undefined
    const [from, count] = packed as [number, number]
    if (of === 'uint32') return new Uint32Array(bytes, begin + from, count)
    return withoutInfinities(new Float32Array(bytes, begin + from, count))
  })
}

function withoutInfinities(column: Float32Array): Float32Array {
  for (let i = 0; i < column.length; i++) if (!Number.isFinite(column[i])) column[i] = Number.NaN
  return column
}

function numbers(column: Float32Array): (number | null)[] {
  const values: (number | null)[] = Array.from(column)
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(column[i])) values[i] = null
  return values
}

function bytesOf(base64: string): ArrayBuffer {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes.buffer
}
