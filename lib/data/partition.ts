/** Which rows go into the smaller of two parts. */
import { GradusError, invalidArgument } from '../errors.js'
import { isNumberArray } from './column.js'
import { permutation } from './random.js'

/** One value for each example: examples with the same value belong together. */
export type Groups = ArrayLike<number> | readonly string[]

/** The last rows in this order: a random one, or that of the rows. */
export function lastRows(order: Uint32Array, count: number): Uint32Array {
  return order.subarray(order.length - count)
}

/**
 * `count` rows with the same share of each class: as many of each as its share says, rounded down, and one more of those with
 * the largest remainders (Hamilton's method); which classes of equal remainders get one more is up to the seed.
 */
export function stratified(classes: Uint32Array[], count: number, seed: number): Uint32Array {
  const rows = classes.reduce((sum, { length }) => sum + length, 0)
  const shares = classes.map(({ length }) => (length * count) / rows)
  const counts = shares.map(Math.floor)
  const ties = permutation(classes.length, seed)
  const byRemainder = Array.from(classes.keys()).sort(
    (a, b) => shares[b]! - counts[b]! - (shares[a]! - counts[a]!) || ties[a]! - ties[b]!,
  )
  let left = count - counts.reduce((sum, whole) => sum + whole, 0)
  for (const at of byRemainder) if (left-- > 0) counts[at]!++
  return concatenated(classes.map((group, at) => lastRows(group, counts[at]!)))
}

/**
 * About `count` rows in whole groups, at least one of them, and one is left. In random order each group is taken, from the
 * end, that brings the sum of rows nearer to `count`; in the order of the rows only those before the first that does not.
 */
export function wholeGroups(groups: Uint32Array[], count: number, isOrdered: boolean): Uint32Array {
  const taken: Uint32Array[] = []
  let rows = 0
  for (const group of groups.toReversed()) {
    if (taken.length === groups.length - 1) break
    const isNearer = Math.abs(rows + group.length - count) < Math.abs(rows - count)
    if (!isNearer && isOrdered) break
    if (!isNearer) continue
    taken.push(group)
    rows += group.length
  }
  const least = () => groups.reduce((small, group) => (group.length < small.length ? group : small))
  if (taken.length === 0) taken.push(isOrdered ? groups.at(-1)! : least())
  return concatenated(taken)
}

/** The rows of each value, in this order; the values in the order in which they come first. */
export function groupRows(values: ArrayLike<unknown>, order: Uint32Array): Uint32Array[] {
  const groups = new Map<unknown, number[]>()
  for (const row of order) {
    const group = groups.get(values[row])
    if (group) group.push(row)
    else groups.set(values[row], [row])
  }
  return Array.from(groups.values(), (group) => Uint32Array.from(group))
}

/** One number or word for each of the rows. */
export function checkGroups(argument: string, groups: unknown, rows: number): ArrayLike<unknown> {
  if (!isNumberArray(groups) && !Array.isArray(groups)) {
    throw invalidArgument(argument, 'an array with the group of each example', groups)
  }
  if (groups.length !== rows) throw invalidArgument(argument, `${rows} groups, one for each example`, groups.length)
  for (let row = 0; row < groups.length; row++) {
    const group: unknown = groups[row]
    if (typeof group === 'string' || (typeof group === 'number' && !Number.isNaN(group))) continue
    throw invalidArgument(`${argument}[${row}]`, 'a number or a word', group)
  }
  return groups
}

/** Neither part may be empty. */
export function checkParts(fraction: number, held: number, rows: number): void {
  if (held > 0 && held < rows) return
  const message = `fraction: expected at least one row on each side, received ${fraction} of ${rows} rows`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

function concatenated(parts: Uint32Array[]): Uint32Array {
  const whole = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
