/** Rows dealt out to several folds, each of which is held out once. */
import { GradusError, invalidArgument } from '../errors.js'
import { groupRows } from './partition.js'
import { permutation } from './random.js'

export interface FoldOptions {
  folds: number
  seed: number
  /** False: folds are stretches of the rows as they lie. */
  shuffle: boolean
  /** One value for each row: each fold has the same share of each, to within one row. */
  classes?: ArrayLike<unknown> | undefined
  /** One value for each row: rows of one value go into the same fold. */
  groups?: ArrayLike<unknown> | undefined
}

/** The rows of each fold: all of them once. */
export function foldRows(rows: number, { folds, seed, shuffle, classes, groups }: FoldOptions): Uint32Array[] {
  if (rows < folds) {
    const message = `folds: expected at most ${rows}, one for each example, received ${folds}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const order = shuffle ? permutation(rows, seed) : Uint32Array.from({ length: rows }, (_, row) => row)
  if (groups) return ofGroups(groupRows(groups, order), folds)
  if (classes) return dealt(Uint32Array.from(groupRows(classes, order).flatMap((group) => [...group])), folds)
  return shuffle ? dealt(order, folds) : stretches(order, folds)
}

/** One row to each fold in turn: of any stretch of the order each fold has the same number, to within one. */
const dealt = (order: Uint32Array, folds: number): Uint32Array[] =>
  Array.from({ length: folds }, (_, fold) => order.filter((_, i) => i % folds === fold))

const stretches = (order: Uint32Array, folds: number): Uint32Array[] =>
  Array.from({ length: folds }, (_, fold) => {
    const end = (at: number) => Math.floor((at * order.length) / folds)
    return order.subarray(end(fold), end(fold + 1))
  })

/** The largest group first, each into the fold with the fewest rows. */
function ofGroups(groups: Uint32Array[], folds: number): Uint32Array[] {
  if (groups.length < folds)
    throw invalidArgument('groupBy', `at least ${folds} groups, one for each fold`, groups.length)
  const chosen = Array.from({ length: folds }, () => [] as number[])
  for (const group of groups.toSorted((a, b) => b.length - a.length)) {
    const least = chosen.reduce((small, rows) => (rows.length < small.length ? rows : small))
    for (const row of group) least.push(row)
  }
  return chosen.map((rows) => Uint32Array.from(rows))
}
