/** What the values say for hyperparameters: the marginal likelihood with a prior, to be minimised. */
import type { ValueAndGradient } from '../../../train/lbfgs/minimize.js'
import { inverseOfFactor, productsWith, productWithItself, rowsTimes, weightedSum } from '../../linear-algebra.js'
import { type Hyperparameters, matern, type Points, squaredDifference } from './covariance.js'

/** Noise is never taken to be less: the covariance matrix stays positive definite. */
export const leastNoise = 1e-6

/**
 * −log p(values | hyperparameters) − log prior, without constants, as a function of the logarithms of
 * (weights …, scale, noise − least noise). Priors are those of Optuna's GPSampler: exp(−0.1 (w + 1/w)) on weights,
 * Gamma(2, 1) on the scale, Gamma(1.1, 30) on the noise.
 */
export class Evidence {
  /** A row a column: the squared differences of all pairs, row by row of the lower triangle. */
  readonly #differences: Float64Array
  readonly #distances: Float64Array
  /** Of each pair, Matérn's covariance and its slope. */
  readonly #covariances: Float64Array
  readonly #slopes: Float64Array
  readonly #matrix: Float64Array
  /** Of its factor, and of itself. */
  readonly #inverseOfFactor: Float64Array
  readonly #inverse: Float64Array

  constructor(
    private readonly points: Points,
    private readonly values: Float64Array,
  ) {
    const { count, isCategory } = points
    this.#distances = new Float64Array((count * (count - 1)) / 2)
    this.#differences = new Float64Array(isCategory.length * this.#distances.length)
    for (const column of isCategory.keys()) this.#fillDifferences(column)
    this.#covariances = new Float64Array(this.#distances.length)
    this.#slopes = new Float64Array(this.#distances.length)
    this.#matrix = new Float64Array(count * count)
    this.#inverseOfFactor = new Float64Array(count * count)
    this.#inverse = new Float64Array(count * count)
  }

  #fillDifferences(column: number): void {
    const { count, data, isCategory } = this.points
    const width = isCategory.length
    const own = Float64Array.from({ length: count }, (_, i) => data[i * width + column]!)
    const differences = this.#differences.subarray(column * this.#distances.length)
    const compares = isCategory[column]!
    for (let i = 0, to = 0; i < count; i++) {
      const value = own[i]!
      for (let j = 0; j < i; j++) differences[to++] = squaredDifference(value, own[j]!, compares)
    }
  }

  /** Infinite where rounding leaves no positive definite matrix. */
  at(logarithms: Float64Array): ValueAndGradient {
    const n = this.points.count
    const hyperparameters = fromLogarithms(logarithms)
    this.#fillMatrix(hyperparameters)
    const gradient = new Float64Array(logarithms.length)
    if (!inverseOfFactor(this.#matrix, n, this.#inverseOfFactor)) return { value: Infinity, gradient }
    productWithItself(this.#inverseOfFactor, n, this.#inverse)
    const half = productsWith(this.#inverseOfFactor, this.values, new Float64Array(n))
    const solved = rowsTimes(half, 1, this.#inverseOfFactor, n, new Float64Array(n))
    let value = logPriorOf(hyperparameters)
    for (let i = 0; i < n; i++) value += 0.5 * half[i]! ** 2 - Math.log(this.#inverseOfFactor[i * n + i]!)
    this.#addGradient(gradient, hyperparameters, solved)
    addPriorGradient(gradient, hyperparameters)
    return { value, gradient }
  }

  #fillMatrix({ weights, scale, noise }: Hyperparameters): void {
    const distances = weightedSum(weights, this.#differences, this.#distances)
    const [matrix, covariances] = [this.#matrix, this.#covariances]
    matern(distances, covariances, scale, this.#slopes)
    const n = this.points.count
    for (let i = 0, pair = 0; i < n; i++) {
      for (let j = 0, at = i * n; j < i; j++) matrix[at++] = covariances[pair++]!
      matrix[i * n + i] = scale + noise
    }
  }

  /** ∂/∂θ = −½ Σ (α αᵀ − K⁻¹)ᵢⱼ ∂Kᵢⱼ/∂θ with α = K⁻¹ · values (Rasmussen and Williams, (5.9)). */
  #addGradient(gradient: Float64Array, { weights, scale, noise }: Hyperparameters, solved: Float64Array): void {
    const n = this.points.count
    const [inverse, covariances, slopes] = [this.#inverse, this.#covariances, this.#slopes]
    let byPairs = 0
    let byNoise = 0
    for (let i = 0, pair = 0; i < n; i++) {
      const own = solved[i]!
      for (let j = 0, at = i * n; j < i; j++, at++, pair++) {
        // Pairs above the diagonal are the same once more, which takes the half away.
        const share = inverse[at]! - own * solved[j]!
        byPairs += share * covariances[pair]!
        slopes[pair]! *= share
      }
      byNoise += 0.5 * (inverse[i * n + i]! - own * own)
    }
    const sums = productsWith(this.#differences, slopes, new Float64Array(weights.length))
    for (const [column, sum] of sums.entries()) gradient[column]! += weights[column]! * sum
    gradient[weights.length]! += byPairs + scale * byNoise
    gradient[weights.length + 1]! += (noise - leastNoise) * byNoise
  }
}

/** The hyperparameters at a point of the function's domain. */
export function fromLogarithms(logarithms: Float64Array): Hyperparameters {
  const columns = logarithms.length - 2
  return {
    weights: logarithms.subarray(0, columns).map(Math.exp),
    scale: Math.exp(logarithms[columns]!),
    noise: leastNoise + Math.exp(logarithms[columns + 1]!),
  }
}

/** Its negative. */
function logPriorOf({ weights, scale, noise }: Hyperparameters): number {
  let sum = scale - Math.log(scale) + 30 * noise - 0.1 * Math.log(noise)
  for (const weight of weights) sum += 0.1 / weight + 0.1 * weight
  return sum
}

function addPriorGradient(gradient: Float64Array, { weights, scale, noise }: Hyperparameters): void {
  for (const [column, weight] of weights.entries()) gradient[column]! += 0.1 * weight - 0.1 / weight
  gradient[weights.length]! += scale - 1
  gradient[weights.length + 1]! += (noise - leastNoise) * (30 - 0.1 / noise)
}
