/**
 * How much a trial at a point promises: the logarithm of its expected improvement, less near trials without a result
 * and where trials fail.
 */
import { squaredDifference } from './covariance.js'
import { logExpectedImprovement, slopesOfLogImprovement } from './expected-improvement.js'
import type { Belief, Posterior } from './posterior.js'
import type { Success } from './success.js'

/** In length scales: within that distance a trial tells what the one under way will tell. */
const apart = 0.03

export class Acquisition {
  /** Of each column, what its squared differences count; no length scale is taken to be longer than the range. */
  readonly #weights: Float64Array

  /**
   * @param best what is to be improved on
   * @param pending trials without a result. That their results are believed to be known does not keep others away from them:
   *   where the function is known well, the most is promised at its minimum again and again
   * @param success null where no trial has failed
   */
  constructor(
    private readonly posterior: Posterior,
    private readonly best: number,
    private readonly pending: readonly Float64Array[] = [],
    private readonly success: Success | null = null,
  ) {
    this.#weights = posterior.hyperparameters.weights.map((weight) => Math.max(1, weight) / apart ** 2)
  }

  at(row: Float64Array): number {
    return this.#improvement(this.posterior.at(row)) + this.#logApart(row) + (this.success?.at(row) ?? 0)
  }

  /** At many points. */
  atAll(rows: readonly Float64Array[]): number[] {
    const chances = this.success?.atAll(rows)
    return this.posterior
      .atAll(rows)
      .map((belief, i) => this.#improvement(belief) + this.#logApart(rows[i]!) + (chances?.[i] ?? 0))
  }

  /** The same of some points, with their gradients. */
  withGradients(rows: readonly Float64Array[]): { values: number[]; gradients: Float64Array[] } {
    const { beliefs, ofMeans, ofDeviations } = this.posterior.withGradients(rows)
    const gradients = beliefs.map(({ mean, deviation }, i) => {
      const { byMean, byDeviation } = slopesOfLogImprovement(mean, deviation, this.best)
      const from = i * rows[i]!.length
      return rows[i]!.map((_, j) => byMean * ofMeans[from + j]! + byDeviation * ofDeviations[from + j]!)
    })
    const chances = this.success?.withGradients(rows, gradients)
    const values = beliefs.map(
      (belief, i) => this.#improvement(belief) + this.#logApart(rows[i]!, gradients[i]) + (chances?.[i] ?? 0),
    )
    return { values, gradients }
  }

  #improvement({ mean, deviation }: Belief): number {
    return logExpectedImprovement(mean, deviation, this.best)
  }

  /** log Π (1 − exp(−½ d²)) over the distances to pending trials; its gradient is added to the one given. */
  #logApart(row: Float64Array, gradient?: Float64Array): number {
    const { isCategory } = this.posterior.points
    let sum = 0
    for (const other of this.pending) {
      let distance = 0
      for (const [i, weight] of this.#weights.entries()) {
        distance += weight * squaredDifference(row[i]!, other[i]!, isCategory[i]!)
      }
      const overlap = Math.exp(-0.5 * distance)
      sum += Math.log(Math.max(1 - overlap, Number.MIN_VALUE))
      if (!gradient || overlap === 0 || overlap === 1) continue
      const slope = overlap / (1 - overlap)
      for (const [i, weight] of this.#weights.entries()) {
        if (!isCategory[i]) gradient[i]! += slope * weight * (row[i]! - other[i]!)
      }
    }
    return sum
  }
}
