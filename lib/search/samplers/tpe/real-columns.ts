/** Columns of kernels with a density over 0 … 1 each: normal ones, cut off at the ends. */
import { matmul } from '../../../kernels/linear.js'
import { logRootOfTwoPi } from '../../../normal.js'
import { deviationsOf } from './deviations.js'
import { take } from './memory.js'
import { numberAt, shareBelow } from './truncated.js'

/** A product this large is taken as a logarithm before it becomes infinite. */
const mostProduct = 1e200
/** What units are told from: so the squares below have about as many digits as they can. */
const middle = 0.5

/** What densities are written into: a large array that is made anew takes longer than what is done with it. */
let scratch = new Float64Array(0)
let deviations = new Float64Array(0)

export class RealColumns {
  /**
   * −½ ((x − m) / σ)² is −½ x² / σ² + x m / σ² and a constant. Column by column what x² is multiplied by in each kernel, then column
   * by column what x is, x and m from the middle.
   */
  readonly #factors: Float64Array
  readonly #inverses: Float64Array
  /** Of each kernel and column what of it lies below 0, and between 0 and 1. */
  readonly #belows: Float64Array
  readonly #withins: Float64Array
  /** Of each kernel, its weight, what its columns are scaled by and the constant above, as a logarithm. */
  readonly #constants: Float64Array

  /**
   * @param places of the columns in a point
   * @param observations the columns' units, and 0.5 behind them for the kernel over everything
   */
  constructor(
    private readonly places: Uint32Array,
    private readonly observations: readonly Float64Array[],
    weights: Float64Array,
  ) {
    const count = weights.length
    this.#factors = take(2 * count * places.length)
    this.#inverses = take(count * places.length)
    this.#belows = take(count * places.length)
    this.#withins = take(count * places.length)
    this.#constants = take(count).fill(-places.length * logRootOfTwoPi)
    const products = take(count)
    products.set(weights)
    for (let j = 0; j < places.length; j++) this.#addColumn(j, products)
    for (let k = 0; k < count; k++) this.#constants[k]! += Math.log(products[k]!)
  }

  #addColumn(column: number, products: Float64Array): void {
    const means = this.observations[this.places[column]!]!
    const [factors, inverses, belows, withins] = [this.#factors, this.#inverses, this.#belows, this.#withins]
    const [constants, count] = [this.#constants, products.length]
    if (deviations.length < count) deviations = new Float64Array(2 * count)
    deviationsOf(means, count - 1, deviations)
    const bySquare = column * count
    const byUnit = (this.places.length + column) * count
    for (let k = 0; k < count; k++) {
      const mean = means[k]!
      const inverse = 1 / deviations[k]!
      const square = inverse * inverse
      const fromMiddle = mean - middle
      inverses[bySquare + k] = inverse
      factors[bySquare + k] = -0.5 * square
      factors[byUnit + k] = fromMiddle * square
      constants[k]! -= 0.5 * fromMiddle * fromMiddle * square
      const below = shareBelow(mean, inverse)
      const within = 1 - below - shareBelow(1 - mean, inverse)
      belows[bySquare + k] = below
      withins[bySquare + k] = within
      const product = (products[k]! * inverse) / within
      const isLarge = product > mostProduct
      if (isLarge) constants[k]! += Math.log(product)
      products[k] = isLarge ? 1 : product
    }
  }

  /** A draw of a kernel's column, counted among these. */
  sample(kernel: number, column: number, draw: number): number {
    const means = this.observations[this.places[column]!]!
    const at = column * means.length + kernel
    return numberAt(means[kernel]!, this.#inverses[at]!, this.#belows[at]! + draw * this.#withins[at]!)
  }

  /**
   * The logarithms of the kernels' densities, with their weights: a row of them for each point, of which `all` numbers are one.
   * Valid until the next call.
   */
  logDensities(points: Float64Array, all: number): Float64Array {
    const [width, count, rows] = [this.places.length, this.#constants.length, points.length / all]
    if (scratch.length < rows * count) scratch = new Float64Array(2 * rows * count)
    const densities = scratch.subarray(0, rows * count)
    for (let i = 0, at = 0; i < rows; i++) {
      for (let k = 0; k < count; k++) densities[at++] = this.#constants[k]!
    }
    if (width === 0) return densities
    const units = take(rows * 2 * width)
    for (let i = 0, at = 0; i < rows; i++, at += 2 * width) {
      for (let j = 0; j < width; j++) {
        const unit = points[i * all + this.places[j]!]! - middle
        units[at + j] = unit * unit
        units[at + width + j] = unit
      }
    }
    return matmul(units, this.#factors, densities, { m: rows, n: count, k: 2 * width, beta: 1 })
  }
}
