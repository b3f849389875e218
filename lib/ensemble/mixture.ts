/** Weights of members that fit what was observed best, found on columns of numbers, one column a member. */

/** What the members say of each observation, and how much that counts. */
export interface Observed {
  /** Of each member: of each observation the log of the probability that it gave to what came. */
  readonly logs: readonly Float64Array[]
  /** Of each observation; not negative. */
  readonly counts: Float64Array
}

export interface Ends {
  /** The mean log-likelihood is within this of the greatest. */
  readonly tolerance: number
  /** At most so many steps. */
  readonly iterations: number
}

/**
 * The weights of greatest likelihood, Σ log Σ wₘ·pₘ, by expectation maximisation from equal ones (Dempster, Laird and Rubin
 * 1977): no step makes it less. As it is concave, mean(pₘ / p̄) − 1 of the best member bounds what is still to be gained.
 */
export function likeliestWeights({ logs, counts }: Observed, { tolerance, iterations }: Ends): Float64Array {
  const columns = relative(logs)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const weights = new Float64Array(logs.length).fill(1 / logs.length)
  for (let i = 0; i < iterations; i++) {
    const mixed = mixedBy(weights, columns)
    const shares = columns.map((column) => meanRatio(column, mixed, counts, total))
    if (Math.max(...shares) - 1 <= tolerance) break
    for (const [m, share] of shares.entries()) weights[m]! *= share
  }
  return normalized(weights)
}

/** Probabilities over the largest of each observation: none of them vanishes in all members at once. */
function relative(logs: readonly Float64Array[]): Float64Array[] {
  const largest = logs[0]!.map((_, i) => Math.max(...logs.map((column) => column[i]!)))
  return logs.map((column) =>
    column.map((log, i) => (largest[i] === Number.NEGATIVE_INFINITY ? 1 : Math.exp(log - largest[i]!))),
  )
}

function mixedBy(weights: Float64Array, columns: readonly Float64Array[]): Float64Array {
  const mixed = new Float64Array(columns[0]!.length)
  for (const [m, column] of columns.entries()) {
    for (let i = 0; i < mixed.length; i++) mixed[i]! += weights[m]! * column[i]!
  }
  return mixed
}

function meanRatio(column: Float64Array, mixed: Float64Array, counts: Float64Array, total: number): number {
  let sum = 0
  for (let i = 0; i < column.length; i++) sum += (counts[i]! * column[i]!) / mixed[i]!
  return sum / total
}

function normalized(weights: Float64Array): Float64Array {
  const sum = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / sum)
}

/**
 * The weights, not negative and of sum 1, by which the mean of the members comes nearest to the targets in squares: those of
 * least wᵀGw, G being the products of the members' errors. Weight is moved, as far as is best, from the member with the
 * steepest rise to the one with the steepest fall, until there is nothing to gain by it.
 *
 * @param errors - of each member: output − target of each observation
 */
export function nearestWeights(
  errors: readonly Float64Array[],
  counts: Float64Array,
  { tolerance, iterations }: Ends,
): Float64Array {
  const members = errors.length
  const products = errors.map((a) =>
    errors.map((b) => a.reduce((sum, value, i) => sum + counts[i]! * value * b[i]!, 0)),
  )
  const weights = new Float64Array(members).fill(1 / members)
  const slopes = new Float64Array(members)
  for (let i = 0; i < iterations; i++) {
    for (let m = 0; m < members; m++) slopes[m] = weights.reduce((sum, weight, n) => sum + weight * products[m]![n]!, 0)
    const value = weights.reduce((sum, weight, m) => sum + weight * slopes[m]!, 0)
    let [to, from] = [0, -1]
    for (let m = 0; m < members; m++) {
      if (slopes[m]! < slopes[to]!) to = m
      if (weights[m]! > 0 && (from < 0 || slopes[m]! > slopes[from]!)) from = m
    }
    const slope = slopes[from]! - slopes[to]!
    if (slope <= tolerance * value) break
    const curvature = products[to]![to]! - 2 * products[to]![from]! + products[from]![from]!
    const moved = curvature > 0 ? Math.min(weights[from]!, slope / curvature) : weights[from]!
    weights[from]! -= moved
    weights[to]! += moved
  }
  return normalized(weights)
}
