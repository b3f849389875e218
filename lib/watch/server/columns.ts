/** Fewer points for columns that are longer than a screen is wide. */

/** Means of as many neighbours as it takes to stay within `most`; values that are not finite are left out. */
export function mergeColumns(column: Float64Array, most: number): Float64Array {
  const width = Math.ceil(column.length / most)
  if (width <= 1) return column
  const merged = new Float64Array(Math.ceil(column.length / width))
  for (let i = 0; i < merged.length; i++) {
    const end = Math.min((i + 1) * width, column.length)
    let sum = 0
    let count = 0
    for (let k = i * width; k < end; k++) {
      if (!Number.isFinite(column[k])) continue
      sum += column[k]!
      count++
    }
    merged[i] = sum / count
  }
  return merged
}

/** Every n-th entry and the last one. */
export function thin<Entry>(entries: readonly Entry[], most: number): readonly Entry[] {
  const stride = Math.ceil(entries.length / most)
  return stride <= 1 ? entries : entries.filter((_, i) => (entries.length - 1 - i) % stride === 0)
}
