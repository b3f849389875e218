/** What a gradient check found, as data and as a table. */
import { inspect } from 'node:util'
import type { Status } from './compare.js'
import type { CurvePoint } from './difference.js'
import type { Term } from './subject.js'
import type { Verdict } from './verdict.js'

/** One element of a tensor, or one random direction. */
export interface Coordinate {
  /** Of the element in row-major order; the number of a direction. */
  index: number
  term: Term
  analytic: number
  numerical: number
  /** |analytic − numerical| / max(|analytic|, |numerical|); 0 when both are 0. */
  relativeError: number
  /** The step that counted in the end. */
  stepSize: number
  /** The layer whose kink was crossed by the first step, even if a smaller one did not; null for none. */
  kink: string | null
  /** `compared`: it counts for the verdict. `undecidable`: rounding leaves no more. `kink`: every step crosses one. */
  status: Status
}

export interface TensorReport {
  name: string
  verdict: Verdict
  /** Of the coordinates that were compared. */
  maxRelativeError: number
  /** How many coordinates were looked at. */
  checked: number
  /** How many of them cross a kink at the first step. */
  kinks: number
  /** How many of those cross one at every step down to the noise: they are out of the verdict. */
  excluded: number
  /** How many have gradients, or a difference, that rounding hides: out of the verdict. */
  undecidable: number
  /** The step for this tensor. */
  stepSize: number
  /** Layers with weights from it to the loss. */
  depth: number
  /** The verdict of each part of the loss by itself. */
  terms: { [term in Term]?: { verdict: Verdict; maxRelativeError: number } }
  /** The coordinates with the largest errors, the largest first. */
  worst: Coordinate[]
  /** All that cross a kink at the first step. */
  crossings: Coordinate[]
}

export interface Report {
  verdict: Verdict
  maxRelativeError: number
  /** As asked for; with `'auto'` the median of the tensors'. */
  stepSize: number
  /** Derivatives below it cannot be told from zero at this step: from |loss| and the precision of float64. */
  noiseFloor: number
  /** The bounds of the verdicts for the deepest tensor. */
  rule: string
  /** The sweep over steps: how far differences change from one to the next, the median over the tensors. */
  curve: CurvePoint[]
  warnings: string[]
  parameters: TensorReport[]
}

/** The result of {@link gradientCheck}: data, `toJSON()`, and a table when printed. */
export class GradientReport implements Report {
  readonly verdict: Verdict
  readonly maxRelativeError: number
  readonly stepSize: number
  readonly noiseFloor: number
  readonly rule: string
  readonly curve: CurvePoint[]
  readonly warnings: string[]
  readonly parameters: TensorReport[]

  /** @internal */
  constructor(report: Report) {
    this.verdict = report.verdict
    this.maxRelativeError = report.maxRelativeError
    this.stepSize = report.stepSize
    this.noiseFloor = report.noiseFloor
    this.rule = report.rule
    this.curve = report.curve
    this.warnings = report.warnings
    this.parameters = report.parameters
  }

  toJSON(): Report {
    return { ...this }
  }

  /** The verdict, a line for each tensor, and the worst coordinates of those that are not satisfied. */
  toString(): string {
    const suspects = this.parameters.filter(({ verdict }) => verdict !== 'satisfied')
    const details = suspects.flatMap(({ name, worst }) => worst.map((coordinate) => worstRow(name, coordinate)))
    return [
      `gradient check: ${this.verdict}, largest relative error ${number(this.maxRelativeError)}`,
      ...table([tensorHeading, ...this.parameters.map(tensorRow)]),
      ...(details.length ? ['', ...table([worstHeading, ...details])] : []),
      '',
      `step ${number(this.stepSize)}, noise floor ${number(this.noiseFloor)}; ${this.rule}`,
      ...this.warnings.map((warning) => `warning: ${warning}`),
    ].join('\n')
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

const tensorHeading = ['tensor', 'verdict', 'largest error', 'checked', 'kinks', 'undecidable']
const tensorRow = ({ name, verdict, maxRelativeError, checked, kinks, excluded, undecidable }: TensorReport) => [
  name,
  verdict,
  number(maxRelativeError),
  String(checked),
  excluded ? `${kinks} (${excluded} excluded)` : String(kinks),
  String(undecidable),
]

const worstHeading = ['worst', 'term', 'analytic', 'numerical', 'error', 'h', 'kink']
const worstRow = (
  name: string,
  { index, term, analytic, numerical, relativeError, stepSize, kink, status }: Coordinate,
) => [
  `${name}[${index}]`,
  term,
  number(analytic),
  number(numerical),
  status === 'undecidable' ? 'undecidable' : number(relativeError),
  number(stepSize),
  kink ?? '',
]

const number = (value: number): string => {
  if (value === 0 || !Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  return size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(4))) : value.toExponential(2)
}

/** Columns as wide as their widest cell, the first to the left. */
function table(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: string[]) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd()
  return [line(rows[0]!), '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2)), ...rows.slice(1).map(line)]
}
