/** What is believed of the function once values are known. */
import { dotOfRows, inverseOfFactor, productsWith, rowsTimes } from '../../linear-algebra.js'
import {
  columnsOf,
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

/** Of some points, a row a point. */
interface Gradients {
  readonly beliefs: readonly Belief[]
  readonly ofMeans: Float64Array
  readonly ofDeviations: Float64Array
}

/** Of some points, a row a point: K⁻¹ · covariances is `solved`. */
interface Scratch {
  readonly covariances: Float64Array
  readonly slopes: Float64Array
  /** L⁻¹ · covariances. */
  readonly shares: Float64Array
  readonly solved: Float64Array
}

const scratchOf = (length: number): Scratch => ({
  covariances: new Float64Array(length),
  slopes: new Float64Array(length),
  shares: new Float64Array(length),
  solved: new Float64Array(length),
})

/** Points that are looked at together: what they need stays in the cache. */
const batch = 128

/** Below what rounding leaves of a variance, in shares of the scale. */
const leastVariance = 1e-12

export class Posterior {
  /** L⁻¹ of the covariance matrix L · Lᵀ. */
  readonly #inverse: Float64Array
  /** K⁻¹ · values */
  readonly #solved: Float64Array
  #scratch: Scratch
  /** 0 of categories, which have no slope. */
  readonly #smoothWeights: Float64Array

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
    this.#scratch = scratchOf(n)
    this.#smoothWeights = hyperparameters.weights.map((weight, i) => (points.isCategory[i] ? 0 : weight))
  }

  at(x: Float64Array): Belief {
    const { weights, scale } = this.hyperparameters
    const { covariances, shares } = this.#scratchFor(this.points.count)
    squaredDistances(this.points, x, weights, covariances)
    matern(covariances, covariances, scale)
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

  /** As `at` of each of some points, and the gradients of both by them, a row a point; those of categories are 0. */
  withGradients(rows: readonly Float64Array[]): Gradients {
    const { weights, scale } = this.hyperparameters
    const [n, width, many] = [this.points.count, weights.length, rows.length]
    const scratch = this.#scratchFor(many * n)
    const { covariances, slopes, shares, solved } = scratch
    for (const [i, row] of rows.entries()) squaredDistances(this.points, row, weights, covariances, i * n)
    matern(covariances, covariances, scale, slopes)
    rowsTimes(covariances, many, this.#inverse, n, shares, true)
    rowsTimes(shares, many, this.#inverse, n, solved)
    const beliefs = rows.map((_, i) => this.#beliefOf(covariances, shares, i))
    const gradients = { ofMeans: new Float64Array(many * width), ofDeviations: new Float64Array(many * width) }
    for (const [i, row] of rows.entries()) {
      this.#putSlopes(row, scratch, i * n, gradients, i * width)
      // ∂σ = ∂σ² / 2σ, and ∂σ² = −2 kᵀ K⁻¹ ∂k.
      for (let j = i * width; j < (i + 1) * width; j++) gradients.ofDeviations[j]! /= beliefs[i]!.deviation
    }
    return { beliefs, ...gradients }
  }

  /** As long as it was the last time where it is long enough: arrays that are made anew take longer than what is done with them. */
  #scratchFor(length: number): Scratch {
    if (this.#scratch.covariances.length < length) this.#scratch = scratchOf(length)
    if (this.#scratch.covariances.length === length) return this.#scratch
    const { covariances, slopes, shares, solved } = this.#scratch
    const part = (whole: Float64Array) => whole.subarray(0, length)
    return { covariances: part(covariances), slopes: part(slopes), shares: part(shares), solved: part(solved) }
  }

  /** Σ ∂k · K⁻¹ values, and −Σ ∂k · K⁻¹ k, over the points, into rows that begin at `to`. */
  #putSlopes(
    x: Float64Array,
    { slopes, solved: shares }: Pick<Scratch, 'slopes' | 'solved'>,
    from: number,
    { ofMeans, ofDeviations }: Pick<Gradients, 'ofMeans' | 'ofDeviations'>,
    to: number,
  ): void {
    const { count } = this.points
    const [columns, weights, solved] = [columnsOf(this.points), this.#smoothWeights, this.#solved]
    for (let j = 0, at = 0; j < x.length; j++) {
      const [weight, own] = [weights[j]!, x[j]!]
      let [byMean, byDeviation] = [0, 0]
      for (let i = 0; i < count; i++, at++) {
        const change = 2 * slopes[from + i]! * weight * (own - columns[at]!)
        byMean += solved[i]! * change
        byDeviation -= shares[from + i]! * change
      }
      ofMeans[to + j] = byMean
      ofDeviations[to + j] = byDeviation
    }
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
