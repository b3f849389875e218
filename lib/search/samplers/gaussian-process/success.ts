/** How likely a trial at a point is to have a result, where some have failed. */
import { logCumulative, logRootOfTwoPi } from '../../../normal.js'
import type { Points } from './covariance.js'
import { fit } from './fit.js'
import { type Belief, Posterior } from './posterior.js'

/**
 * The logarithm of the chance that a function is positive, of which trials are told 1 where they had a result and −1 where they
 * failed (as in Gardner et al. 2014, "Bayesian optimization with inequality constraints"). Nothing known: a half.
 */
export class Success {
  readonly #ofMean: Float64Array
  readonly #ofDeviation: Float64Array

  constructor(private readonly posterior: Posterior) {
    const width = posterior.points.isCategory.length
    this.#ofMean = new Float64Array(width)
    this.#ofDeviation = new Float64Array(width)
  }

  static async of(points: Points, ended: readonly { readonly failed: boolean }[]): Promise<Success> {
    const values = Float64Array.from(ended, ({ failed }) => (failed ? -1 : 1))
    return new Success(new Posterior(points, values, await fit(points, values)))
  }

  at(row: Float64Array): number {
    return logChance(this.posterior.at(row))
  }

  /** At many points. */
  atAll(rows: readonly Float64Array[]): number[] {
    return this.posterior.atAll(rows).map(logChance)
  }

  /** As `at`, with its gradient added to an array. */
  withGradient(row: Float64Array, gradient: Float64Array): number {
    const belief = this.posterior.withGradient(row, this.#ofMean, this.#ofDeviation)
    const { mean, deviation } = belief
    const z = mean / deviation
    const slope = (caution * Math.exp(-0.5 * z * z - logRootOfTwoPi - logCumulative(z))) / deviation
    for (let i = 0; i < gradient.length; i++) {
      gradient[i]! += slope * (this.#ofMean[i]! - z * this.#ofDeviation[i]!)
    }
    return logChance(belief)
  }
}

/** How much more than an improvement the chance to have one counts: a failure teaches less than a bad value. */
const caution = 2

const logChance = ({ mean, deviation }: Belief): number => caution * logCumulative(mean / deviation)
