/** How far counts lie from what was expected. */

/** Pearson's statistic. */
export const chiSquare = (counts, expected) =>
  counts.reduce((sum, count, i) => sum + (count - expected[i]) ** 2 / expected[i], 0)

/** What the statistic exceeds once in a thousand times (Wilson and Hilferty 1931). */
export function chiSquareLimit(degrees) {
  const part = 2 / (9 * degrees)
  return degrees * (1 - part + 3.0902 * Math.sqrt(part)) ** 3
}
