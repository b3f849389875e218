/**
 * Successive halving without waiting (Li et al., "A System for Massively Parallel Hyperparameter Tuning", 2020, algorithm 2).
 * Nothing is kept but the trials: a trial is in each rung whose epochs it has reported.
 */
import type { TrialSeen } from '../samplers/sampler.js'
import { type Decision, lossesOf, type Promotion, type Reports, trialOf } from './pruner.js'

export interface Ladder {
  /** One in how many is promoted: η. */
  readonly reduction: number
  /** Epochs of the first rung: r. */
  readonly minimum: number
}

/** Epochs at which trials are judged: r, rη, rη², … as long as they are fewer than all. */
export function rungsOf({ reduction, minimum }: Ladder, epochs: number): number[] {
  const rungs = []
  for (let rung = minimum; rung < epochs; rung *= reduction) rungs.push(rung)
  return rungs
}

interface Place {
  readonly trial: TrialSeen
  readonly loss: number
}

/** Who has come to a rung, the best first, of equals the older one. */
function rungAt(reports: Reports, ladder: Ladder, rung: number): Place[] {
  const places = reports.trials.flatMap((trial): Place[] => {
    const values = trial.reports ?? []
    if (values.length >= rung) return [{ trial, loss: lossesOf([values[rung - 1]!], reports.direction)[0]! }]
    // Who exploded or failed on the way to a rung is the worst there.
    const isOnTheWay = rung === ladder.minimum || values.length >= rung / ladder.reduction
    const hasBroken = trial.state === 'exploded' || trial.state === 'failed'
    return hasBroken && isOnTheWay ? [{ trial, loss: Number.POSITIVE_INFINITY }] : []
  })
  return places.sort((a, b) => a.loss - b.loss || a.trial.number - b.trial.number || 0)
}

/**
 * The paper's get_job: from the highest rung down, the best that waits among the best 1/η of it. Trials that were interrupted
 * between two rungs had been promoted before, and come first.
 *
 * @param asking a trial that has just come to a rung, taken as one that waits
 */
export function promotable(reports: Reports, ladder: Ladder, asking?: number): Promotion | null {
  const rungs = rungsOf(ladder, reports.epochs)
  const after = (epochs: number) => rungs.find((rung) => rung > epochs) ?? reports.epochs
  const interrupted = reports.trials.find(
    ({ state, reports: values = [] }) => state === 'paused' && !rungs.includes(values.length),
  )
  if (interrupted !== undefined) return { trial: interrupted.number, epochs: after(interrupted.reports?.length ?? 0) }
  for (const rung of rungs.toReversed()) {
    const places = rungAt(reports, ladder, rung)
    const best = places.slice(0, Math.floor(places.length / ladder.reduction))
    const found = best.find(
      ({ trial: { number, state, reports: values }, loss }) =>
        values?.length === rung && (state === 'paused' || number === asking) && loss < Number.POSITIVE_INFINITY,
    )
    if (found !== undefined) return { trial: found.trial.number, epochs: after(rung) }
  }
  return null
}

/** With pauses: at a rung a trial waits, unless it is the very one that its worker would take up next. */
export function pauseAtRungs(reports: Reports, ladder: Ladder, number: number): Decision {
  const { length } = trialOf(reports, number).reports ?? []
  if (!rungsOf(ladder, reports.epochs).includes(length)) return 'continue'
  return promotable(reports, ladder, number)?.trial === number ? 'continue' : 'pause'
}

/** Without: at a rung a trial goes on if it is among the best 1/η of those that came so far, or the best of a few. */
export function stopAtRungs(reports: Reports, ladder: Ladder, number: number): Decision {
  const { length } = trialOf(reports, number).reports ?? []
  if (!rungsOf(ladder, reports.epochs).includes(length)) return 'continue'
  const places = rungAt(reports, ladder, length)
  const own = places.find(({ trial }) => trial.number === number)!
  const last = places[Math.max(1, Math.floor(places.length / ladder.reduction)) - 1]!
  return own.loss <= last.loss && own.loss < Number.POSITIVE_INFINITY ? 'continue' : 'stop'
}
