/** What the values say for hyperparameters: the marginal likelihood with a prior, to be minimised. */
import type { ValueAndGradient } from '../../../train/lbfgs/minimize.js'
import {
  cholesky,
  inverseOfLower,
  productsWith,
  productWithItself,
  rowsTimes,
  weightedSum,
} from '../../linear-algebra.js'
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
  /** Of each pair, Matérn's correlation and its slope. */
  readonly #correlations: Float64Array
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
    this.#correlations = new Float64Array(this.#distances.length)
    this.#slopes = new Float64Array(this.#distances.length)
    this.#matrix = new Float64Array(count * count)
    this.#inverseOfFactor = new Float64Array(count * count)
    this.#inverse = new Float64Array(count * count)
  }

  #fillDifferences(column: number): void {
    const { count, data, isCategory } = this.points
    const width = isCategory.length
    for (let i = 0, to = column * this.#distances.length; i < count; i++) {
      for (let j = 0; j < i; j++, to++) {
        const [a, b] = [data[i * width + column]!, data[j * width + column]!]
        this.#differences[to] = squaredDifference(a, b, isCategory[column]!)
      }
    }
  }

  /** Infinite where rounding leaves no positive definite matrix. */
  at(logarithms: Float64Array): ValueAndGradient {
    const n = this.points.count
    const hyperparameters = fromLogarithms(logarithms)
    this.#fillMatrix(hyperparameters)
    const gradient = new Float64Array(logarithms.length)
    if (!cholesky(this.#matrix, n)) return { value: Infinity, gradient }
    inverseOfLower(this.#matrix, n, this.#inverseOfFactor)
    productWithItself(this.#inverseOfFactor, n, this.#inverse)
    const solved = rowsTimes(this.values, 1, this.#inverse, n, new Float64Array(n))
    let value = logPriorOf(hyperparameters)
    for (let i = 0; i < n; i++) value += 0.5 * this.values[i]! * solved[i]! + Math.log(this.#matrix[i * n + i]!)
    this.#addGradient(gradient, hyperparameters, solved)
    addPriorGradient(gradient, hyperparameters)
    return { value, gradient }
  }

  #fillMatrix({ weights, scale, noise }: Hyperparameters): void {
    const distances = weightedSum(weights, this.#differences, this.#distances)
    const [matrix, correlations] = [this.#matrix, this.#correlations]
    matern(distances, correlations, this.#slopes)
    const n = this.points.count
    for (let i = 0, pair = 0; i < n; i++) {
      for (let j = 0; j < i; j++, pair++) matrix[i * n + j] = scale * correlations[pair]!
      matrix[i * n + i] = scale + noise
    }
  }

  /** ∂/∂θ = −½ Σ (α αᵀ − K⁻¹)ᵢⱼ ∂Kᵢⱼ/∂θ with α = K⁻¹ · values (Rasmussen and Williams, (5.9)). */
  #addGradient(gradient: Float64Array, { weights, scale, noise }: Hyperparameters, solved: Float64Array): void {
    const n = this.points.count
    const [inverse, correlations, slopes] = [this.#inverse, this.#correlations, this.#slopes]
    let byScale = 0
    let byNoise = 0
    for (let i = 0, pair = 0; i < n; i++) {
      for (let j = 0; j < i; j++, pair++) {
        // Pairs above the diagonal are the same once more, which takes the half away.
        const share = inverse[i * n + j]! - solved[i]! * solved[j]!
        byScale += share * correlations[pair]!
        slopes[pair]! *= share
      }
      const own = 0.5 * (inverse[i * n + i]! - solved[i]! ** 2)
      byScale += own
      byNoise += own
    }
    const sums = productsWith(this.#differences, slopes, new Float64Array(weights.length))
    for (const [column, sum] of sums.entries()) gradient[column]! += scale * weights[column]! * sum
    gradient[weights.length]! += scale * byScale
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
