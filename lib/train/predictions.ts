import { inspect } from 'node:util'
import { invalidArgument } from '../errors.js'
import type { FloatArray } from '../native.js'

/** Numbers in arrays as deep as the predictions' shape. */
export type NestedNumbers = number | NestedNumbers[]

/**
 * What a model gives for some examples, one row each: `predictions[0]` is the first example's outputs, and a loop goes over
 * all rows. `data` holds the same numbers flat. Can itself be data: `{ x, y: predictions }`.
 */
export class Predictions implements ArrayLike<FloatArray>, Iterable<FloatArray> {
  /** The outputs of one example, in row-major order: a view of {@link data}, made at each access. */
  readonly [row: number]: FloatArray
  /** All rows one after the other, in the model's dtype. */
  readonly data: FloatArray
  /** (rows, ...outputShape). */
  readonly shape: readonly number[]

  constructor(data: FloatArray, shape: readonly number[]) {
    this.data = data
    this.shape = shape
  }

  /** How many rows there are. */
  get length(): number {
    return this.shape[0] ?? 0
  }

  /**
   * The same as `predictions[row]`, but an error where there is no such row.
   *
   * @throws GRADUS_INVALID_ARGUMENT
   */
  row(row: number): FloatArray {
    if (!Number.isInteger(row) || row < 0 || row >= this.length) {
      throw invalidArgument('row', `a whole number from 0 to ${this.length - 1}`, row)
    }
    const columns = this.data.length / this.length
    return this.data.subarray(row * columns, (row + 1) * columns)
  }

  *[Symbol.iterator](): Iterator<FloatArray> {
    for (let row = 0; row < this.length; row++) yield this.row(row)
  }

  /** Plain nested arrays: `[[0.1, 0.9], [0.8, 0.2]]`. */
  toArray(): NestedNumbers[] {
    return nested(this.data, this.shape) as NestedNumbers[]
  }

  /** What `JSON.stringify` writes: {@link toArray}. */
  toJSON(): NestedNumbers[] {
    return this.toArray()
  }

  [inspect.custom](_depth: number, options: object): string {
    const shown = Math.min(this.length, shownRows)
    const [, ...outputShape] = this.shape
    const data = this.data.subarray(0, (shown * this.data.length) / this.length)
    const rounded = Array.from(data, (value) => Number(value.toPrecision(4)))
    const rows = (nested(rounded, [shown, ...outputShape]) as NestedNumbers[]).map((row) => inspect(row, options))
    if (shown < this.length) rows.push(`… ${this.length - shown} more rows`)
    return [`Predictions of shape [${this.shape.join(', ')}]`, ...rows].join('\n  ')
  }
}

/** Rows that `console.log` shows. */
const shownRows = 10

function nested(data: ArrayLike<number>, [length = 0, ...inner]: readonly number[], first = 0): NestedNumbers {
  if (inner.length === 0) return Array.from({ length }, (_, i) => data[first + i] as number)
  const size = inner.reduce((product, dimension) => product * dimension, 1)
  return Array.from({ length }, (_, i) => nested(data, inner, first + i * size))
}

// Names that neither an instance nor its class has come here: an index gives the row, without an object for each row.
const rowsByIndex: ProxyHandler<object> = {
  get(target, name, predictions: Predictions) {
    if (typeof name !== 'string' || !/^\d+$/.test(name)) return Reflect.get(target, name, predictions)
    return Number(name) < predictions.length ? predictions.row(Number(name)) : undefined
  },
}
Object.setPrototypeOf(Predictions.prototype, new Proxy(Object.prototype, rowsByIndex))
