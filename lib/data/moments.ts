import { GradusError } from '../errors.js'
import type { FloatArray } from '../native.js'

/** A deviation of so many units in the last place is no more than how the numbers were rounded. */
const roundings = 4

/**
 * Mean and variance of columns whose rows come in slices. Of each slice they are found in two passes, in float64 and about
 * the first row of all, and then merged (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983): nothing is
 * lost to a large mean, and what never changes has a variance of exactly 0.
 */
export class Moments {
  readonly #width: number
  /** The first row: all that follows is about it. */
  #start = new Float64Array(0)
  readonly #mean: Float64Array
  /** Σ (value − mean)². */
  readonly #squares: Float64Array
  readonly #largest: Float64Array
  #rows = 0

  constructor(width: number) {
    this.#width = width
    this.#mean = new Float64Array(width)
    this.#squares = new Float64Array(width)
    this.#largest = new Float64Array(width)
  }

  /** Whole rows. */
  add(values: FloatArray): void {
    const rows = values.length / this.#width
    if (rows === 0) return
    if (this.#rows === 0) this.#start = Float64Array.from(values.subarray(0, this.#width))
    for (let column = 0; column < this.#width; column++) this.#addColumn(values, column, rows)
    this.#rows += rows
  }

  #addColumn(values: FloatArray, column: number, rows: number): void {
    const start = this.#start[column]!
    let [shift, squares, largest] = [0, 0, this.#largest[column]!]
    for (let i = column; i < values.length; i += this.#width) {
      shift += values[i]! - start
      largest = Math.max(largest, Math.abs(values[i]!))
    }
    shift /= rows
    for (let i = column; i < values.length; i += this.#width) squares += (values[i]! - start - shift) ** 2
    const difference = shift - this.#mean[column]!
    const share = rows / (this.#rows + rows)
    this.#mean[column]! += difference * share
    this.#squares[column]! += squares + difference * difference * this.#rows * share
    this.#largest[column] = largest
  }

  /**
   * The variance is 1 where the numbers never change, so that they become 0.
   *
   * @throws `GRADUS_INVALID_DATA` names a column whose numbers are too large for their squares, or that there are no rows
   */
  finish(argument: string): { mean: Float64Array; variance: Float64Array } {
    if (this.#rows === 0) {
      throw new GradusError('GRADUS_INVALID_ARGUMENT', `${argument}: expected at least one example, received none`)
    }
    const variance = this.#squares.map((squares, column) => {
      const found = squares / this.#rows
      if (Math.fround(found) === Infinity || Number.isNaN(found)) {
        const message = `${argument}, column ${column}: expected numbers whose squares are finite, received larger ones`
        throw new GradusError('GRADUS_INVALID_DATA', message)
      }
      return Math.sqrt(found) > roundings * Number.EPSILON * this.#largest[column]! ? found : 1
    })
    return { mean: this.#mean.map((mean, column) => mean + this.#start[column]!), variance }
  }
}
