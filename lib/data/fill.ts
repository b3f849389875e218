/** Copies columns into native memory a slice at a time, checking each value, so that the event loop stays free. */
import { setImmediate as nextTick } from 'node:timers/promises'
import { isFloat32Array, isFloat64Array, isSharedArrayBuffer } from 'node:util/types'
import { GradusError } from '../errors.js'
import type { ColumnRole, FloatArray, NativeDataset, TypedArray } from '../native.js'
import type { NumberArray, OpenColumn } from './column.js'
import { checkProbabilities, type Probabilities, rangeOf } from './probabilities.js'

/** Numbers copied in one go, less than a millisecond of work: as they are, or converted one by one. */
const slice = { copied: 1 << 16, converted: 1 << 13 }

/** What a column becomes. `whole`: integers from 0 to below `limit`, named `meaning` in errors. */
export type Conversion =
  | { type: 'float32' | 'float64'; nonNegative?: boolean | undefined; probabilities?: Probabilities | undefined }
  | { type: 'uint8'; probabilities?: Probabilities | undefined }
  | { type: 'int32'; limit: number; meaning: string }

/** Fills one native column. Error: `GRADUS_INVALID_DATA` names the first bad row. */
export async function fill(
  dataset: NativeDataset,
  role: ColumnRole,
  index: number,
  column: OpenColumn,
  conversion: Conversion,
): Promise<void> {
  const elements = column.isFlat && conversion.type !== 'int32' ? slice.copied : slice.converted
  const rows = Math.max(1, Math.floor(elements / Math.max(1, column.elements)))
  const convert = converter(column, conversion)
  for (let first = 0; first < column.rows; first += rows) {
    if (first > 0) await nextTick()
    const count = Math.min(rows, column.rows - first)
    dataset.write(role, index, first * column.elements, convert(readOwn(column, first, count), first))
  }
}

/** All of a column, checked, as it would be in native memory. */
export function convertAll(column: OpenColumn, conversion: Conversion): TypedArray {
  return converter(column, conversion)(readOwn(column, 0, column.rows), 0)
}

/** Memory shared with other threads may change between check and use: the check is made on a copy. */
function readOwn(column: OpenColumn, first: number, count: number): NumberArray {
  const values = column.read(first, count)
  return isSharedArrayBuffer(values.buffer) ? values.slice() : values
}

type Converter = (values: NumberArray, firstRow: number) => TypedArray

/** The arrays converters return are used again for the next slice: garbage by the megabyte would cost pauses. */
function converter(column: OpenColumn, conversion: Conversion): Converter {
  if (conversion.type === 'int32' || !conversion.probabilities) return plainConverter(column, conversion)
  const { probabilities } = conversion
  const convert = plainConverter(column, conversion)
  return (values, firstRow) => {
    const numbers = convert(values, firstRow)
    checkProbabilities(column, probabilities, numbers, firstRow)
    return numbers
  }
}

function plainConverter(column: OpenColumn, conversion: Conversion): Converter {
  if (conversion.type === 'uint8') return (values) => new Uint8Array(values.buffer, values.byteOffset, values.length)
  if (conversion.type === 'int32') return wholeNumbers(column, conversion)
  const { type, nonNegative } = conversion
  const Type = type === 'float32' ? Float32Array : Float64Array
  const isOfType = type === 'float32' ? isFloat32Array : isFloat64Array
  const converted = reused(Type as new (length: number) => FloatArray)
  return (values, firstRow) => {
    const numbers = isOfType(values) ? values : converted(values)
    if (!nonNegative && areFinite(numbers)) return numbers
    const bad = firstBad(numbers, nonNegative ? 0 : -Infinity)
    if (bad < 0) return numbers
    const expected = nonNegative ? 'a finite number from 0 up' : `a finite ${type} number`
    throw badValue(column, firstRow, bad, expected, values[bad] as number)
  }
}

function wholeNumbers(column: OpenColumn, { limit, meaning }: { limit: number; meaning: string }): Converter {
  const [exact, whole] = [reused(Float64Array), reused(Int32Array)]
  return (values, firstRow) => {
    const numbers = exact(values)
    const bad = numbers.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value < limit))
    if (bad < 0) return whole(numbers)
    const hint = meaning === 'class number' && beginAtOne(column, limit) ? '; the labels begin at 1: subtract 1' : ''
    throw badValue(column, firstRow, bad, `a ${meaning} from 0 to ${limit - 1}`, numbers[bad] as number, hint)
  }
}

/** Whether the numbers go from 1 to `limit`. */
function beginAtOne(column: OpenColumn, limit: number): boolean {
  const { low, high } = rangeOf(column)
  return low === 1 && high === limit
}

/** Copies numbers into an array of the type, the same one each time while it is long enough. */
function reused<T extends FloatArray | Int32Array>(Type: new (length: number) => T) {
  let array = new Type(0)
  return (values: NumberArray): T => {
    if (array.length < values.length) array = new Type(values.length)
    const part = array.subarray(0, values.length) as T
    part.set(values)
    return part
  }
}

/** Zero times anything else is no number, and neither is a sum with that: one test at the end takes half the time of one each. */
export function areFinite(numbers: FloatArray): boolean {
  let zero = 0
  for (let i = 0; i < numbers.length; i++) zero += (numbers[i] as number) * 0
  return zero === 0
}

function firstBad(numbers: FloatArray, least: number): number {
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] as number
    if (!(Math.abs(value) < Infinity && value >= least)) return i
  }
  return -1
}

function badValue(
  column: OpenColumn,
  firstRow: number,
  at: number,
  expected: string,
  value: number,
  hint = '',
): GradusError {
  const row = firstRow + Math.floor(at / column.elements)
  const place = column.elements > 1 ? `row ${row}, column ${at % column.elements}` : `row ${row}`
  const message = `${column.argument}, ${place}: expected ${expected}, received ${value}${hint}`
  return new GradusError('GRADUS_INVALID_DATA', message)
}
