import { inspect } from 'node:util'
import type { Figures } from './figures.js'
import { curveSvg } from './report-svg.js'
import { reportText } from './report-text.js'

/** How good one predictor is. Which figures there are depends on the loss. */
export interface PredictorReport extends Figures {
  /** With a temperature of its own, fitted on other examples; see {@link Calibration.bound}. */
  readonly calibrated?: {
    readonly temperature: number
    readonly bound: 'lowest' | 'highest' | null
    readonly logLoss: number
    readonly calibrationError: number
  }
}

export interface MemberReport extends PredictorReport {
  readonly name: string
  readonly weight: number
  /** The mean over the other members of {@link EnsembleReport.disagreement}. */
  readonly disagreement: number
}

interface Found {
  readonly rows: number
  readonly calibrationRows: number
  readonly ensemble: PredictorReport
  readonly members: readonly MemberReport[]
  readonly disagreement: readonly (readonly number[])[]
  readonly curve: readonly ({ readonly count: number } & Figures)[]
}

/**
 * What an ensemble is worth, and what of: made by {@link report}. `console.log` prints it, {@link EnsembleReport.toSvg} draws it,
 * `JSON.stringify` writes all numbers.
 */
export class EnsembleReport implements Found {
  /** Examples that the figures are of. */
  readonly rows: number
  /** Others, that temperatures were fitted on. */
  readonly calibrationRows: number
  /** Of the ensemble as it is, and with a temperature fitted anew. */
  readonly ensemble: PredictorReport
  /** In the ensemble's order. */
  readonly members: readonly MemberReport[]
  /**
   * Of each pair of members the share of examples (of answers) for which they choose differently; of quantities the root of the mean
   * squared difference.
   */
  readonly disagreement: readonly (readonly number[])[]
  /**
   * The figures by count of members: the mean over at least 20 seeded orders of the first so many, with their weights and the
   * ensemble's `combine`; of one the mean over all members, of all of them the ensemble's. Members of weight 0 are left out.
   */
  readonly curve: Found['curve']

  /** @internal */
  constructor({ rows, calibrationRows, ensemble, members, disagreement, curve }: Found) {
    this.rows = rows
    this.calibrationRows = calibrationRows
    this.ensemble = ensemble
    this.members = members
    this.disagreement = disagreement
    this.curve = curve
  }

  /** What the ensemble is judged by first. */
  get measure(): 'accuracy' | 'rootMeanSquaredError' {
    return this.ensemble.accuracy === undefined ? 'rootMeanSquaredError' : 'accuracy'
  }

  /** The member that does best on these examples, the first of equal ones. */
  get best(): MemberReport {
    const sign = this.measure === 'accuracy' ? 1 : -1
    const of = (member: MemberReport) => sign * member[this.measure]!
    return this.members.reduce((best, member) => (of(member) > of(best) ? member : best))
  }

  /** Over the members: the mean of the measure, and its standard deviation from one to another (over members − 1; of one 0). */
  get mean(): { readonly value: number; readonly deviation: number } {
    const values = this.members.map((member) => member[this.measure]!)
    const value = values.reduce((sum, one) => sum + one, 0) / values.length
    const squares = values.reduce((sum, one) => sum + (one - value) ** 2, 0)
    return { value, deviation: Math.sqrt(squares / Math.max(1, values.length - 1)) }
  }

  /** How much better the ensemble is than its best member and than the mean of them: above 0 where it is. */
  get gain(): { readonly overBest: number; readonly overMean: number } {
    const sign = this.measure === 'accuracy' ? 1 : -1
    const own = this.ensemble[this.measure]!
    return { overBest: sign * (own - this.best[this.measure]!), overMean: sign * (own - this.mean.value) }
  }

  toJSON(): object {
    const { rows, calibrationRows, measure, ensemble, members, disagreement, curve, mean, gain } = this
    return { rows, calibrationRows, measure, ensemble, members, best: this.best.name, mean, gain, disagreement, curve }
  }

  toString(): string {
    return reportText(this)
  }

  [inspect.custom](): string {
    return this.toString()
  }

  /** The curve of the measure by count of members, as the text of an SVG picture of 480 by 300 pixels. */
  toSvg(): string {
    return curveSvg(this)
  }
}
