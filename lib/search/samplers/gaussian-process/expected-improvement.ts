/** How much lower than the best so far a value may be expected to be, in logarithms: Ament et al. (2023), (9). */
import { cumulative, density, logRootOfTwoPi, scaledErfc } from '../../../normal.js'

const rootOfHalfPi = Math.sqrt(Math.PI / 2)

/** z from which on the logarithm's argument has digits enough, and z below which they end in cancellation. */
const nearby = -1
const faraway = -60

/** (1 + z · Mills(−z)) for z ≤ −1: what is left of an improvement, in densities. */
function remainder(z: number): number {
  if (z > faraway) return 1 + z * rootOfHalfPi * scaledErfc(-z * Math.SQRT1_2)
  const square = 1 / (z * z)
  return square * (1 - square * (3 - square * (15 - 105 * square)))
}

/** log E[max(0, z + standard normal)] */
export function logImprovement(z: number): number {
  if (z > nearby) return Math.log(density(z) + z * cumulative(z))
  return -0.5 * z * z - logRootOfTwoPi + Math.log(remainder(z))
}

/** log E[max(0, best − value)] of a normal value. */
export const logExpectedImprovement = (mean: number, deviation: number, best: number): number =>
  logImprovement((best - mean) / deviation) + Math.log(deviation)

/** Its derivatives by mean and deviation: −Φ(z) and φ(z) over the expectation itself. */
export function slopesOfLogImprovement(
  mean: number,
  deviation: number,
  best: number,
): { byMean: number; byDeviation: number } {
  const z = (best - mean) / deviation
  if (z > nearby) {
    const improvement = deviation * (density(z) + z * cumulative(z))
    return { byMean: -cumulative(z) / improvement, byDeviation: density(z) / improvement }
  }
  const improvement = deviation * remainder(z)
  return { byMean: (-rootOfHalfPi * scaledErfc(-z * Math.SQRT1_2)) / improvement, byDeviation: 1 / improvement }
}
