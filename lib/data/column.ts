/** Columns of numbers as users give them (typed arrays, nested arrays, tables), read row by row. */
import {
  isBigInt64Array,
  isBigUint64Array,
  isFloat32Array,
  isFloat64Array,
  isTypedArray,
  isUint8Array,
  isUint8ClampedArray,
} from 'node:util/types'
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

/** An array with one entry an example: a number, an array of numbers to any depth, or a typed array. True is 1, false is 0. */
export type NestedArray = readonly (number | boolean | NumberArray | NestedArray)[]

/** One number for all, or one for each element of the last dimension. */
export type ByteScale = number | readonly number[]

/** What bytes stand for: two numbers, or two arrays of one length. */
export interface BytesScale {
  readonly scale: ByteScale
  readonly offset: ByteScale
}

/** Numbers with their shape, examples first, as {@link readIdx} and {@link readNpy} give them. */
export interface Table {
  data: NumberArray
  /** (examples, …). */
  shape?: readonly number[] | undefined
  /**
   * For 8-bit data: an element v stands for `v * scale + offset`, or with an array of as many numbers as the last dimension has
   * elements, such as an image's channels, for `v * scale[c] + offset[c]`. Default in inputs what it was in training, and there
   * 1/255; elsewhere 1. Of other numbers only 1: they stand for themselves.
   */
  scale?: ByteScale | undefined
  /** Default 0. */
  offset?: ByteScale | undefined
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
  bytes: BytesScale | null
  /** The elements of rows first … first + count − 1. Valid until the next call: a view of the user's memory, or a buffer. */
  read(first: number, count: number): NumberArray
}

/** Of any realm: arrays from a `vm` context or from Jest are no `instanceof` anything here. */
export function isNumberArray(value: unknown): value is NumberArray {
  return isTypedArray(value) && !isLongArray(value)
}

const isLongArray = (value: unknown): boolean => isBigInt64Array(value) || isBigUint64Array(value)

export const isByteArray = (value: unknown): boolean => isUint8Array(value) || isUint8ClampedArray(value)

export const isFloatArray = (value: unknown): boolean => isFloat32Array(value) || isFloat64Array(value)

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
  if (Array.isArray(data)) return data.length > 0 ? countNumbers(data[0], `${argument}[0]`) : null
  const table = asTable(argument, data)
  if (table.shape) return product(table.shape.slice(1))
  if (rows === 0) return null
  if (table.data.length % rows !== 0) {
    throw invalidArgument(argument, `${rows} rows (a multiple of ${rows} numbers)`, table.data)
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
  const isBytes = isByteArray(data)
  // A scale of 1 says that numbers stand for themselves.
  if (!isBytes && ((table.scale ?? 1) !== 1 || (table.offset ?? 0) !== 0)) {
    throw invalidArgument(`${argument}.scale`, 'scale and offset only with a Uint8Array', data)
  }
  return {
    argument,
    rows: length / elements,
    elements,
    isFlat: true,
    bytes: isBytes ? bytesScale(table, defaultScale) : null,
    read(first, count) {
      if (data.length !== length) throw invalidArgument(argument, `still ${length} numbers (was it transferred?)`, data)
      return data.subarray(first * elements, (first + count) * elements)
    },
  }
}

/** As a table says it, or else by this scale. */
function bytesScale({ scale, offset = 0 }: Table, defaultScale: number): BytesScale {
  const own = scale ?? defaultScale
  const longer = Array.isArray(own) ? own : Array.isArray(offset) ? offset : null
  if (!longer) return { scale: own, offset }
  const all = (of: ByteScale) => (typeof of === 'number' ? longer.map(() => of) : of)
  return { scale: all(own), offset: all(offset) }
}

/** By element of an example: what is multiplied and what is added, where numbers stand for others. */
export function scalesOf(bytes: BytesScale | null, elements: number): { scales: Float64Array; offsets: Float64Array } {
  const { scale, offset } = bytes ?? { scale: 1, offset: 0 }
  const all = (of: ByteScale) =>
    Float64Array.from({ length: elements }, (_, i) => (typeof of === 'number' ? of : of[i % of.length]!))
  return { scales: all(scale), offsets: all(offset) }
}

