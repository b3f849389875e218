/** How likely a trial at a point is to have a result, where some have failed. */
import { logCumulative, logRootOfTwoPi } from '../../../normal.js'
import { firstOf, type Points } from './covariance.js'
import { Fits, fittedOf } from './fit.js'
import { type Belief, Posterior } from './posterior.js'

const fits = new Fits()

/**
 * The logarithm of the chance that a function is positive, of which trials are told 1 where they had a result and −1 where they
 * failed (as in Gardner et al. 2014, "Bayesian optimization with inequality constraints"). Nothing known: a half.
 */
export class Success {
  constructor(private readonly posterior: Posterior) {}

  /** Of the trials of a space, in order of number. */
  static async of(space: object, points: Points, ended: readonly { readonly failed: boolean }[]): Promise<Success> {
    const values = Float64Array.from(ended, ({ failed }) => (failed ? -1 : 1))
    const fitted = fittedOf(points.count)
    const hyperparameters = await fits.of(space, firstOf(points, fitted), values.subarray(0, fitted))
    return new Success(new Posterior(points, values, hyperparameters))
  }

  at(row: Float64Array): number {
    return logChance(this.posterior.at(row))
  }

  /** At many points. */
  atAll(rows: readonly Float64Array[]): number[] {
    return this.posterior.atAll(rows).map(logChance)
  }

  /** As `at` of each of some points, with their gradients added to arrays. */
  withGradients(rows: readonly Float64Array[], gradients: readonly Float64Array[]): number[] {
    const { beliefs, ofMeans, ofDeviations } = this.posterior.withGradients(rows)
    for (const [i, gradient] of gradients.entries()) {
      const { mean, deviation } = beliefs[i]!
      const z = mean / deviation
      const slope = (caution * Math.exp(-0.5 * z * z - logRootOfTwoPi - logCumulative(z))) / deviation
      for (let j = 0, at = i * gradient.length; j < gradient.length; j++, at++) {
        gradient[j]! += slope * (ofMeans[at]! - z * ofDeviations[at]!)
      }
    }
    return beliefs.map(logChance)
  }
}

/** How much more than an improvement the chance to have one counts: a failure teaches less than a bad value. */
const caution = 2

const logChance = ({ mean, deviation }: Belief): number => caution * logCumulative(mean / deviation)
