/** Copies columns into native memory a slice at a time, checking each value, so that the event loop stays free. */
import { setImmediate as nextTick } from 'node:timers/promises'
import { GradusError } from '../errors.js'
import type { ColumnRole, NativeDataset, TypedArray } from '../native.js'
import type { NumberArray, OpenColumn } from './column.js'

/** Numbers copied in one go: about a millisecond of work. */
const sliceElements = 1 << 18

/** What a column becomes. `whole`: integers from 0 to below `limit`, named `meaning` in errors. */
export type Conversion =
  | { type: 'float32' | 'float64'; nonNegative?: boolean }
  | { type: 'uint8' }
  | { type: 'int32'; limit: number; meaning: string }

/** Fills one native column. Error: `GRADUS_INVALID_DATA` names the first bad row. */
export async function fill(
  dataset: NativeDataset,
  role: ColumnRole,
  index: number,
  column: OpenColumn,
  conversion: Conversion,
): Promise<void> {
  const rows = Math.max(1, Math.floor(sliceElements / Math.max(1, column.elements)))
  const convert = converter(column, conversion)
  for (let first = 0; first < column.rows; first += rows) {
    if (first > 0) await nextTick()
    const count = Math.min(rows, column.rows - first)
    const values = column.read(first, count)
    // Memory shared with other threads may change between check and copy: the check is made on a copy.
    const own = values.buffer instanceof ArrayBuffer ? values : values.slice()
    dataset.write(role, index, first * column.elements, convert(own, first))
  }
}

type Converter = (values: NumberArray, firstRow: number) => TypedArray

function converter(column: OpenColumn, conversion: Conversion): Converter {
  switch (conversion.type) {
    case 'uint8':
      return (values) => new Uint8Array(values.buffer, values.byteOffset, values.length)
    case 'int32':
      return (values, firstRow) => {
        const numbers = Float64Array.from(values)
        const bad = numbers.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value < conversion.limit))
        if (bad >= 0) {
          const expected = `a ${conversion.meaning} from 0 to ${conversion.limit - 1}`
          throw badValue(column, firstRow, bad, expected, numbers[bad] as number)
        }
        return Int32Array.from(numbers)
      }
    default: {
      const Type = conversion.type === 'float32' ? Float32Array : Float64Array
      return (values, firstRow) => {
        const numbers = values instanceof Type ? values : Type.from(values)
        const bad = firstBad(numbers, conversion.nonNegative ? 0 : -Infinity)
        if (bad >= 0) {
          const expected = conversion.nonNegative ? 'a finite number from 0 up' : `a finite ${conversion.type} number`
          throw badValue(column, firstRow, bad, expected, values[bad] as number)
        }
        return numbers
      }
    }
  }
}

function firstBad(numbers: Float32Array | Float64Array, least: number): number {
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] as number
    if (!(Math.abs(value) < Infinity && value >= least)) return i
  }
  return -1
}

function badValue(column: OpenColumn, firstRow: number, at: number, expected: string, value: number): GradusError {
  const row = firstRow + Math.floor(at / column.elements)
  const place = column.elements > 1 ? `row ${row}, column ${at % column.elements}` : `row ${row}`
  return new GradusError('GRADUS_INVALID_DATA', `${column.argument}, ${place}: expected ${expected}, received ${value}`)
}
