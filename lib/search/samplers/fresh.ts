/** Points that no trial has had, where a space is finite. */
import { Draws, streams } from '../space/draws.js'
import type { Params, Point, Space } from '../space/space.js'
import type { Asked } from './sampler.js'

/** Proposals that may be taken before the rest of the points is listed. */
const mostAttempts = 64

/**
 * The first proposal that no trial has had, ended or not: in spaces with a real number, and where repeats are allowed, the
 * first one. If none of 64 is new, one of the points left.
 *
 * @returns null where no point is left
 */
export function fresh(asked: Asked, propose: (attempt: number) => Point): Params | null {
  const { space, repeats } = asked
  if (repeats || space.size === Number.POSITIVE_INFINITY) return space.params(propose(0))
  const taken = takenPoints(asked)
  if (taken.size >= space.size) return null
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const point = propose(attempt)
    if (!taken.has(space.key(point))) return space.params(point)
  }
  return space.params(oneOfTheRest(asked, taken))
}

/** The points of the space that trials have had, by their keys. */
export function takenPoints({ space, trials }: Asked): ReadonlyMap<string, Point> {
  const points = trials.map(({ params }) => space.find(params)).filter((point) => point !== null)
  return new Map(points.map((point) => [space.key(point), point]))
}

/** Each of the points left is as likely as another. */
function oneOfTheRest({ space, seed, number }: Asked, taken: ReadonlyMap<string, Point>): Point {
  const draws = new Draws(seed, number, streams.rest)
  if (space.size > Number.MAX_SAFE_INTEGER) {
    // There are too many to be counted, and so many that one is soon found.
    for (;;) {
      const point = pointOf(space, () => draws.next())
      if (!taken.has(space.key(point))) return point
    }
  }
  let index = draws.below(space.size - taken.size)
  const indices = Float64Array.from(taken.values(), (point) => space.indexOf(point)).sort()
  for (const one of indices) if (one <= index) index++
  return space.at(index)
}

/** A point of numbers in [0, 1), one for each dimension of the space, of which those of other branches are dropped. */
export function pointOf({ dimensions }: Space, draw: (dimension: number) => number): Point {
  const point: Record<string, number> = {}
  for (const [i, { path, condition, fromDraw }] of dimensions.entries()) {
    const unit = fromDraw(draw(i))
    if (condition === null || point[condition.path] === condition.category) point[path] = unit
  }
  return point
}
