/** What the values say for hyperparameters: the marginal likelihood with a prior, to be minimised. */
import type { ValueAndGradient } from '../../../train/lbfgs/minimize.js'
import { cholesky, inverseOfCholesky, solveLower, solveLowerTransposed } from '../../linear-algebra.js'
import { type Hyperparameters, matern, maternSlope, type Points, squaredDifference } from './covariance.js'

/** Noise is never taken to be less: the covariance matrix stays positive definite. */
export const leastNoise = 1e-6

/**
 * −log p(values | hyperparameters) − log prior, without constants, as a function of the logarithms of
 * (weights …, scale, noise − least noise). Priors are those of Optuna's GPSampler: exp(−0.1 (w + 1/w)) on weights,
 * Gamma(2, 1) on the scale, Gamma(1.1, 30) on the noise.
 */
export class Evidence {
  /** For each column, the squared differences of all pairs, row by row of the lower triangle. */
  readonly #differences: readonly Float64Array[]
  readonly #distances: Float64Array
  /** Of each pair, Matérn's correlation and its slope. */
  readonly #correlations: Float64Array
  readonly #slopes: Float64Array
  readonly #matrix: Float64Array
  readonly #inverse: Float64Array
  readonly #work: Float64Array

  constructor(
    private readonly points: Points,
    private readonly values: Float64Array,
  ) {
    const { count, isCategory } = points
    this.#differences = isCategory.map((_, column) => differencesOf(points, column))
    this.#distances = new Float64Array((count * (count - 1)) / 2)
    this.#correlations = new Float64Array(this.#distances.length)
    this.#slopes = new Float64Array(this.#distances.length)
    this.#matrix = new Float64Array(count * count)
    this.#inverse = new Float64Array(count * count)
    this.#work = new Float64Array(count * count)
  }

  /** Infinite where rounding leaves no positive definite matrix. */
  at(logarithms: Float64Array): ValueAndGradient {
    const n = this.points.count
    const hyperparameters = fromLogarithms(logarithms)
    this.#fillMatrix(hyperparameters)
    const gradient = new Float64Array(logarithms.length)
    if (!cholesky(this.#matrix, n)) return { value: Infinity, gradient }
    const solved = this.values.slice()
    solveLower(this.#matrix, n, solved)
    let value = logPriorOf(hyperparameters)
    for (let i = 0; i < n; i++) value += 0.5 * solved[i]! ** 2 + Math.log(this.#matrix[i * n + i]!)
    solveLowerTransposed(this.#matrix, n, solved)
    inverseOfCholesky(this.#matrix, n, this.#inverse, this.#work)
    this.#addGradient(gradient, hyperparameters, solved)
    addPriorGradient(gradient, hyperparameters)
    return { value, gradient }
  }

  #fillMatrix({ weights, scale, noise }: Hyperparameters): void {
    const distances = this.#distances.fill(0)
    for (const [column, differences] of this.#differences.entries()) {
      const weight = weights[column]!
      for (let pair = 0; pair < distances.length; pair++) distances[pair]! += weight * differences[pair]!
    }
    const n = this.points.count
    for (let i = 0, pair = 0; i < n; i++) {
      for (let j = 0; j < i; j++, pair++) {
        const distance = distances[pair]!
        const correlation = matern(distance)
        this.#correlations[pair] = correlation
        this.#slopes[pair] = maternSlope(distance)
        this.#matrix[i * n + j] = scale * correlation
      }
      this.#matrix[i * n + i] = scale + noise
    }
  }

  /** ∂/∂θ = −½ Σ (α αᵀ − K⁻¹)ᵢⱼ ∂Kᵢⱼ/∂θ with α = K⁻¹ · values (Rasmussen and Williams, (5.9)). */
  #addGradient(gradient: Float64Array, { weights, scale, noise }: Hyperparameters, solved: Float64Array): void {
    const n = this.points.count
    const slopes = this.#slopes
    let byScale = 0
    let byNoise = 0
    for (let i = 0, pair = 0; i < n; i++) {
      for (let j = 0; j < i; j++, pair++) {
        // Pairs above the diagonal are the same once more, which takes the half away.
        const share = this.#inverse[i * n + j]! - solved[i]! * solved[j]!
        byScale += share * this.#correlations[pair]!
        slopes[pair]! *= share
      }
      const own = 0.5 * (this.#inverse[i * n + i]! - solved[i]! ** 2)
      byScale += own
      byNoise += own
    }
    for (const [column, differences] of this.#differences.entries()) {
      let sum = 0
      for (let pair = 0; pair < slopes.length; pair++) sum += slopes[pair]! * differences[pair]!
      gradient[column]! += scale * weights[column]! * sum
    }
    gradient[weights.length]! += scale * byScale
    gradient[weights.length + 1]! += (noise - leastNoise) * byNoise
  }
}

function differencesOf({ count, data, isCategory }: Points, column: number): Float64Array {
  const width = isCategory.length
  const differences = new Float64Array((count * (count - 1)) / 2)
  for (let i = 0, pair = 0; i < count; i++) {
    for (let j = 0; j < i; j++, pair++) {
      const [a, b] = [data[i * width + column]!, data[j * width + column]!]
      differences[pair] = squaredDifference(a, b, isCategory[column]!)
    }
  }
  return differences
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
