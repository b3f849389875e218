/** Losses as a Gaussian process wants them: mean 0, deviation 1. */

/** How many deviations, told by the median's neighbours, a loss may lie above the median: more is not told apart. */
const mostAbove = 10
/** Trials that tell of them: later ones lie where losses are alike, and would make anything else seem huge. */
const telling = 20
/** The standard deviation of normal numbers for their median distance to the median. */
const deviationForDistance = 1.4826

/** Losses in order of number; those far above most others are taken for less, or they would leave no difference between those. */
export function standardized(losses: readonly number[]): Float64Array {
  const highest = highestOf(losses)
  const kept = losses.map((loss) => Math.min(loss, highest))
  const mean = kept.reduce((sum, loss) => sum + loss / kept.length, 0)
  const variance = kept.reduce((sum, loss) => sum + (loss - mean) ** 2 / kept.length, 0)
  const deviation = Math.sqrt(variance) || 1
  return Float64Array.from(kept, (loss) => (loss - mean) / deviation)
}

/** Where more than half are the same, the distance from the best to them stands for the deviation. */
function highestOf(losses: readonly number[]): number {
  const first = losses.slice(0, telling)
  const middle = medianOf(first)
  const near = deviationForDistance * medianOf(first.map((loss) => Math.abs(loss - middle)))
  const deviation = near > 0 ? near : middle - Math.min(...first)
  return deviation > 0 ? middle + mostAbove * deviation : Infinity
}

const medianOf = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!
