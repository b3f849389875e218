/** All tensors and terms of a subject, compared and judged. */
import type { FloatArray } from '../../native.js'
import { type Compared, type ComparedTensor, compare } from './compare.js'
import { type CurvePoint, noiseFloor } from './difference.js'
import type { Coordinate, Report, TensorReport } from './report.js'
import { extremes, sampleElements } from './sample.js'
import type { Asking, CheckedTensor, Term } from './subject.js'
import { describeRule, judge, type Rule, ruleFor, type Verdict, worstVerdict } from './verdict.js'

export interface Subject {
  readonly tensors: readonly CheckedTensor[]
  gradient(tensor: number, term: Term): FloatArray
  /** |f| of a term at the unmoved weights. */
  scale(term: Term): number
  readonly hasKinks: boolean
  /** Random directions in place of elements: of unit length, by number. */
  readonly direction?: (tensor: number, number: number) => Float64Array
}

export interface Sampling {
  readonly samplesPerParameter: number | 'all'
  readonly stepSize: number | 'auto'
  readonly seed: number
  /** Of each tensor, where the subject has any. */
  readonly directions?: number
}

/** How many of a tensor's worst coordinates the report shows. */
const shown = 5

export function* checkTensors(subject: Subject, sampling: Sampling): Asking<Report> {
  const parameters: TensorReport[] = []
  const curves: CurvePoint[][] = []
  for (const [number, tensor] of subject.tensors.entries()) {
    const rule = ruleFor(tensor.depth, subject.hasKinks)
    const elements = elementsOf(subject, sampling, number)
    const found: ComparedTensor[] = []
    for (const term of tensor.terms) {
      found.push(yield* compareTensor(subject, sampling.stepSize, number, elements, term, rule))
    }
    curves.push(...found.map(({ curve }) => [...curve]))
    parameters.push(reportOf(tensor, found, rule))
  }
  return summarize(subject, sampling, parameters, curves)
}

/** The same for all terms, chosen by the gradient of the first. */
function elementsOf(
  subject: Subject,
  { samplesPerParameter, seed, directions = 0 }: Sampling,
  tensor: number,
): number[] {
  if (subject.direction) return Array.from({ length: directions }, (_, i) => i)
  const gradient = subject.gradient(tensor, subject.tensors[tensor]!.terms[0]!)
  const count = samplesPerParameter === 'all' ? gradient.length : samplesPerParameter
  return sampleElements(gradient, count, seed, tensor)
}

function* compareTensor(
  { direction, ...subject }: Subject,
  stepSize: number | 'auto',
  tensor: number,
  elements: readonly number[],
  term: Term,
  rule: Rule,
): Asking<ComparedTensor> {
  const gradient = subject.gradient(tensor, term)
  const analytic = elements.map((element) =>
    direction ? dot(gradient, direction(tensor, element)) : gradient[element]!,
  )
  // The largest gradient, and another in case that one is wrong.
  const swept = direction ? elements.slice(0, 2) : [extremes(gradient, 1)[0]!, elements[elements.length >> 1]!]
  return yield* compare({
    ...{ tensor, term, elements, analytic, stepSize, rule },
    swept: [...new Set(swept)],
    scale: subject.scale(term),
  })
}

const dot = (a: FloatArray, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < b.length; i++) sum += a[i]! * b[i]!
  return sum
}

function reportOf({ name, depth }: CheckedTensor, found: readonly ComparedTensor[], rule: Rule): TensorReport {
  const all = found.flatMap(({ coordinates }) => coordinates)
  const indices = (coordinates: readonly Compared[]) => new Set(coordinates.map(({ index }) => index)).size
  return {
    name,
    depth,
    ...verdictOf(all, rule),
    stepSize: found[0]!.stepSize,
    checked: indices(all),
    kinks: indices(all.filter(({ kink }) => kink !== null)),
    excluded: indices(all.filter(({ status }) => status === 'kink')),
    undecidable: indices(all.filter(({ status }) => status === 'undecidable')),
    terms: Object.fromEntries(found.map(({ coordinates }) => [coordinates[0]!.term, verdictOf(coordinates, rule)])),
    crossings: all.filter(({ kink }) => kink !== null).map(coordinateOf),
    worst: [...all].sort(byGravity).slice(0, shown).map(coordinateOf),
  }
}

/** A mistake anywhere counts; that there is none is said only if most of the coordinates could tell. */
function verdictOf(coordinates: readonly Compared[], rule: Rule): { verdict: Verdict; maxRelativeError: number } {
  const compared = coordinates.filter(({ status }) => status === 'compared')
  const maxRelativeError = Math.max(0, ...compared.map(({ relativeError }) => relativeError))
  const verdict = judge(maxRelativeError, rule)
  const isKnown = verdict === 'wrong' || verdict === 'uneasy' || 2 * compared.length >= coordinates.length
  return { verdict: isKnown ? verdict : 'undecidable', maxRelativeError }
}

