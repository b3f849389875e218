/** From points uphill to ones that no change of a coordinate makes better. */
import { minimize } from '../../../train/lbfgs/minimize.js'
import type { Acquisition } from './acquisition.js'
import { type Coordinate, type Coordinates, middleOf } from './coordinates.js'
import { Together } from './together.js'

/** Finite ranges up to this size are tried value by value. */
const mostTried = 16
/** Rounds over smooth and finite coordinates in turns, and how much one must gain for another to follow. */
const mostRounds = 5
const leastGain = 1e-4

/** Of a point and what the acquisition is there. */
export interface Candidate {
  readonly row: Float64Array
  readonly value: number
}

interface Slope {
  readonly value: number
  readonly gradient: Float64Array
}

/** What all climbs go by. `lengths`: the covariance's, at most 1. */
interface Hill {
  readonly acquisition: Acquisition
  readonly coordinates: Coordinates
  readonly lengths: Float64Array
}

/** From each of the starts, side by side. */
export async function climbAll(hill: Hill, starts: readonly Candidate[]): Promise<Candidate[]> {
  const together = new Together<Float64Array, Slope>(starts.length, (rows) => {
    const { values, gradients } = hill.acquisition.withGradients(rows)
    return values.map((value, i) => ({ value, gradient: gradients[i]! }))
  })
  return await Promise.all(starts.map((start) => climb(hill, together, start).finally(() => together.leave())))
}

async function climb(hill: Hill, together: Together<Float64Array, Slope>, start: Candidate): Promise<Candidate> {
  const { acquisition, coordinates } = hill
  let best = start
  for (let round = 0; round < mostRounds; round++) {
    const before = best
    best = better(best, await alongSmooth(hill, together, best))
    const between = best
    for (const index of coordinates.all.keys()) best = alongFinite(acquisition, coordinates, best, index)
    // Where no finite coordinate has moved, the smooth ones are at their best already.
    if (best === between || best.value - before.value <= leastGain) break
  }
  return best
}

const better = (a: Candidate, b: Candidate): Candidate => (b.value > a.value ? b : a)

const isSmooth = ({ isCategory, size }: Coordinate): boolean => !isCategory && size > mostTried

/** Ends of ranges are where the substitution below has no slope: a start must not lie on them. */
const fromEnds = 1e-3

/**
 * By L-BFGS over all coordinates that are smooth, or fine enough to be taken for it. x = sin²(π/2 · length · v) keeps them
 * within 0 … 1, and makes a step in each v change the function about as much.
 */
async function alongSmooth(
  { acquisition, coordinates, lengths }: Hill,
  together: Together<Float64Array, Slope>,
  start: Candidate,
): Promise<Candidate> {
  const free = [...coordinates.all.keys()].filter(
    (i) => isSmooth(coordinates.all[i]!) && coordinates.isThere(start.row, i),
  )
  if (free.length === 0) return start
  const row = start.row.slice()
  const angle = (v: number, i: number) => 0.5 * Math.PI * lengths[i]! * v
  const place = (variables: Float64Array) => {
    for (const [k, i] of free.entries()) row[i] = Math.sin(angle(variables[k]!, i)) ** 2
  }
  const variables = Float64Array.from(free, (i) => {
    const unit = Math.max(fromEnds, Math.min(1 - fromEnds, row[i]!))
    return Math.asin(Math.sqrt(unit)) / angle(1, i)
  })
  const falling = async (at: Float64Array) => {
    place(at)
    const { value, gradient } = await together.ask(row)
    const slopes = Float64Array.from(free, (i, k) => -gradient[i]! * Math.sin(2 * angle(at[k]!, i)) * angle(1, i))
    return { value: -value, gradient: slopes }
  }
  const found = await minimize(falling, variables, { gradientTolerance: 1e-3, maxIterations: 100 })
  place(found.x)
  const snapped = coordinates.snapped(row)
  return { row: snapped, value: acquisition.at(snapped) }
}

/** The best of all values of one coordinate, or, of many, of those next to the present one. */
function alongFinite(acquisition: Acquisition, coordinates: Coordinates, start: Candidate, index: number): Candidate {
  const { isCategory, size, cells } = coordinates.all[index]!
  if (size === Infinity || !coordinates.isThere(start.row, index)) return start
  const present = isCategory ? start.row[index]! : cells!.indexAt(start.row[index]!)
  const [from, to] = size <= mostTried || isCategory ? [0, size - 1] : [present - 1, present + 1]
  let best = start
  for (let value = Math.max(0, from); value <= Math.min(size - 1, to); value++) {
    if (value === present) continue
    const row = coordinates.changed(start.row, index, isCategory ? value : middleOf(cells!, value))
    best = better(best, { row, value: acquisition.at(row) })
  }
  return best
}
