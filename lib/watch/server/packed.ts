/** Columns of numbers within JSON: base64 of their little-endian bytes, which is far less work than digits on both sides. */

/** A column of numbers as it arrives; null where there is none. */
export type Column = readonly (number | null)[]

/** What has columns, as it arrives. */
export type Wire<T> = T extends Float64Array | Uint32Array
  ? Column
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Wire<T[Key]> }
      : T

type Packed = { readonly float32: string } | { readonly uint32: string }

/** Numbers of steps stay exact; others were recorded as float32, and six digits are more than a screen shows. */
function pack(column: Float64Array | Uint32Array): Packed {
  const isWhole = column instanceof Uint32Array
  const { buffer, byteOffset, byteLength } = isWhole ? column : new Float32Array(column)
  const bytes = Buffer.from(buffer, byteOffset, byteLength).toString('base64')
  return isWhole ? { uint32: bytes } : { float32: bytes }
}

/** Packs the columns in a value; what stands in its place is typed as what arrives. */
export function packAll<T>(value: T): Wire<T> {
  return packEach(value) as Wire<T>
}

function packEach(value: unknown): unknown {
  if (value instanceof Float64Array || value instanceof Uint32Array) return pack(value)
  if (Array.isArray(value)) return value.map(packEach)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, packEach(item)]))
}

/** Puts the columns back into what came as JSON; null where there is no number. */
export function unpackAll(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return typeof value[0] === 'object' ? value.map(unpackAll) : value
  const { float32, uint32 } = value as { float32?: unknown; uint32?: unknown }
  if (typeof float32 === 'string') return numbers(new Float32Array(bytesOf(float32)))
  if (typeof uint32 === 'string') return Array.from(new Uint32Array(bytesOf(uint32)))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpackAll(item)]))
}

/** What has columns, as it arrives where they stay as they are: NaN where there is no number. */
export type Typed<T> = T extends Float64Array
  ? Float32Array
  : T extends Uint32Array
    ? Uint32Array
    : T extends readonly (infer Item)[]
      ? readonly Typed<Item>[]
      : T extends object
        ? { readonly [Key in keyof T]: Typed<T[Key]> }
        : T

/** As {@link unpackAll}, for many numbers: no list is made of them. */
export function unpackTyped(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return typeof value[0] === 'object' ? value.map(unpackTyped) : value
  const { float32, uint32 } = value as { float32?: unknown; uint32?: unknown }
  if (typeof float32 === 'string') return withoutInfinities(new Float32Array(bytesOf(float32)))
  if (typeof uint32 === 'string') return new Uint32Array(bytesOf(uint32))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpackTyped(item)]))
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
