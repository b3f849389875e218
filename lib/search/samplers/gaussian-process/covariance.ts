/** How alike the values at two points are: Matérn's covariance with ν = 5/2 (Rasmussen and Williams, (4.17)). */

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

/** The correlation at a squared distance r², in length scales. */
export function matern(squaredDistance: number): number {
  const r = root5 * Math.sqrt(squaredDistance)
  return (1 + r + (5 / 3) * squaredDistance) * Math.exp(-r)
}

/** Its derivative by r². */
export function maternSlope(squaredDistance: number): number {
  const r = root5 * Math.sqrt(squaredDistance)
  return (-5 / 6) * (1 + r) * Math.exp(-r)
}

/** The square of how far two values of a column are from each other; of categories 0 or 1 (Hamming). */
export const squaredDifference = (a: number, b: number, isCategory: boolean): number =>
  isCategory ? (a === b ? 0 : 1) : (a - b) * (a - b)

/** Σ weight · difference² between row `row` of the points and x. */
export function squaredDistance(points: Points, row: number, x: Float64Array, weights: Float64Array): number {
  const width = weights.length
  const from = row * width
  let sum = 0
  for (let j = 0; j < width; j++) {
    sum += weights[j]! * squaredDifference(points.data[from + j]!, x[j]!, points.isCategory[j]!)
  }
  return sum
}

/** The covariance matrix of noisy values, its lower triangle, row-major. */
export function covarianceMatrix(points: Points, { weights, scale, noise }: Hyperparameters): Float64Array {
  const n = points.count
  const matrix = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    const x = points.data.subarray(i * weights.length, (i + 1) * weights.length)
    for (let j = 0; j < i; j++) matrix[i * n + j] = scale * matern(squaredDistance(points, j, x, weights))
    matrix[i * n + i] = scale + noise
  }
  return matrix
}
