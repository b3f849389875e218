/** What is believed of the function once values are known. */
import { cholesky, dotOfRows, solveLower, solveLowerTransposed } from '../../linear-algebra.js'
import {
  covarianceMatrix,
  type Hyperparameters,
  matern,
  maternSlope,
  type Points,
  squaredDistance,
} from './covariance.js'

/** Mean and deviation of the function, without noise, at a point. */
export interface Belief {
  mean: number
  deviation: number
}

/** Below what rounding leaves of a variance, in shares of the scale. */
const leastVariance = 1e-12

export class Posterior {
  readonly #lower: Float64Array
  /** K⁻¹ · values */
  readonly #solved: Float64Array
  readonly #covariances: Float64Array
  readonly #slopes: Float64Array

  /** @throws RangeError where the covariance matrix is not positive definite */
  constructor(
    readonly points: Points,
    readonly values: Float64Array,
    readonly hyperparameters: Hyperparameters,
  ) {
    const n = points.count
    this.#lower = covarianceMatrix(points, hyperparameters)
    if (!cholesky(this.#lower, n)) throw new RangeError('the covariance matrix is not positive definite')
    this.#solved = values.slice()
    solveLower(this.#lower, n, this.#solved)
    solveLowerTransposed(this.#lower, n, this.#solved)
    this.#covariances = new Float64Array(n)
    this.#slopes = new Float64Array(n)
  }

  at(x: Float64Array): Belief {
    const { weights, scale } = this.hyperparameters
    const covariances = this.#covariances
    const n = covariances.length
    for (let i = 0; i < n; i++) covariances[i] = scale * matern(squaredDistance(this.points, i, x, weights))
    const mean = dotOfRows(covariances, 0, this.#solved, 0, n)
    solveLower(this.#lower, n, covariances)
    const variance = scale - dotOfRows(covariances, 0, covariances, 0, n)
    return { mean, deviation: Math.sqrt(Math.max(variance, leastVariance * scale)) }
  }

  /** The same, and the gradients of both by x into two arrays; those of categories are 0. */
  withGradient(x: Float64Array, ofMean: Float64Array, ofDeviation: Float64Array): Belief {
    const { weights, scale } = this.hyperparameters
    const { data, isCategory } = this.points
    const n = this.#slopes.length
    for (let i = 0; i < n; i++) this.#slopes[i] = scale * maternSlope(squaredDistance(this.points, i, x, weights))
    const belief = this.at(x)
    const shares = this.#covariances // L⁻¹ · k
    solveLowerTransposed(this.#lower, n, shares)
    ofMean.fill(0)
    ofDeviation.fill(0)
    for (let i = 0; i < n; i++) {
      const [slope, solved, share] = [this.#slopes[i]!, this.#solved[i]!, shares[i]!]
      for (let j = 0; j < x.length; j++) {
        if (isCategory[j]) continue
        const change = 2 * slope * weights[j]! * (x[j]! - data[i * x.length + j]!)
        ofMean[j]! += solved * change
        ofDeviation[j]! -= share * change
      }
    }
    // ∂σ = ∂σ² / 2σ, and ∂σ² = −2 kᵀ K⁻¹ ∂k.
    for (let j = 0; j < x.length; j++) ofDeviation[j]! /= belief.deviation
    return belief
  }

  /** The same where the values at further points are taken to be what they are expected to be. */
  believing(rows: readonly Float64Array[]): Posterior {
    if (rows.length === 0) return this
    const { count, data, isCategory } = this.points
    const all = new Float64Array(data.length + rows.length * isCategory.length)
    const values = new Float64Array(count + rows.length)
    all.set(data)
    values.set(this.values)
    for (const [i, row] of rows.entries()) {
      all.set(row, (count + i) * isCategory.length)
      values[count + i] = this.at(row).mean
    }
    return new Posterior({ count: count + rows.length, data: all, isCategory }, values, this.hyperparameters)
  }
}
