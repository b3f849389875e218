/** Trials as rows of numbers, which models read column by column. */
import type { Space } from '../space/space.js'
import type { TrialSeen } from './sampler.js'

export interface Rows {
  /** A row a trial in their order: units or categories by dimension; NaN of what a trial has not. */
  readonly data: Float64Array
  /** Numbers of a row. */
  readonly width: number
}

interface Known {
  trials: TrialSeen[]
  data: Float64Array
}

/** Of each space the rows that were asked for last. Trials never change, so that only other ones are read anew. */
const known = new WeakMap<Space, Known>()

/** Valid until it is called again for the same space. */
export function rowsOf(space: Space, trials: readonly TrialSeen[]): Rows {
  const width = space.dimensions.length
  const found = known.get(space) ?? { trials: [], data: new Float64Array(0) }
  known.set(space, found)
  if (found.data.length < trials.length * width) {
    const larger = new Float64Array(2 * trials.length * width)
    larger.set(found.data)
    found.data = larger
  }
  for (let i = 0; i < trials.length; i++) {
    if (found.trials[i] === trials[i]) continue
    found.trials[i] = trials[i]!
    readRow(space, trials[i]!, found.data, i * width)
  }
  return { data: found.data, width }
}

function readRow({ dimensions, find }: Space, { params }: TrialSeen, data: Float64Array, at: number): void {
  const point = find(params)
  for (let i = 0; i < dimensions.length; i++) data[at + i] = point?.[dimensions[i]!.path] ?? Number.NaN
}
