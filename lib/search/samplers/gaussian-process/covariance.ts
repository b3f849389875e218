/** How alike the values at two points are: Matérn's covariance with ν = 5/2 (Rasmussen and Williams, (4.17)). */
import { exp } from '../../../kernels/activations.js'

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
 * The correlation at each of some squared distances r², in length scales.
 *
 * @param correlations written; it may be `distances`
 * @param slopes written where it is given: the derivative by r²
 */
export function matern(distances: Float64Array, correlations: Float64Array, slopes?: Float64Array): void {
  const { length } = distances
  if (roots.length < length) roots = new Float64Array(2 * length)
  for (let i = 0; i < length; i++) roots[i] = -root5 * Math.sqrt(distances[i]!)
  exp(roots.subarray(0, length), correlations)
  for (let i = 0; i < length; i++) {
    const [root, exponential] = [roots[i]!, correlations[i]!]
    if (slopes) slopes[i] = (-5 / 6) * (1 - root) * exponential
    correlations[i] = (1 - root + (root * root) / 3) * exponential
  }
}

/** The square of how far two values of a column are from each other; of categories 0 or 1 (Hamming). */
export const squaredDifference = (a: number, b: number, isCategory: boolean): number =>
  isCategory ? (a === b ? 0 : 1) : (a - b) * (a - b)

/** Σ weight · difference² between each row of the points and x, into an array from `to` on. */
export function squaredDistances(
  { count, data, isCategory }: Points,
  x: Float64Array,
  weights: Float64Array,
  distances: Float64Array,
  to = 0,
): void {
  const width = weights.length
  for (let i = 0; i < count; i++) {
    let sum = 0
    for (let j = 0, at = i * width; j < width; j++, at++) {
      sum += weights[j]! * squaredDifference(data[at]!, x[j]!, isCategory[j]!)
    }
    distances[to + i] = sum
  }
}

/** The covariance matrix of noisy values, row-major. */
export function covarianceMatrix(points: Points, { weights, scale, noise }: Hyperparameters): Float64Array {
  const { count, data } = points
  const matrix = new Float64Array(count * count)
  for (let i = 0; i < count; i++) {
    squaredDistances(points, data.subarray(i * weights.length, (i + 1) * weights.length), weights, matrix, i * count)
  }
  matern(matrix, matrix)
  for (let i = 0; i < matrix.length; i++) matrix[i]! *= scale
  for (let i = 0; i < count; i++) matrix[i * count + i]! += noise
  return matrix
}
