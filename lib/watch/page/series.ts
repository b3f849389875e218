/** Arithmetic on columns. */
import type { Column } from '../server/packed.js'

/** A running mean with weight `1 − keep` for each new value, freed of its bias towards the beginning. */
export function smooth(column: Column, keep: number): Column {
  if (keep === 0) return column
  let [mean, weight] = [0, 0]
  return column.map((value) => {
    if (value === null) return null
    mean = keep * mean + (1 - keep) * value
    weight = keep * weight + 1 - keep
    return mean / weight
  })
}

export const last = (column: Column): number | null => column.findLast((value) => value !== null) ?? null

export const combine = (a: Column, b: Column, of: (a: number, b: number) => number): Column =>
  a.map((value, i) => (value === null || b[i] === null || b[i] === undefined ? null : of(value, b[i])))

/** A logarithm has no place for what is not positive. */
export const positive = (column: Column): Column => column.map((value) => (value !== null && value > 0 ? value : null))

export const isConstant = (column: Column): boolean => column.every((value) => value === null || value === column[0])
