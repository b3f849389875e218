/** The covariance matrix adaptation of an evolution strategy, one generation after another (Hansen, "The CMA Evolution Strategy: A Tutorial", 2016). */
import { type Eigen, symmetricEigen } from '../../eigen.js'

/** A point that was tried, and how bad it was. */
export interface Tried {
  readonly x: Float64Array
  readonly loss: number
}

/** A normal distribution of points, and how it has moved. */
export interface Evolution {
  readonly generation: number
  readonly mean: Float64Array
  readonly sigma: number
  /** Row-major. */
  readonly covariance: Float64Array
  /** Paths of the step size and of the covariance. */
  readonly sizePath: Float64Array
  readonly covariancePath: Float64Array
}

export const begin = (mean: Float64Array, sigma: number): Evolution => {
  const n = mean.length
  const covariance = new Float64Array(n * n)
  for (let i = 0; i < n; i++) covariance[i * n + i] = 1
  const zero = new Float64Array(n)
  return { generation: 0, mean, sigma, covariance, sizePath: zero, covariancePath: zero }
}

/** Points of a generation (equation 48). */
export const populationOf = (dimensions: number): number => 4 + Math.floor(3 * Math.log(dimensions))

/** √C · z, with the root that is symmetric itself: it depends on neither order nor signs of eigenvectors. */
export function sample({ mean, sigma, covariance }: Evolution, normals: Float64Array): Float64Array {
  const stretched = powerTimes(decompose(covariance, mean.length), 0.5, normals)
  return mean.map((center, i) => center + sigma * stretched[i]!)
}

/**
 * A point that another one suggested, no further from the mean than the distribution's own points ever come: twice the length
 * at which Hansen ("Injecting external solutions into CMA-ES", 2011) takes it back. One far outside would blow it up.
 */
export function takenBack({ mean, sigma, covariance }: Evolution, x: Float64Array): Float64Array {
  const n = mean.length
  const step = x.map((xi, i) => (xi - mean[i]!) / sigma)
  const length = Math.hypot(...powerTimes(decompose(covariance, n), -0.5, step))
  const most = 2 * (Math.sqrt(n) + (2 * n) / (n + 2))
  return length <= most ? x : mean.map((center, i) => center + (sigma * step[i]! * most) / length)
}

/** The distribution after a generation's points, `populationOf` of them, in any order. */
export function next(evolution: Evolution, tried: readonly Tried[]): Evolution {
  const { mean, sigma } = evolution
  const n = mean.length
  const rates = ratesOf(n, tried.length)
  const { parents, massOfParents, weights } = rates
  const eigen = decompose(evolution.covariance, n)
  const steps = [...tried].sort((a, b) => a.loss - b.loss).map(({ x }) => x.map((xi, i) => (xi - mean[i]!) / sigma))
  // Selection and recombination (41).
  const step = new Float64Array(n)
  for (let k = 0; k < parents; k++) for (let i = 0; i < n; i++) step[i]! += weights[k]! * steps[k]![i]!
  // Step size (43, 44).
  const { sizeRate, damping, covarianceRate } = rates
  const white = powerTimes(eigen, -0.5, step)
  const sizeFactor = Math.sqrt(sizeRate * (2 - sizeRate) * massOfParents)
  const sizePath = evolution.sizePath.map((path, i) => (1 - sizeRate) * path + sizeFactor * white[i]!)
  const expected = Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))
  const length = Math.hypot(...sizePath)
  const generation = evolution.generation + 1
  // The path of the covariance stands still while the step size grows fast.
  const isSteady = length / Math.sqrt(1 - (1 - sizeRate) ** (2 * (generation + 1))) < (1.4 + 2 / (n + 1)) * expected
  const pathFactor = isSteady ? Math.sqrt(covarianceRate * (2 - covarianceRate) * massOfParents) : 0
  const covariancePath = evolution.covariancePath.map((path, i) => (1 - covarianceRate) * path + pathFactor * step[i]!)
  return {
    generation,
    mean: mean.map((center, i) => center + sigma * step[i]!),
    sigma: Math.min(1e32, sigma * Math.exp((sizeRate / damping) * (length / expected - 1))),
    covariance: adapted(restored(eigen, n), covariancePath, steps, eigen, rates, isSteady),
    sizePath,
    covariancePath,
  }
}

interface Rates {
  readonly parents: number
  readonly massOfParents: number
  readonly weights: Float64Array
  readonly rankOne: number
  readonly rankMany: number
  readonly sizeRate: number
  readonly damping: number
  readonly covarianceRate: number
}

