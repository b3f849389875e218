/** Columns of numbers as users give them (typed arrays, nested arrays, tables), read row by row. */
import { describe, GradusError, invalidArgument } from '../errors.js'

export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array

/** An array with one entry an example: a number, an array of numbers to any depth, or a typed array. */
export type NestedArray = readonly (number | NumberArray | NestedArray)[]

/** Numbers with their shape, examples first, as {@link readIdx} and {@link readNpy} give them. */
export interface Table {
  data: NumberArray
  /** (examples, …). */
  shape?: readonly number[]
  /** For 8-bit data: an element v stands for `v * scale + offset`. Default 1/255 in inputs, 1 elsewhere. */
  scale?: number
  /** Default 0. */
  offset?: number
}

export type ColumnData = NumberArray | NestedArray | Table

/** A column whose rows are known: `read` gives the elements of some rows, flat. */
export interface OpenColumn {
  /** How errors name it: `x`, `x.left`, `y`. */
  argument: string
  rows: number
  /** Of one row. */
  elements: number
  /** Of a typed array, not of nested ones. */
  isFlat: boolean
  /** Kept as bytes in native memory, with this meaning; null for everything that becomes float or int32. */
  bytes: { scale: number; offset: number } | null
  /** The elements of rows first … first + count − 1. Valid until the next call: a view of the user's memory, or a buffer. */
  read(first: number, count: number): NumberArray
}

export function isNumberArray(value: unknown): value is NumberArray {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView) &&
    !(value instanceof BigInt64Array) &&
    !(value instanceof BigUint64Array)
  )
}

/** `{ data }` with nothing but a table's keys; anything else that is an object holds named columns. */
export function isTable(value: unknown): value is Table {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false
  const known = ['data', 'shape', 'scale', 'offset']
  return 'data' in value && isNumberArray(value.data) && Object.keys(value).every((key) => known.includes(key))
}

/** One column, not a record of them. */
export function isColumn(value: unknown): value is ColumnData {
  return Array.isArray(value) || ArrayBuffer.isView(value) || isTable(value)
}

export function product(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1)
}

/** Elements of one row when there are `rows` of them; null when that cannot be known (no rows). */
export function elementsPerRow(argument: string, data: ColumnData, rows: number): number | null {
  if (Array.isArray(data)) return data.length > 0 ? countNumbers(data[0]) : null
  const table = asTable(argument, data)
  if (table.shape) return product(table.shape.slice(1))
  if (rows === 0) return null
  if (table.data.length % rows !== 0) {
    throw invalidArgument(argument, `the same count of numbers for each of ${rows} rows`, table.data)
  }
  return table.data.length / rows
}

/** Opens a column whose rows have `elements` numbers; `defaultScale` is that of bytes without a scale of their own. */
export function openColumn(argument: string, data: ColumnData, elements: number, defaultScale: number): OpenColumn {
  return Array.isArray(data)
    ? openNested(argument, data as NestedArray, elements)
    : openTable(argument, asTable(argument, data), elements, defaultScale)
}

function openTable(argument: string, table: Table, elements: number, defaultScale: number): OpenColumn {
  const { data, shape } = table
  const length = data.length
  if (shape && product(shape) !== length) {
    throw invalidArgument(argument, `${product(shape)} numbers for the shape [${shape}]`, data)
  }
  if (shape && product(shape.slice(1)) !== elements) {
    const expected = `${elements} numbers an example`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `${argument}: expected ${expected}, received the shape [${shape}]`)
  }
  if (elements === 0 || length % elements !== 0) {
    throw invalidArgument(argument, `a multiple of ${elements} numbers, one example's`, data)
  }
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray
  if (!isBytes && (table.scale !== undefined || table.offset !== undefined)) {
    throw invalidArgument(`${argument}.scale`, 'scale and offset only with a Uint8Array', data)
  }
  return {
    argument,
    rows: length / elements,
    elements,
    isFlat: true,
    bytes: isBytes ? { scale: table.scale ?? defaultScale, offset: table.offset ?? 0 } : null,
    read(first, count) {
      if (data.length !== length) throw invalidArgument(argument, `still ${length} numbers (was it transferred?)`, data)
      return data.subarray(first * elements, (first + count) * elements)
    },
  }
}

function openNested(argument: string, rows: NestedArray, elements: number): OpenColumn {
  let buffer = new Float64Array(0)
  return {
    argument,
    rows: rows.length,
    elements,
    isFlat: false,
    bytes: null,
    read(first, count) {
      if (buffer.length < count * elements) buffer = new Float64Array(count * elements)
      const out = buffer.subarray(0, count * elements)
      for (let i = 0; i < count; i++) {
        const end = flatten(`${argument}[${first + i}]`, rows[first + i], out, i * elements, (i + 1) * elements)
        if (end !== (i + 1) * elements) {
          const expected = `${elements} numbers`
          throw invalidArgument(`${argument}[${first + i}]`, expected, `${countNumbers(rows[first + i])} of them`)
        }
      }
      return out
    },
  }
}

/** Writes the numbers of one row from `at` on; returns where it ended, which is past `end` when there are too many. */
function flatten(argument: string, value: unknown, out: Float64Array, at: number, end: number): number {
  if (typeof value === 'number') {
    if (at < end) out[at] = value
    return at + 1
  }
  if (isNumberArray(value)) {
    if (at + value.length <= end) out.set(value, at)
    return at + value.length
  }
  if (!Array.isArray(value)) throw invalidArgument(argument, 'numbers', value)
  for (const item of value) at = flatten(argument, item, out, at, end)
  return at
}

export function countNumbers(value: unknown): number {
  if (isNumberArray(value)) return value.length
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countNumbers(item), 0)
  return 1
}

/** A typed array or a table as a table, checked. */
export function asTable(argument: string, data: unknown): Table {
  if (isNumberArray(data)) return { data }
  if (!isTable(data)) {
    const hint = data instanceof BigInt64Array || data instanceof BigUint64Array ? ' (not of 64-bit integers)' : ''
    throw invalidArgument(argument, `a typed array${hint}, nested arrays of numbers or { data, shape }`, data)
  }
  const { shape, scale = 1, offset = 0 } = data
  if (shape && !(Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0))) {
    throw invalidArgument(`${argument}.shape`, 'an array of whole numbers', shape)
  }
  if (!Number.isFinite(scale) || !Number.isFinite(offset)) {
    throw invalidArgument(`${argument}.scale`, 'finite numbers for scale and offset', describe(scale))
  }
  return data
}

/** The rows of a column in a new order, as a column of the same kind. */
export function takeRows(argument: string, data: ColumnData, rows: Uint32Array, total: number): ColumnData {
  if (Array.isArray(data)) return Array.from(rows, (row) => data[row])
  const table = asTable(argument, data)
  const elements = elementsPerRow(argument, data, total) ?? 0
  // A Buffer is a Uint8Array, but is not made with new.
  const Type = table.data instanceof Uint8Array ? Uint8Array : (table.data.constructor as typeof Float64Array)
  const taken: NumberArray = new Type(rows.length * elements)
  for (const [i, row] of rows.entries()) {
    taken.set(table.data.subarray(row * elements, (row + 1) * elements), i * elements)
  }
  if (data !== table) return taken
  return { ...table, data: taken, ...(table.shape && { shape: [rows.length, ...table.shape.slice(1)] }) }
}
