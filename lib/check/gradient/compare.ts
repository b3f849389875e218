/** One term's gradient by one tensor, compared with differences. */
import { type Coordinate, type CurvePoint, type Difference, differences, noiseFloor, sweep } from './difference.js'
import type { Asking, Term } from './subject.js'
import { type Rule, relativeError } from './verdict.js'

/** What is to be compared. */
export interface Comparison {
  readonly tensor: number
  readonly term: Term
  /** Elements, or numbers of directions. */
  readonly elements: readonly number[]
  /** The gradient at each of them. */
  readonly analytic: readonly number[]
  /** Those to look for a step with. */
  readonly swept: readonly number[]
  readonly stepSize: number | 'auto'
  /** |f| of the term. */
  readonly scale: number
  readonly rule: Rule
}

/**
 * `compared`: it counts. `undecidable`: both gradients are below what rounding leaves, or they differ by no more than
 * that. `kink`: every step crosses one.
 */
export type Status = 'compared' | 'undecidable' | 'kink'

export interface Compared {
  readonly index: number
  readonly term: Term
  readonly analytic: number
  readonly numerical: number
  readonly relativeError: number
  readonly stepSize: number
  /** The layer whose kink the step asked for crosses, also where a smaller one did not; null for none. */
  readonly kink: string | null
  readonly status: Status
}

export interface ComparedTensor {
  readonly stepSize: number
  readonly curve: readonly CurvePoint[]
  readonly coordinates: readonly Compared[]
}

/** Of one coordinate: the difference that counts, and how far it may be from the derivative. */
interface Best {
  readonly difference: Difference
  readonly uncertainty: number
}

export function* compare(comparison: Comparison): Asking<ComparedTensor> {
  const { tensor, term, elements, analytic, scale, rule } = comparison
  const { step: valley, curve } = yield* sweep(
    comparison.swept.map((element) => ({ tensor, element })),
    term,
  )
  const stepSize = comparison.stepSize === 'auto' ? valley : comparison.stepSize
  const coordinates: Coordinate[] = elements.map((element) => ({ tensor, element }))
  const first = yield* differences(
    coordinates.map((coordinate) => ({ coordinate, step: stepSize })),
    term,
  )
  const best: Best[] = first.map((difference) => ({ difference, uncertainty: noiseFloor(scale, difference.step) }))
  yield* shrinkAtKinks(comparison, coordinates, best)
  if (comparison.stepSize === 'auto') yield* refine(comparison, coordinates, best)
  const compared = elements.map((index, i): Compared => {
    const { difference, uncertainty } = best[i]!
    const a = analytic[i]!
    const error = Number.isNaN(difference.value) ? Number.NaN : relativeError(a, difference.value)
    const kink = first[i]!.kink
    return {
      ...{
        index,
        term,
        analytic: a,
        numerical: difference.value,
        relativeError: error,
        stepSize: difference.step,
        kink,
      },
      status: statusOf(a, difference, uncertainty, error, rule),
    }
  })
  return { stepSize, curve, coordinates: compared }
}

function statusOf(analytic: number, at: Difference, uncertainty: number, error: number, rule: Rule): Status {
  if (at.kink) return 'kink'
  if (!Number.isFinite(analytic)) return 'compared'
  if (Number.isNaN(at.value)) return 'undecidable'
  if (analytic === 0 && at.value === 0) return 'compared'
  if (Math.max(Math.abs(analytic), Math.abs(at.value)) <= uncertainty) return 'undecidable'
  if (error <= rule.satisfied) return 'compared'
  return Math.abs(analytic - at.value) <= uncertainty ? 'undecidable' : 'compared'
}

/** Smaller and smaller steps where a kink was crossed, as long as rounding leaves a hundredth of the gradient. */
function* shrinkAtKinks({ analytic, scale, term }: Comparison, coordinates: Coordinate[], best: Best[]): Asking<void> {
  for (let factor = 0.1; ; factor /= 10) {
    const open = best.flatMap(({ difference }, i) => {
      const bad = difference.kink !== null || Number.isNaN(difference.value)
      const step = difference.step / 10
      const size = Math.max(Math.abs(analytic[i]!) || 0, Math.abs(difference.value) || 0)
      return bad && noiseFloor(scale, step) < size / 100 ? [{ i, step }] : []
    })
    if (!open.length || factor < 1e-14) return
    const found = yield* differences(
      open.map(({ i, step }) => ({ coordinate: coordinates[i]!, step })),
      term,
    )
    for (const [k, { i, step }] of open.entries()) {
      best[i] = { difference: found[k]!, uncertainty: noiseFloor(scale, step) }
    }
  }
}

const ladder = [256, 64, 16, 4, 1, 1 / 4, 1 / 16]

/**
 * Where the gradients do not agree fully: the step that suits this coordinate. Of neighbours on a ladder of steps the
 * difference changes least where truncation and rounding are least; the analytic gradient has no say in it.
 */
function* refine({ analytic, scale, term }: Comparison, coordinates: Coordinate[], best: Best[]): Asking<void> {
  const open = best.flatMap(({ difference }, i) => {
    const agrees = relativeError(analytic[i]!, difference.value) <= 1e-7
    return agrees || difference.kink || Number.isNaN(difference.value) ? [] : [i]
  })
  if (!open.length) return
  const trials = open.flatMap((i) =>
    ladder.map((factor) => ({ coordinate: coordinates[i]!, step: best[i]!.difference.step * factor })),
  )
  const found = yield* differences(trials, term)
  for (const [k, i] of open.entries()) {
    const rungs = found.slice(k * ladder.length, (k + 1) * ladder.length)
    const candidates = [...settled(rungs, scale), ...settled(extrapolated(rungs), scale)]
    if (candidates.length) best[i] = candidates.reduce((a, b) => (b.uncertainty < a.uncertainty ? b : a))
  }
}

/** Each rung whose lower neighbour lies in the same smooth piece; what changes between them is what is not known. */
const settled = (rungs: readonly (Difference | null)[], scale: number): Best[] =>
  rungs.flatMap((difference, r) => {
    const below = rungs[r + 1]
    if (!difference || !below || difference.kink || below.kink) return []
    const change = Math.abs(difference.value - below.value)
    return [{ difference, uncertainty: Math.max(noiseFloor(scale, below.step), change) }]
  })

/** Richardson's extrapolation: two steps, one four times the other, cancel the error that grows with h². */
const extrapolated = (rungs: readonly Difference[]): (Difference | null)[] =>
  rungs.map((wide, r) => {
    const narrow = rungs[r + 1]
    if (!narrow || wide.kink || narrow.kink) return null
    return { ...wide, value: narrow.value + (narrow.value - wide.value) / 15 }
  })