const gravity = { compared: 0, undecidable: 2, kink: 1 } as const
const byGravity = (a: Compared, b: Compared): number =>
  gravity[a.status] - gravity[b.status] || b.relativeError - a.relativeError

const coordinateOf = ({
  index,
  term,
  analytic,
  numerical,
  relativeError,
  stepSize,
  kink,
  status,
}: Compared): Coordinate => ({
  ...{ index, term, analytic, numerical, relativeError, stepSize, kink, status },
})

function summarize(subject: Subject, sampling: Sampling, parameters: TensorReport[], curves: CurvePoint[][]): Report {
  const steps = parameters.map(({ stepSize }) => stepSize).sort((a, b) => a - b)
  const stepSize = sampling.stepSize === 'auto' ? (steps[steps.length >> 1] ?? 0) : sampling.stepSize
  const depth = Math.max(1, ...subject.tensors.map((tensor) => tensor.depth))
  const scale = Math.max(...(['data', 'regularization'] as const).map((term) => Math.abs(subject.scale(term))))
  const curve = medianCurve(curves)
  return {
    verdict: worstVerdict(parameters.map(({ verdict }) => verdict)),
    maxRelativeError: Math.max(0, ...parameters.map(({ maxRelativeError }) => maxRelativeError)),
    stepSize,
    noiseFloor: stepSize > 0 ? noiseFloor(scale, stepSize) : 0,
    rule: describeRule(depth, subject.hasKinks),
    curve,
    warnings: [...warningsOf(sampling.stepSize, curve), ...undecidableOnes(subject.tensors, parameters)],
    parameters,
  }
}

function medianCurve(curves: readonly CurvePoint[][]): CurvePoint[] {
  return (curves[0] ?? []).map(({ stepSize }, i) => {
    const changes = curves
      .map((curve) => curve[i]!.relativeChange)
      .filter(Number.isFinite)
      .sort((a, b) => a - b)
    return { stepSize, relativeChange: changes[(changes.length - 1) >> 1] ?? Number.NaN }
  })
}

/** A fixed step where differences change much more than in the valley says so. */
function warningsOf(stepSize: number | 'auto', curve: readonly CurvePoint[]): string[] {
  const known = curve.filter(({ relativeChange }) => Number.isFinite(relativeChange))
  if (stepSize === 'auto' || !known.length) return []
  const bottom = known.reduce((a, b) => (b.relativeChange < a.relativeChange ? b : a))
  const distance = ({ stepSize: step }: CurvePoint) => Math.abs(Math.log(step / stepSize))
  const nearest = known.reduce((a, b) => (distance(b) < distance(a) ? b : a))
  const isOutside = stepSize < known.at(-1)!.stepSize / 2 || stepSize > known[0]!.stepSize * 2
  if (!isOutside && nearest.relativeChange <= 1e-6 && nearest.relativeChange <= 1000 * bottom.relativeChange) return []
  if (!isOutside && nearest.relativeChange <= 1e-8) return []
  const [place, cause] =
    stepSize > bottom.stepSize ? ['large', 'the function bends within it'] : ['small', 'rounding rules']
  const change = nearest.relativeChange.toExponential(0)
  return [
    `stepSize ${stepSize} is too ${place}: ${cause}, and differences change by ${change} from one step to the next; ` +
      `best is about ${bottom.stepSize.toExponential(0)}, where they change by ${bottom.relativeChange.toExponential(0)}`,
  ]
}

function undecidableOnes(tensors: readonly CheckedTensor[], parameters: readonly TensorReport[]): string[] {
  const undecidable = tensors.filter((_, i) => parameters[i]!.verdict === 'undecidable')
  const cancelled = undecidable.flatMap(({ name, cancelledBy }) =>
    cancelledBy
      ? [
          `${name}: ${cancelledBy} subtracts it with the mean of the batch, so that its gradient is 0 but for rounding; ` +
            'leave it out with dense(…, { bias: false })',
        ]
      : [],
  )
  const names = undecidable.filter(({ cancelledBy }) => !cancelledBy).map(({ name }) => name)
  if (!names.length) return cancelled
  const reason = 'too many gradients are lost in rounding or at kinks'
  return [
    ...cancelled,
    `${names.join(', ')}: ${reason} to say anything; try other examples, burnIn or weights that are not so small`,
  ]
}
