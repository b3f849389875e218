/** What is believed of the function once values are known. */
import { dotOfRows, inverseOfFactor, productsWith, rowsTimes } from '../../linear-algebra.js'
import {
  covarianceMatrix,
  type Hyperparameters,
  ManyDistances,
  matern,
  type Points,
  squaredDistances,
} from './covariance.js'

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
  /** L⁻¹ of the covariance matrix L · Lᵀ. */
  readonly #inverse: Float64Array
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
    this.#inverse = new Float64Array(n * n)
    if (!inverseOfFactor(covarianceMatrix(points, hyperparameters), n, this.#inverse)) {
      throw new RangeError('the covariance matrix is not positive definite')
    }
    const half = productsWith(this.#inverse, values, new Float64Array(n))
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
    const [covariances, shares] = [this.#covariances, this.#shares]
    squaredDistances(this.points, x, weights, covariances)
    matern(covariances, covariances, scale, slopes)
    productsWith(this.#inverse, covariances, shares)
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
    const distances = new ManyDistances(this.points, weights)
    const beliefs: Belief[] = []
    for (let from = 0; from < rows.length; from += batch) {
      const some = rows.slice(from, from + batch)
      const covariances = distances.of(some)
      matern(covariances, covariances, scale)
      const shares = rowsTimes(covariances, some.length, this.#inverse, n, new Float64Array(covariances.length), true)
      for (let i = 0; i < some.length; i++) beliefs.push(this.#beliefOf(covariances, shares, i))
    }
    return beliefs
  }

  /** As `at`, and the gradients of both by x into two arrays; those of categories are 0. */
  withGradient(x: Float64Array, ofMean: Float64Array, ofDeviation: Float64Array): Belief {
    const { weights } = this.hyperparameters
    const { data, isCategory, count: n } = this.points
    const belief = this.#believe(x, this.#slopes)
    const shares = rowsTimes(this.#shares, 1, this.#inverse, n, this.#solvedShares)
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
