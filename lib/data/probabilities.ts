/** Targets that are probabilities: checked as they are loaded, and what those that are none were probably meant as. */
import { GradusError } from '../errors.js'
import { type NumberArray, type OpenColumn, scalesOf } from './column.js'

/** `each`: numbers from 0 to 1, apart from one another; `rows`: those of a row are 1 in all. */
export type Probabilities = 'each' | 'rows'

/** What rounding and averaging may do. Sums of rows written with few digits are farther off. */
const tolerance = { each: 1e-5, rows: 0.05 }

/** Error: `GRADUS_INVALID_DATA` with the first row that is no probability. Bytes count by their scale. */
export function checkProbabilities(
  column: OpenColumn,
  kind: Probabilities,
  values: NumberArray,
  firstRow: number,
): void {
  const { elements } = column
  const { scales, offsets } = scalesOf(column.bytes, elements)
  for (let at = 0; at < values.length; at += elements) {
    let sum = 0
    for (let j = 0; j < elements; j++) {
      const value = values[at + j]! * scales[j]! + offsets[j]!
      if (!(value >= -tolerance.each && value <= 1 + tolerance.each) && (kind === 'each' || value < 2)) {
        throw refusal(column, kind, firstRow + at / elements, j, value)
      }
      sum += value
    }
    if (kind === 'rows' && !(Math.abs(sum - 1) <= tolerance.rows)) {
      throw refusal(column, kind, firstRow + at / elements, null, sum)
    }
  }
}

const expected = {
  each: '0 for no, 1 for yes or a probability between them',
  rows: 'the probabilities of the classes, from 0 to 1 and 1 in all',
}

function refusal(column: OpenColumn, kind: Probabilities, row: number, element: number | null, value: number) {
  const place = element === null || column.elements === 1 ? `row ${row}` : `row ${row}, column ${element}`
  const received = element === null ? `${value} in all` : `${value}`
  const advice = kind === 'each' ? adviceForEach(column) : element === null ? adviceForRow(value) : ''
  const message = `${column.argument}, ${place}: expected ${expected[kind]}, received ${received}`
  return new GradusError('GRADUS_INVALID_DATA', advice ? `${message}; ${advice}` : message)
}

function adviceForEach(column: OpenColumn): string {
  const { low, high, whole } = rangeOf(column)
  if (low === 1 && high === 2 && whole) return 'the labels begin at 1: subtract 1'
  if (low === -1 && high === 1 && whole) return 'labels of −1 and 1 become (y + 1) / 2'
  if (low >= 0 && high > 10 && high <= 100) return 'percent: divide by 100'
  return 'for class numbers softmaxCrossEntropy() with an output for each, for quantities meanSquaredError()'
}

function adviceForRow(sum: number): string {
  if (Math.abs(sum - 100) <= 5) return 'percent: divide by 100'
  if (sum === 0) return 'for an example that is to count nothing sampleWeights'
  const isCount = Math.abs(sum - Math.round(sum)) < 1e-3
  return isCount ? 'several classes at once are yes-or-no outputs: binaryCrossEntropy()' : ''
}

const slice = 1 << 13

/** Smallest and largest number, and whether all are whole: looked at once something is wrong. */
export function rangeOf(column: OpenColumn): { low: number; high: number; whole: boolean } {
  let [low, high, whole] = [Infinity, -Infinity, true]
  const rows = Math.max(1, Math.floor(slice / column.elements))
  const { scales, offsets } = scalesOf(column.bytes, column.elements)
  for (let first = 0; first < column.rows; first += rows) {
    for (const [i, stored] of column.read(first, Math.min(rows, column.rows - first)).entries()) {
      const value = stored * scales[i % column.elements]! + offsets[i % column.elements]!
      low = Math.min(low, value)
      high = Math.max(high, value)
      whole &&= Number.isInteger(value)
    }
  }
  return { low, high, whole }
}
