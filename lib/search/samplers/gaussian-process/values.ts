/** Losses as a Gaussian process wants them: mean 0, deviation 1. */

export function standardized(losses: readonly number[]): Float64Array {
  const mean = losses.reduce((sum, loss) => sum + loss / losses.length, 0)
  const variance = losses.reduce((sum, loss) => sum + (loss - mean) ** 2 / losses.length, 0)
  const deviation = Math.sqrt(variance) || 1
  return Float64Array.from(losses, (loss) => (loss - mean) / deviation)
}
