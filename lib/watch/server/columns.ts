/** Fewer points for columns that are longer than a screen is wide. */

/** Means of as many neighbours as it takes to stay within `most`; values that are not finite are left out. */
export function mergeColumns(column: Float64Array, most: number): Float64Array {
  const width = Math.ceil(column.length / most)
  if (width <= 1) return column
  return Float64Array.from({ length: Math.ceil(column.length / width) }, (_, i) => {
    const finite = column.subarray(i * width, (i + 1) * width).filter(Number.isFinite)
    return finite.length > 0 ? finite.reduce((sum, value) => sum + value, 0) / finite.length : Number.NaN
  })
}

/** Every n-th entry and the last one. */
export function thin<Entry>(entries: readonly Entry[], most: number): readonly Entry[] {
  const stride = Math.ceil(entries.length / most)
  return stride <= 1 ? entries : entries.filter((_, i) => (entries.length - 1 - i) % stride === 0)
}
