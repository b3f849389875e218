/** Class numbers as rows with a single 1, and back. */
import { checkNotNegativeInteger } from '../checks.js'
import { describe, GradusError, invalidArgument } from '../errors.js'
import { asTable, isNumberArray, type NumberArray, type Table } from './column.js'

/**
 * Class numbers as rows with a single 1.
 *
 * @param labels whole numbers from 0 to classes − 1
 * @param classes default: the largest label + 1
 * @returns (labels, classes)
 * @throws `GRADUS_INVALID_DATA` names the row of a label out of range.
 */
export function oneHot(labels: ArrayLike<number>, classes?: number): { data: Float32Array; shape: [number, number] } {
  const isArray = Array.isArray(labels) || isNumberArray(labels)
  if (!isArray) throw invalidArgument('labels', 'an array of class numbers', labels)
  if (classes !== undefined) checkNotNegativeInteger('classes', classes)
  const numbers: ArrayLike<number> = labels
  let most = -1
  for (let row = 0; row < numbers.length; row++) most = Math.max(most, checkLabel(numbers[row], row, classes))
  const width = classes ?? most + 1
  const data = zeros(numbers.length * width)
  for (let row = 0; row < numbers.length; row++) data[row * width + (numbers[row] as number)] = 1
  return { data, shape: [numbers.length, width] }
}

function checkLabel(label: unknown, row: number, classes: number | undefined): number {
  if (Number.isInteger(label) && (label as number) >= 0 && !((label as number) >= (classes ?? Infinity))) {
    return label as number
  }
  const expected = classes === undefined ? 'a class number from 0 up' : `a class number from 0 to ${classes - 1}`
  const message = `labels, row ${row}: expected ${expected}, received ${describe(label)}`
  throw new GradusError('GRADUS_INVALID_DATA', message)
}

function zeros(length: number): Float32Array {
  try {
    return new Float32Array(length)
  } catch (error) {
    throw new GradusError('GRADUS_OUT_OF_MEMORY', `oneHot: no memory for ${4 * length} bytes`, { cause: error })
  }
}

/**
 * The number of the largest of each row's numbers; the first of equal ones. Numbers that are not a number are never it.
 *
 * @param predictions (rows, classes): what `predict` gives, or a flat array
 * @param classes numbers of a row; default: as the shape of the predictions says
 */
export function argmax(predictions: NumberArray | Table, classes?: number): Int32Array {
  const { data, shape } = asTable('predictions', predictions)
  const width = classes ?? shape?.at(-1) ?? Number.NaN
  if (!Number.isSafeInteger(width) || width < 1 || data.length % width !== 0) {
    throw invalidArgument('classes', `a whole number that divides ${data.length}`, classes)
  }
  const best = new Int32Array(data.length / width)
  for (let row = 0; row < best.length; row++) {
    const first = row * width
    for (let k = 1; k < width; k++) {
      const leader = data[first + (best[row] as number)] as number
      if ((data[first + k] as number) > leader || Number.isNaN(leader)) best[row] = k
    }
  }
  return best
}