function openNested(argument: string, rows: NestedArray, elements: number): OpenColumn {
  if (elements > 1 && isNumber(rows[0])) {
    const example = rows.length === elements && elements <= 8 ? `[[${rows}]]` : '[[…]]'
    throw invalidArgument(
      argument,
      `an array of ${elements} numbers for each example (a single one is ${example})`,
      rows,
    )
  }
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
        const place = `${argument}[${first + i}]`
        const end = flatten(place, rows[first + i], out, i * elements, (i + 1) * elements)
        if (end !== (i + 1) * elements) {
          throw invalidArgument(place, countOf(elements), countNumbers(rows[first + i], place))
        }
      }
      return out
    },
  }
}

const isNumber = (value: unknown) => typeof value === 'number' || typeof value === 'boolean'

const countOf = (elements: number): string => (elements === 1 ? '1 number' : `${elements} numbers`)

/** Arrays in arrays, as deep as anybody nests them; what holds itself has no end. */
const deepest = 64
/** Numbers that a nested row is believed to have. */
const mostNumbers = 2 ** 24

/** Writes the numbers of one row from `at` on; returns where it ended, which is past `end` when there are too many. */
function flatten(argument: string, value: unknown, out: Float64Array, at: number, end: number, depth = 0): number {
  if (isNumber(value)) {
    if (at < end) out[at] = Number(value)
    return at + 1
  }
  if (isNumberArray(value)) {
    if (at + value.length <= end) out.set(value, at)
    return at + value.length
  }
  checkNested(argument, value, depth)
  for (let i = 0; i < value.length && at <= end; i++) at = flatten(argument, value[i], out, at, end, depth + 1)
  return at
}

function checkNested(argument: string, value: unknown, depth: number): asserts value is unknown[] {
  if (!Array.isArray(value)) {
    const hint = typeof value === 'string' ? ' (names of classes stand in y, one an example; readCsv reads files)' : ''
    throw invalidArgument(argument, `numbers${hint}`, value)
  }
  if (depth < deepest) return
  const message = `${argument}: expected arrays at most ${deepest} deep, received deeper ones, or one that holds itself`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** Numbers in nested arrays; counted no further than to one beyond `most`. */
export function countNumbers(value: unknown, argument: string, most = mostNumbers, depth = 0): number {
  if (isNumberArray(value)) return value.length
  if (!Array.isArray(value)) return 1
  checkNested(argument, value, depth)
  let count = 0
  for (let i = 0; i < value.length && count <= most; i++) count += countNumbers(value[i], argument, most, depth + 1)
  return count
}

/** A typed array or a table as a table, checked. */
export function asTable(argument: string, data: unknown): Table {
  if (isNumberArray(data)) return { data }
  if (!isTable(data)) {
    const hint = isLongArray(data) ? ' (not of 64-bit integers)' : ''
    throw invalidArgument(argument, `a typed array${hint}, nested arrays of numbers or { data, shape }`, data)
  }
  const { shape, scale = 1, offset = 0 } = data
  if (shape && !(Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0))) {
    throw invalidArgument(`${argument}.shape`, 'an array of whole numbers', shape)
  }
  if (![scale, offset].every(isScale)) {
    throw invalidArgument(`${argument}.scale`, 'finite numbers for scale and offset', describe(scale))
  }
  if (Array.isArray(scale) && Array.isArray(offset) && scale.length !== offset.length) {
    throw invalidArgument(`${argument}.offset`, `${scale.length} numbers, as many as there are scales`, offset.length)
  }
  return data
}

/** A finite number, or an array of at least one. */
export const isScale = (value: unknown): value is ByteScale =>
  Array.isArray(value) ? value.length > 0 && value.every(Number.isFinite) : Number.isFinite(value)

/** The rows of a column in a new order, as a column of the same kind. */
export function takeRows(argument: string, data: ColumnData, rows: Uint32Array, total: number): ColumnData {
  if (Array.isArray(data)) return Array.from(rows, (row) => data[row])
  const table = asTable(argument, data)
  const elements = elementsPerRow(argument, data, total) ?? 0
  // A Buffer is a Uint8Array, but is not made with new.
  const Type = isUint8Array(table.data) ? Uint8Array : (table.data.constructor as typeof Float64Array)
  const taken: NumberArray = new Type(rows.length * elements)
  for (const [i, row] of rows.entries()) {
    taken.set(table.data.subarray(row * elements, (row + 1) * elements), i * elements)
  }
  if (data !== table) return taken
  return { ...table, data: taken, ...(table.shape && { shape: [rows.length, ...table.shape.slice(1)] }) }
}
