/** How much a trial at a point promises: the logarithm of its expected improvement. */
import { logExpectedImprovement, slopesOfLogImprovement } from './expected-improvement.js'
import type { Posterior } from './posterior.js'

export class Acquisition {
  readonly #ofMean: Float64Array
  readonly #ofDeviation: Float64Array

  constructor(
    private readonly posterior: Posterior,
    /** What is to be improved on. */
    private readonly best: number,
  ) {
    const width = posterior.points.isCategory.length
    this.#ofMean = new Float64Array(width)
    this.#ofDeviation = new Float64Array(width)
  }

  at(row: Float64Array): number {
    const { mean, deviation } = this.posterior.at(row)
    return logExpectedImprovement(mean, deviation, this.best)
  }

  /** The same, with its gradient written into an array. */
  withGradient(row: Float64Array, gradient: Float64Array): number {
    const { mean, deviation } = this.posterior.withGradient(row, this.#ofMean, this.#ofDeviation)
    const { byMean, byDeviation } = slopesOfLogImprovement(mean, deviation, this.best)
    for (let i = 0; i < gradient.length; i++) {
      gradient[i] = byMean * this.#ofMean[i]! + byDeviation * this.#ofDeviation[i]!
    }
    return logExpectedImprovement(mean, deviation, this.best)
  }
}
