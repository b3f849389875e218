/** Central differences, what rounding leaves of them, and which step is a good one. */
import { type Asking, type Evaluation, type Term, termOf } from './subject.js'

/** One derivative to be found: of a term by an element (or along a direction) of a tensor. */
export interface Coordinate {
  readonly tensor: number
  readonly element: number
}

export interface Difference {
  readonly step: number
  /** (f(x + h) − f(x − h)) / 2h; NaN where f was not finite. */
  readonly value: number
  readonly kink: string | null
}

/**
 * Rounding leaves an error of a few units in the last place in each evaluation of f, and 2h divides it: the smallest
 * derivative that a difference can tell from zero. `scale` is |f|, or 1 for smaller ones: scores that cancel are larger
 * than the loss they leave.
 */
export const noiseFloor = (scale: number, step: number): number =>
  (8 * Number.EPSILON * Math.max(scale, 1)) / (2 * step)

/** A coordinate and the steps to try there. */
export interface Trial {
  readonly coordinate: Coordinate
  readonly step: number
}

export function* differences(trials: readonly Trial[], term: Term): Asking<Difference[]> {
  const points = trials.flatMap(({ coordinate, step }) => [
    { ...coordinate, offset: step },
    { ...coordinate, offset: -step },
  ])
  const evaluations = yield points
  return trials.map(({ step }, i) => {
    const above = evaluations[2 * i] as Evaluation
    const below = evaluations[2 * i + 1] as Evaluation
    const value = (termOf(above, term) - termOf(below, term)) / (2 * step)
    return { step, value: Number.isFinite(value) ? value : Number.NaN, kink: above.kink ?? below.kink }
  })
}

/** One step of a sweep: how far differences change from it to its neighbours, relative to their size. */
export interface CurvePoint {
  stepSize: number
  relativeChange: number
}

/** 0.1 down to 1e-9 in half decades. */
const sweptSteps = Array.from({ length: 17 }, (_, i) => 10 ** (-1 - i / 2))

/** Where nothing can be swept: about the cube root of the precision, where both errors of a smooth function are small. */
const usualStep = 1e-5

/**
 * Differences over many steps: truncation rules on the left of the curve (it falls with h²), rounding on the right (it
 * rises with 1/h); between them lies a flat valley. Its bottom is the best step, found without looking at the analytic
 * gradient.
 */
export function* sweep(coordinates: readonly Coordinate[], term: Term): Asking<{ step: number; curve: CurvePoint[] }> {
  const trials = coordinates.flatMap((coordinate) => sweptSteps.map((step) => ({ coordinate, step })))
  const found = yield* differences(trials, term)
  const changes = coordinates.map((_, c) =>
    changesAlong(found.slice(c * sweptSteps.length, (c + 1) * sweptSteps.length)),
  )
  const curve = sweptSteps.map((stepSize, i) => ({
    stepSize,
    relativeChange: median(changes.map((change) => change[i]!).filter((change) => !Number.isNaN(change))),
  }))
  const known = curve.filter(({ relativeChange }) => relativeChange < Number.POSITIVE_INFINITY)
  if (!known.length) return { step: usualStep, curve }
  // A valley's floor is rough: the middle of what lies near its bottom.
  const lowest = Math.min(...known.map(({ relativeChange }) => relativeChange))
  const floor = known.filter(({ relativeChange }) => relativeChange <= 10 * lowest + Number.EPSILON)
  return { step: floor[Math.floor(floor.length / 2)]!.stepSize, curve }
}

/** The larger change to either neighbour; NaN where nothing is known: at kinks and where all is zero. */
function changesAlong(found: readonly Difference[]): number[] {
  const size = Math.max(...found.map(({ value, kink }) => (kink ? 0 : Math.abs(value) || 0)))
  const change = (a: Difference, b: Difference | undefined) => {
    if (!b || b.kink || a.kink || !(size > 0)) return Number.NaN
    return Math.abs(a.value - b.value) / size
  }
  return found.map((at, i) => {
    const sides = [change(at, found[i - 1]), change(at, found[i + 1])].filter((side) => !Number.isNaN(side))
    return sides.length ? Math.max(...sides) : Number.NaN
  })
}

const median = (values: number[]): number => {
  if (!values.length) return Number.POSITIVE_INFINITY
  return values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!
}
