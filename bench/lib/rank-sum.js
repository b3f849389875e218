/**
 * Wilcoxon's rank-sum test, one-sided: how likely values like these are, or larger ones, if both come from one distribution.
 * By the normal approximation, equal values at the mean of their ranks.
 */
export function chanceThatLarger(values, others) {
  const all = [...values.map((value) => ({ value, ours: true })), ...others.map((value) => ({ value, ours: false }))]
  all.sort((a, b) => a.value - b.value)
  let [sum, ties] = [0, 0]
  for (let from = 0, to = 0; from < all.length; from = to) {
    while (to < all.length && all[to].value === all[from].value) to++
    for (let i = from; i < to; i++) if (all[i].ours) sum += (from + to + 1) / 2
    ties += (to - from) ** 3 - (to - from)
  }
  const [n, m, count] = [values.length, others.length, all.length]
  const variance = ((n * m) / 12) * (count + 1 - ties / (count * (count - 1)))
  return variance > 0 ? upperTail((sum - (n * (count + 1)) / 2) / Math.sqrt(variance)) : 0.5
}

/** Of the standard normal distribution, to 1e-7: Abramowitz and Stegun, 26.2.17. */
function upperTail(z) {
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const tail = (Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)) * series
  return z >= 0 ? tail : 1 - tail
}
