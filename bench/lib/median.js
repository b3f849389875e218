/** The value below which lies that share of them; between two values in proportion. */
export const quantile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const below = sorted[Math.floor(at)]
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)] - below)
}

export const median = (values) => quantile(values, 0.5)

export const geometricMean = (values) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
