/** Columns of numbers within JSON: base64 of their little-endian bytes, which is far less work than digits on both sides. */

type Packed = { readonly float32: string } | { readonly float64: string }

/** Six digits are more than a screen shows; whole numbers, as those of steps, stay exact. */
function isShort(value: number): boolean {
  if (Number.isInteger(value)) return Math.abs(value) <= 2 ** 24
  const size = Math.abs(Math.fround(value))
  return !Number.isFinite(value) || (size >= 2 ** -126 && size < Number.POSITIVE_INFINITY)
}

export function pack(column: Float64Array): Packed {
  const isAllShort = column.every(isShort)
  const { buffer, byteOffset, byteLength } = isAllShort ? new Float32Array(column) : column
  const bytes = Buffer.from(buffer, byteOffset, byteLength).toString('base64')
  return isAllShort ? { float32: bytes } : { float64: bytes }
}

/** Puts the columns back into what came as JSON; null where there is no number. */
export function unpackAll(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return typeof value[0] === 'object' ? value.map(unpackAll) : value
  const { float32, float64 } = value as { float32?: unknown; float64?: unknown }
  if (typeof float32 === 'string') return numbers(new Float32Array(bytesOf(float32)))
  if (typeof float64 === 'string') return numbers(new Float64Array(bytesOf(float64)))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpackAll(item)]))
}

const numbers = (column: Float32Array | Float64Array): (number | null)[] =>
  Array.from(column, (value) => (Number.isFinite(value) ? value : null))

function bytesOf(base64: string): ArrayBuffer {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes.buffer
}
