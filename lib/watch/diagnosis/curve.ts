/** Arithmetic on curves. What is not finite counts as missing. */

export type Numbers = Float64Array | readonly number[]

function finite(values: Numbers): Float64Array {
  const kept = new Float64Array(values.length)
  let count = 0
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) kept[count++] = values[i]!
  return kept.subarray(0, count)
}

/** Between the two middle values where there are two; NaN of nothing. */
export function median(values: Numbers): number {
  const sorted = finite(values).sort()
  const half = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[half]!
  return sorted.length ? (sorted[half - 1]! + sorted[half]!) / 2 : Number.NaN
}

/** −∞ of nothing. */
export function largest(values: Numbers): number {
  let most = Number.NEGATIVE_INFINITY
  for (let i = 0; i < values.length; i++) if (values[i]! > most && Number.isFinite(values[i])) most = values[i]!
  return most
}

/** ∞ of nothing. */
export function smallest(values: Numbers): number {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < values.length; i++) if (values[i]! < least && Number.isFinite(values[i])) least = values[i]!
  return least
}

/** The values from one share of the length to another: `part(values, 2 / 3, 1)` is the last third. At least one. */
export function part(values: Numbers, from: number, to: number): Numbers {
  const end = Math.max(Math.ceil(to * values.length), 1)
  const begin = Math.min(Math.floor(from * values.length), end - 1)
  return values instanceof Float64Array ? values.subarray(begin, end) : values.slice(begin, end)
}

/** Running medians of `width` values (odd), fewer at the ends: single outliers vanish, steps stay. */
export function smooth(values: Numbers, width: number): number[] {
  const all = Array.from(values)
  const reach = (width - 1) / 2
  return all.map((_, i) => median(all.slice(Math.max(0, i - reach), i + reach + 1)))
}

/** Medians of equal stretches, at most `count` of them. */
export function condense(values: Numbers, count: number): number[] {
  if (values.length <= count) return Array.from(values)
  return Array.from({ length: count }, (_, i) => median(part(values, i / count, (i + 1) / count)))
}

/** What one evenly spaced value is more than the one before: the median over all pairs (Theil 1950, Sen 1968). */
export function slope(values: Numbers): number {
  const slopes: number[] = []
  for (let j = 1; j < values.length; j++) {
    for (let i = 0; i < j; i++) slopes.push((values[j]! - values[i]!) / (j - i))
  }
  return median(slopes)
}

const mostPoints = 64

/** How much a curve goes up from its begin to its end, by its robust slope. */
export function rise(values: Numbers): number {
  const points = condense(values, mostPoints)
  return slope(points) * (points.length - 1)
}

/** Spread around a trend, from the jumps between neighbours: √(mean of (vᵢ − vᵢ₋₁ − slope)² / 2). */
export function scatter(values: Numbers): number {
  const trend = slope(values)
  const jumps = finite(Array.from(values).map((value, i) => (value - values[i - 1]! - trend) ** 2))
  return jumps.length ? Math.sqrt(jumps.reduce((a, b) => a + b) / jumps.length / 2) : 0
}

/** Whether a curve falls by no more than a share of its level, and what its scatter may hide. */
export function isFlat(values: Numbers, share: number): boolean {
  // Of the rise of a line through n scattered points the standard deviation is about √(12 / n) times theirs.
  const hidden = scatter(values) * Math.sqrt(12 / values.length)
  return -rise(values) < share * median(values) + hidden
}

/**
 * What the second half of a curve rises by, as a share of what the first half does: 1 of a straight line, 0 of one that has
 * levelled off; NaN of one that does not rise.
 */
export function straightness(values: Numbers): number {
  return rise(part(values, 0.5, 1)) / rise(part(values, 0, 0.5))
}

/** The first place from which on it holds to the end; −1 if it does not at the end. */
export function lastingFrom(values: Numbers, holds: (value: number) => boolean): number {
  let from = values.length
  while (from > 0 && holds(values[from - 1]!)) from--
  return from < values.length ? from : -1
}
