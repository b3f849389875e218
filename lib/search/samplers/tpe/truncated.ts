/** Normal distributions cut off at 0 and 1. */
import { cumulative, quantile } from '../../../normal.js'

/** Deviations beyond which less than rounding is left of a normal distribution. */
const beyond = 9

export const shareBelow = (mean: number, inverse: number): number =>
  mean * inverse > beyond ? 0 : cumulative(-mean * inverse)

/** The share between 0 and 1 of a normal distribution with this inverse of a deviation. */
export function shareWithin(mean: number, inverse: number): number {
  const [below, above] = [mean * inverse, (1 - mean) * inverse]
  if (below > beyond && above > beyond) return 1
  return 1 - (below > beyond ? 0 : cumulative(-below)) - (above > beyond ? 0 : cumulative(-above))
}

/** A number between 0 and 1 for one in [0, 1). */
export function drawWithin(mean: number, inverse: number, draw: number): number {
  return numberAt(mean, inverse, shareBelow(mean, inverse) + draw * shareWithin(mean, inverse))
}

/** The number between 0 and 1 below which this share of the whole distribution lies. */
export function numberAt(mean: number, inverse: number, share: number): number {
  return Math.max(0, Math.min(1, mean + quantile(Math.max(share, Number.MIN_VALUE)) / inverse))
}
