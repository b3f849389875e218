/** How curves are put on one scale when some of them explode. */
import type { Column } from '../server/packed.js'

/** So far above its begin a curve has exploded. */
const exploded = 100
/** So far above the calmest curve another one no longer counts for the scale. */
const apart = 30
/** Above this multiple of what a curve is as a rule, its peaks are cut. */
const peak = 10

const numbersOf = (column: Column): number[] =>
  column.filter((value): value is number => value !== null && Number.isFinite(value))

/** Whether all of the curves go up by decades: then their logarithm is shown. */
export function areExploded(columns: readonly Column[]): boolean {
  const known = columns.map(numbersOf).filter((values) => values.length > 0)
  return known.length > 0 && known.every((values) => values[0]! > 0 && largest(values) > exploded * values[0]!)
}

/** What is above is cut, so that one diverged run or one peak does not flatten the rest; undefined where nothing is. */
export function limitOf(columns: readonly Column[]): number | undefined {
  const known = columns.map(numbersOf).filter((values) => values.length > 0)
  if (known.length === 0) return undefined
  const usual = known.map((values) => quantile(values, 0.98))
  const calmest = Math.min(...usual)
  if (calmest <= 0) return undefined
  const limits = known.map((values, i) => {
    if (usual[i]! > apart * calmest) return 0
    const most = largest(values)
    return most > peak * usual[i]! ? 1.5 * usual[i]! : most
  })
  const limit = Math.max(...limits)
  return known.some((values) => largest(values) > limit) ? limit : undefined
}

const largest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value))

function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.floor(share * (sorted.length - 1))]!
}
