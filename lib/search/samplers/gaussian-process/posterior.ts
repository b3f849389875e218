/** What is believed of the function once values are known. */
import { cholesky, dotOfRows, inverseOfLower, rowsTimes, transposed } from '../../linear-algebra.js'
import { covarianceMatrix, type Hyperparameters, matern, type Points, squaredDistances } from './covariance.js'

/** Mean and deviation of the function, without noise, at a point. */
export interface Belief {
  mean: number
  deviation: number
}

/** Points that are looked at together: what they need stays in the cache. */
const batch = 128

/** Below what rounding leaves of a variance, in shares of the scale. */
const leastVariance = 1e-12

export class Posterior {
  /** L⁻¹ of the covariance matrix L · Lᵀ, and the same transposed. */
  readonly #inverse: Float64Array
  readonly #turned: Float64Array
  /** K⁻¹ · values */
  readonly #solved: Float64Array
  readonly #covariances: Float64Array
  readonly #slopes: Float64Array
  /** L⁻¹ · covariances, and K⁻¹ · covariances. */
  readonly #shares: Float64Array
  readonly #solvedShares: Float64Array

  /** @throws RangeError where the covariance matrix is not positive definite */
  constructor(
    readonly points: Points,
    readonly values: Float64Array,
    readonly hyperparameters: Hyperparameters,
  ) {
    const n = points.count
    const lower = covarianceMatrix(points, hyperparameters)
    if (!cholesky(lower, n)) throw new RangeError('the covariance matrix is not positive definite')
    this.#inverse = new Float64Array(n * n)
    inverseOfLower(lower, n, this.#inverse)
    this.#turned = transposed(this.#inverse, n)
    const half = rowsTimes(values, 1, this.#turned, n, new Float64Array(n))
    this.#solved = rowsTimes(half, 1, this.#inverse, n, new Float64Array(n))
    this.#covariances = new Float64Array(n)
    this.#slopes = new Float64Array(n)
    this.#shares = new Float64Array(n)
    this.#solvedShares = new Float64Array(n)
  }

  at(x: Float64Array): Belief {
    return this.#believe(x)
  }

  #believe(x: Float64Array, slopes?: Float64Array): Belief {
    const { weights, scale } = this.hyperparameters
    const [covariances, shares, n] = [this.#covariances, this.#shares, this.points.count]
    squaredDistances(this.points, x, weights, covariances)
    matern(covariances, covariances, slopes)
    for (let i = 0; i < n; i++) covariances[i]! *= scale
    rowsTimes(covariances, 1, this.#turned, n, shares)
    return this.#beliefOf(covariances, shares, 0)
  }

  /** Of row `row` of covariances, and of L⁻¹ · covariances. */
  #beliefOf(covariances: Float64Array, shares: Float64Array, row: number): Belief {
    const { scale } = this.hyperparameters
    const n = this.points.count
    const mean = dotOfRows(covariances, row * n, this.#solved, 0, n)
    const variance = scale - dotOfRows(shares, row * n, shares, row * n, n)
    return { mean, deviation: Math.sqrt(Math.max(variance, leastVariance * scale)) }
  }

  /** At many points. */
  atAll(rows: readonly Float64Array[]): Belief[] {
    const { weights, scale } = this.hyperparameters
    const n = this.points.count
    const beliefs: Belief[] = []
    for (let from = 0; from < rows.length; from += batch) {
      const some = rows.slice(from, from + batch)
      const covariances = new Float64Array(some.length * n)
      for (const [i, row] of some.entries()) squaredDistances(this.points, row, weights, covariances, i * n)
      matern(covariances, covariances)
      for (let i = 0; i < covariances.length; i++) covariances[i]! *= scale
      const shares = rowsTimes(covariances, some.length, this.#turned, n, new Float64Array(covariances.length))
      for (let i = 0; i < some.length; i++) beliefs.push(this.#beliefOf(covariances, shares, i))
    }
    return beliefs
  }

  /** As `at`, and the gradients of both by x into two arrays; those of categories are 0. */
  withGradient(x: Float64Array, ofMean: Float64Array, ofDeviation: Float64Array): Belief {
    const { weights, scale } = this.hyperparameters
    const { data, isCategory, count: n } = this.points
    const belief = this.#believe(x, this.#slopes)
    const shares = rowsTimes(this.#shares, 1, this.#inverse, n, this.#solvedShares)
    ofMean.fill(0)
    ofDeviation.fill(0)
    for (let i = 0; i < n; i++) {
      const [slope, solved, share] = [scale * this.#slopes[i]!, this.#solved[i]!, shares[i]!]
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
