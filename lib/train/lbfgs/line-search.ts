/** A step along a line that lowers a function enough: Nocedal and Wright, "Numerical Optimization", section 3.5. */

/** The function along the line, a step away from where it begins. */
export interface LinePoint {
  readonly step: number
  readonly value: number
  /** Its derivative along the line. */
  readonly slope: number
}

/** The two constants of the strong Wolfe conditions, 0 < c1 < c2 < 1. */
export interface WolfeConstants {
  readonly c1: number
  readonly c2: number
}

/** Evaluations after which a search gives up; a few are usual. */
const mostEvaluations = 60

/**
 * A point that satisfies the strong Wolfe conditions
 *
 *   value ≤ start.value + c1 · step · start.slope   and   |slope| ≤ c2 · |start.slope|
 *
 * or null when rounding, or a function that is not smooth, lets none be found. The last point evaluated is the one
 * returned. Values that are not finite count as too high.
 */
export async function strongWolfe<Point extends LinePoint>(
  evaluate: (step: number) => Promise<Point>,
  start: LinePoint,
  firstStep: number,
  constants: WolfeConstants,
): Promise<Point | null> {
  const search = new LineSearch(evaluate, start, constants)
  let previous: LinePoint = start
  let step = firstStep
  while (search.goesOn) {
    const point = await search.at(step)
    if (search.isTooHigh(point) || (previous !== start && point.value >= previous.value)) {
      return search.zoom(previous, point)
    }
    if (search.isFlatEnough(point)) return point
    if (point.slope >= 0) return search.zoom(point, previous)
    previous = point
    step *= 2.5
  }
  return null
}

class LineSearch<Point extends LinePoint> {
  #evaluations = 0

  constructor(
    private readonly evaluate: (step: number) => Promise<Point>,
    private readonly start: LinePoint,
    private readonly constants: WolfeConstants,
  ) {}

  get goesOn(): boolean {
    return this.#evaluations < mostEvaluations
  }

  at(step: number): Promise<Point> {
    this.#evaluations++
    return this.evaluate(step)
  }

  /** Also where there is no number. */
  isTooHigh({ step, value, slope }: LinePoint): boolean {
    const highest = this.start.value + this.constants.c1 * step * this.start.slope
    return !(value <= highest && Number.isFinite(value) && Number.isFinite(slope))
  }

  isFlatEnough({ slope }: LinePoint): boolean {
    return Math.abs(slope) <= -this.constants.c2 * this.start.slope
  }

  /** Between `low`, the best so far that is low enough, and `high` lies a point that will do. */
  async zoom(low: LinePoint, high: LinePoint): Promise<Point | null> {
    while (this.goesOn) {
      const step = between(low, high)
      if (step === low.step || step === high.step) return null
      const point = await this.at(step)
      if (this.isTooHigh(point) || point.value >= low.value) {
        high = point
        continue
      }
      if (this.isFlatEnough(point)) return point
      if (point.slope * (high.step - low.step) >= 0) high = low
      low = point
    }
    return null
  }
}

/** Where the cubic through both has its minimum (3.59), but not in the outer tenths; the middle where there is none. */
function between(low: LinePoint, high: LinePoint): number {
  const width = high.step - low.step
  const d1 = low.slope + high.slope - (3 * (low.value - high.value)) / (low.step - high.step)
  const d2 = Math.sign(width) * Math.sqrt(d1 * d1 - low.slope * high.slope)
  const share = 1 - (high.slope + d2 - d1) / (high.slope - low.slope + 2 * d2)
  const kept = Number.isFinite(share) ? Math.min(0.9, Math.max(0.1, share)) : 0.5
  return low.step + kept * width
}
