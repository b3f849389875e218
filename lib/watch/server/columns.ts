/** Fewer points for columns that are longer than a screen is wide; more of them, as a run goes on. */
import type { StepsView } from './wire.js'

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

/** Points that curves may have before they are asked for anew, which brings their beginnings to fewer. */
export const mostPoints = 4096

/**
 * Puts the ends that curves have got in the place of what was there of them, from their first step on. In their own
 * memory: to copy whole curves for a few new values would be most of what an event costs.
 */
export function extend(steps: StepsView, ends: StepsView): StepsView {
  if (ends.lastStep <= steps.lastStep) return steps
  const begin = ends.step[0]!
  let kept = steps.step.length
  while (kept > 0 && steps.step[kept - 1]! >= begin) kept--
  const columns = steps as unknown as Record<string, unknown>
  for (const [name, end] of Object.entries(ends)) {
    const column = columns[name]
    if (Array.isArray(column) && Array.isArray(end)) column.splice(kept, column.length - kept, ...end)
  }
  return { ...steps, count: ends.count, lastStep: ends.lastStep }
}

/** Every n-th entry and the last one. */
export function thin<Entry>(entries: readonly Entry[], most: number): readonly Entry[] {
  const stride = Math.ceil(entries.length / most)
  return stride <= 1 ? entries : entries.filter((_, i) => (entries.length - 1 - i) % stride === 0)
}
