/** What a sweep over the learning rates says. */
import { inspect } from 'node:util'
import { plotLine, readPlotSize, short } from '../../plot.js'
import type { FindLearningRateSettings } from './options.js'
import type { Sweep } from './sweep.js'

interface Report {
  learningRate: number | null
  reason: string
  rates: number[]
  losses: number[]
  smoothedLosses: number[]
}

/** The result of {@link findLearningRate}: data, `toJSON()`, and a plot with the reason when printed. */
export class LearningRateReport implements Report {
  /** To begin with; null where the sweep names none. */
  readonly learningRate: number | null
  /** Why this one, or why none, in a sentence or two. */
  readonly reason: string
  /** One an update, rising, until the loss exploded. */
  readonly rates: number[]
  /** Data loss of each update's batch. */
  readonly losses: number[]
  /** The same, averaged over neighbours. */
  readonly smoothedLosses: number[]

  /** @internal */
  constructor(report: Report) {
    this.learningRate = report.learningRate
    this.reason = report.reason
    this.rates = report.rates
    this.losses = report.losses
    this.smoothedLosses = report.smoothedLosses
  }

  toJSON(): Report {
    return { ...this }
  }

  /** The smoothed loss against the rate, on a logarithmic scale, and the reason. */
  toString(): string {
    const { rates, smoothedLosses, learningRate } = this
    if (smoothedLosses.length < 2) return this.reason
    const last = rates.length - 1
    // An explosion would leave no room for the rest.
    const top = 1.25 * smoothedLosses[0]!
    const x = learningRate === null ? 0 : Math.log(learningRate / rates[0]!) / Math.log(rates[last]! / rates[0]!)
    const line = {
      at: (share: number) => Math.min(top, smoothedLosses[Math.round(share * last)]!),
      ends: [short(rates[0]!), `learning rate ${short(rates[last]!)}`] as const,
      mark: learningRate === null ? undefined : { x, label: short(learningRate) },
    }
    return `smoothed loss\n${plotLine(line, readPlotSize({}))}\n${this.reason}`
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

/** Of the rate where the loss is least: there it falls fast, far from where it explodes. */
const safeShare = 0.1
/** A fall is no chance if it is so many standard errors of the smoothed loss. */
const certain = 4

export function readSweep(sweep: Sweep, { steps, from }: FindLearningRateSettings): Report {
  const { rates, losses } = sweep
  const reach = Math.round(steps / 20)
  if (losses.length > 2 * reach) {
    const smoothedLosses = smooth(losses, reach)
    return { ...judge(sweep, smoothedLosses, reach), rates, losses, smoothedLosses }
  }
  const reason = `The loss explodes at once, at a learning rate of ${short(rates.at(-1) ?? from)}: take a smaller from.`
  return { learningRate: null, reason, rates, losses, smoothedLosses: [] }
}

function judge(
  { rates, losses, exploded }: Sweep,
  smoothed: readonly number[],
  reach: number,
): Pick<Report, 'learningRate' | 'reason'> {
  const lowest = smoothed.indexOf(Math.min(...smoothed))
  const rate = (step: number) => short(rates.at(step)!)
  const fall = smoothed[0]! - smoothed[lowest]!
  if (!(fall > certain * standardError(losses.slice(0, lowest + 1), reach))) {
    const larger = exploded ? '' : 'a larger to may find one, '
    const advice = `${larger}the model may have learned all it can, or sanityCheck may say what is wrong`
    return {
      learningRate: null,
      reason: `The loss falls at no learning rate from ${rate(0)} to ${rate(-1)}: ${advice}.`,
    }
  }
  const learningRate = safeShare * rates[lowest]!
  const course = `falls from ${short(smoothed[0]!)} to ${short(smoothed[lowest]!)}`
  const fastest = `The smoothed loss ${course}, fastest at a learning rate of ${rate(steepest(smoothed, lowest))}`
  const end = exploded ? ` and explodes at ${rate(-1)}` : ''
  const rest =
    !exploded && lowest >= losses.length - reach
      ? `, and still falls at ${rate(lowest)}, the last: a tenth of that is safe; a larger to may find more.`
      : `; it is least at ${rate(lowest)}${end}. A tenth of the rate where it is least is ${short(learningRate)}.`
  return { learningRate, reason: fastest + rest }
}

/** Means over `reach` neighbours on either side, nearer ones counting more; there are fewer at the ends. */
function smooth(losses: readonly number[], reach: number): number[] {
  return losses.map((_, i) => {
    let [sum, weights] = [0, 0]
    for (let j = Math.max(0, i - reach); j <= Math.min(losses.length - 1, i + reach); j++) {
      const weight = reach + 1 - Math.abs(i - j)
      sum += weight * losses[j]!
      weights += weight
    }
    return sum / weights
  })
}

/** Of a mean over about `reach` losses, by how much neighbours differ: that leaves out the course of the loss. */
function standardError(losses: readonly number[], reach: number): number {
  const squares = losses.slice(1).reduce((sum, loss, i) => sum + (loss - losses[i]!) ** 2, 0)
  return Math.sqrt(squares / 2 / Math.max(1, losses.length - 1) / reach)
}

/** Where the loss falls most from one step to the next, before it is least. */
function steepest(smoothed: readonly number[], lowest: number): number {
  let at = 1
  for (let i = 1; i <= lowest; i++) {
    if (smoothed[i]! - smoothed[i - 1]! < smoothed[at]! - smoothed[at - 1]!) at = i
  }
  return at
}
