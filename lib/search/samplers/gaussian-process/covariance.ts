/** How alike the values at two points are: Matérn's covariance with ν = 5/2 (Rasmussen and Williams, (4.17)). */
import { exp } from '../../../kernels/activations.js'
import { matmul } from '../../../kernels/linear.js'

/** Points of the unit cube as rows of one array; categories are counted from 0 and only compared. */
export interface Points {
  readonly count: number
  readonly data: Float64Array
  /** Of each column. */
  readonly isCategory: readonly boolean[]
}

/** What a fit finds. */
export interface Hyperparameters {
  /** 1 / ℓ² of each column's length scale ℓ. */
  readonly weights: Float64Array
  /** The variance of the function. */
  readonly scale: number
  /** The variance of the noise on its values. */
  readonly noise: number
}

const root5 = Math.sqrt(5)

let roots = new Float64Array(0)

/**
 * The covariance at each of some squared distances r², in length scales.
 *
 * @param covariances written; it may be `distances`
 * @param scale the variance of the function
 * @param slopes written where it is given: the derivative by r²
 */
export function matern(distances: Float64Array, covariances: Float64Array, scale = 1, slopes?: Float64Array): void {
  const { length } = distances
  if (roots.length < length) roots = new Float64Array(2 * length)
  const some = roots.subarray(0, length)
  for (let i = 0; i < length; i++) some[i] = -root5 * Math.sqrt(distances[i]!)
  exp(some, covariances)
  if (slopes) {
    const factor = (-5 / 6) * scale
    for (let i = 0; i < length; i++) slopes[i] = factor * (1 - some[i]!) * covariances[i]!
  }
  for (let i = 0; i < length; i++) {
    const root = some[i]!
    covariances[i] = scale * (1 - root + (root * root) / 3) * covariances[i]!
  }
}

/** The square of how far two values of a column are from each other; of categories 0 or 1 (Hamming). */
export const squaredDifference = (a: number, b: number, isCategory: boolean): number =>
  isCategory ? (a === b ? 0 : 1) : (a - b) * (a - b)

export const firstOf = ({ data, isCategory }: Points, count: number): Points => ({
  ...{ count, isCategory },
  data: data.subarray(0, count * isCategory.length),
})

const transposed = new WeakMap<Points, Float64Array>()

/** The points column by column: loops along one are several times as quick as those that go from column to column. */
export function columnsOf(points: Points): Float64Array {
  const known = transposed.get(points)
  if (known) return known
  const { count, data, isCategory } = points
  const width = isCategory.length
  const columns = new Float64Array(data.length)
  for (let i = 0, at = 0; i < count; i++) for (let j = 0; j < width; j++) columns[j * count + i] = data[at++]!
  transposed.set(points, columns)
  return columns
}

/** Σ weight · difference² between each of the first `count` points and x, into an array from `to` on. */
export function squaredDistances(
  points: Points,
  x: Float64Array,
  weights: Float64Array,
  distances: Float64Array,
  to = 0,
  count = points.count,
): void {
  const columns = columnsOf(points)
  distances.fill(0, to, to + count)
  for (let j = 0, from = 0; j < weights.length; j++, from += points.count) {
    const [weight, own] = [weights[j]!, x[j]!]
    if (points.isCategory[j]) {
      for (let i = 0; i < count; i++) if (columns[from + i] !== own) distances[to + i]! += weight
      continue
    }
    for (let i = 0; i < count; i++) {
      const difference = columns[from + i]! - own
      distances[to + i]! += weight * (difference * difference)
    }
  }
}

/**
 * The same of many rows, one behind the other: by |a|² + |b|² − 2 a · b, as products of matrices are what the core is quick at.
 * What is left after cancellation has an error of rounding of the squares.
 */
export class ManyDistances {
  /** The points' numbers in length scales, 0 in place of categories; and the squares of their lengths. */
  readonly #scaled: Float64Array
  readonly #squares: Float64Array
  readonly #roots: Float64Array

  constructor(
    private readonly points: Points,
    private readonly weights: Float64Array,
  ) {
    const { isCategory, data, count } = points
    this.#roots = weights.map((weight, i) => (isCategory[i] ? 0 : Math.sqrt(weight)))
    this.#scaled = new Float64Array(data.length)
    this.#squares = new Float64Array(count)
    for (let i = 0; i < count; i++) this.#squares[i] = this.#scale(data, i, this.#scaled, i)
  }

  /** Row i of `from` into row j of `to`; gives the square of its length. */
  #scale(from: Float64Array, i: number, to: Float64Array, j: number): number {
    const width = this.weights.length
    let square = 0
    for (let k = 0; k < width; k++) {
      const scaled = this.#roots[k]! * from[i * width + k]!
      to[j * width + k] = scaled
      square += scaled * scaled
    }
    return square
  }

  /** A row of distances, to each point, for each of the rows. */
  of(rows: readonly Float64Array[]): Float64Array {
    const { count: n, isCategory, data } = this.points
    const width = this.weights.length
    const distances = new Float64Array(rows.length * n)
    const scaled = new Float64Array(rows.length * width)
    const squares = rows.map((row, i) => this.#scale(row, 0, scaled, i))
    matmul(scaled, this.#scaled, distances, { m: rows.length, n, k: width, transposeB: true, alpha: -2 })
    for (let i = 0, at = 0; i < rows.length; i++) {
      const square = squares[i]!
      for (let j = 0; j < n; j++, at++) distances[at] = Math.max(0, distances[at]! + square + this.#squares[j]!)
    }
    for (let k = 0; k < width; k++) {
      if (!isCategory[k]) continue
      for (let i = 0, at = 0; i < rows.length; i++) {
        const own = rows[i]![k]!
        for (let j = 0; j < n; j++, at++) if (data[j * width + k] !== own) distances[at]! += this.weights[k]!
      }
    }
    return distances
  }
}

/** The lower triangle of the covariance matrix of noisy values, row-major. */
export function covarianceMatrix(points: Points, { weights, scale, noise }: Hyperparameters): Float64Array {
  const { count, data } = points
  const [width, matrix] = [weights.length, new Float64Array(count * count)]
  for (let i = 0; i < count; i++) {
    squaredDistances(points, data.subarray(i * width, (i + 1) * width), weights, matrix, i * count, i)
  }
  matern(matrix, matrix, scale)
  for (let i = 0; i < count; i++) matrix[i * count + i]! += noise
  return matrix
}