/** Weights and learning rates (49 to 58). */
function ratesOf(n: number, population: number): Rates {
  const parents = Math.floor(population / 2)
  const raw = Float64Array.from({ length: population }, (_, i) => Math.log((population + 1) / 2) - Math.log(i + 1))
  const massOf = (part: Float64Array) => sum(part) ** 2 / sum(part.map((x) => x * x))
  const massOfParents = massOf(raw.subarray(0, parents))
  const massOfOthers = massOf(raw.subarray(parents))
  const rankOne = 2 / ((n + 1.3) ** 2 + massOfParents)
  const rankMany = Math.min(
    1 - rankOne - 1e-8,
    (2 * (massOfParents - 2 + 1 / massOfParents)) / ((n + 2) ** 2 + massOfParents),
  )
  const negative = Math.min(
    1 + rankOne / rankMany,
    1 + (2 * massOfOthers) / (massOfParents + 2),
    (1 - rankOne - rankMany) / (n * rankMany),
  )
  const positiveSum = sum(raw.filter((x) => x > 0))
  const negativeSum = -sum(raw.filter((x) => x < 0))
  const sizeRate = (massOfParents + 2) / (n + massOfParents + 5)
  return {
    parents,
    massOfParents,
    weights: raw.map((x) => (x >= 0 ? x / positiveSum : (negative * x) / negativeSum)),
    rankOne,
    rankMany,
    sizeRate,
    damping: 1 + 2 * Math.max(0, Math.sqrt((massOfParents - 1) / (n + 1)) - 1) + sizeRate,
    covarianceRate: (4 + massOfParents / n) / (n + 4 + (2 * massOfParents) / n),
  }
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0)

/** The covariance, with what the path and the generation's steps add (46, 47): bad steps take away, by their length. */
function adapted(
  covariance: Float64Array,
  path: Float64Array,
  steps: readonly Float64Array[],
  eigen: Eigen,
  { weights, rankOne, rankMany, covarianceRate }: Rates,
  isSteady: boolean,
): Float64Array {
  const n = path.length
  const shares = weights.map((weight, k) => {
    if (weight >= 0) return weight
    return (weight * n) / (Math.hypot(...powerTimes(eigen, -0.5, steps[k]!)) ** 2 + 1e-8)
  })
  const lost = isSteady ? 0 : covarianceRate * (2 - covarianceRate)
  const kept = 1 + rankOne * lost - rankOne - rankMany * sum(weights)
  return covariance.map((entry, place) => {
    const [i, j] = [Math.floor(place / n), place % n]
    let many = 0
    for (const [k, share] of shares.entries()) many += share * steps[k]![i]! * steps[k]![j]!
    return kept * entry + rankOne * path[i]! * path[j]! + rankMany * many
  })
}

/** A covariance is never changed: what it is made of is found once. */
const decomposed = new WeakMap<Float64Array, Eigen>()

/** Of the symmetric part; what rounding has made negative is next to nothing. */
function decompose(covariance: Float64Array, n: number): Eigen {
  const known = decomposed.get(covariance)
  if (known !== undefined) return known
  const symmetric = covariance.map((entry, k) => (entry + covariance[(k % n) * n + Math.floor(k / n)]!) / 2)
  const { values, vectors } = symmetricEigen(symmetric, n)
  const eigen = { values: values.map((value) => (value < 0 ? 1e-8 : value)), vectors }
  decomposed.set(covariance, eigen)
  return eigen
}

/** V · diag(values ** exponent) · Vᵀ · x. */
function powerTimes({ values, vectors }: Eigen, exponent: number, x: Float64Array): Float64Array {
  const n = x.length
  const turned = values.map((value, j) => {
    let total = 0
    for (let i = 0; i < n; i++) total += vectors[i * n + j]! * x[i]!
    return total * value ** exponent
  })
  return x.map((_, i) => {
    let total = 0
    for (let j = 0; j < n; j++) total += vectors[i * n + j]! * turned[j]!
    return total
  })
}

function restored({ values, vectors }: Eigen, n: number): Float64Array {
  return vectors.map((_, place) => {
    const [i, j] = [Math.floor(place / n), place % n]
    let total = 0
    for (let k = 0; k < n; k++) total += vectors[i * n + k]! * values[k]! * vectors[j * n + k]!
    return total
  })
}
