/** How predictions of members become those of an ensemble: as the mean of what each contributes, and what is made of it. */
import { product } from '../data/column.js'
import { links } from '../train/classes.js'
import type { Combine } from './ensemble.js'
import type { Held } from './held.js'
import { logProbabilities, logSigmoid } from './observed.js'

/** Of votes: the log of what nobody votes for. */
const leastShare = 1e-7
/** The smallest number above 0, whose log is finite. */
const leastProbability = Number.MIN_VALUE

export interface Combination {
  /** Of each member. */
  readonly contributions: readonly Float64Array[]
  /** The scores of a mean of contributions. */
  scores(mean: Float64Array): Float64Array
}

/** As {@link Ensemble} has it. */
export function combinationOf(combine: Combine, { outputs, loss, outputShape }: Held): Combination {
  const link = links[loss.kind]
  const columns = product(outputShape)
  const asTheyAre = { contributions: outputs, scores: (mean: Float64Array) => mean }
  if (combine === 'vote') return votes(outputs, link === 'sigmoid' ? null : columns)
  if (combine === 'scores' || link === undefined || (combine === 'geometric' && link === 'sigmoid')) return asTheyAre
  if (link === 'sigmoid') {
    const probabilities = (scores: Float64Array) => scores.map((score) => Math.exp(logSigmoid(score)))
    return {
      contributions: outputs.map(probabilities),
      scores: (mean) => mean.map((p) => logitOf(p, leastProbability)),
    }
  }
  const logs = outputs.map((scores) => logProbabilities(scores, columns))
  if (combine === 'geometric') return { ...asTheyAre, contributions: logs }
  return {
    contributions: logs.map((log) => log.map(Math.exp)),
    scores: (mean) => mean.map((p) => Math.log(Math.max(p, leastProbability))),
  }
}

const logitOf = (p: number, least: number): number => Math.log(Math.max(p, least)) - Math.log(Math.max(1 - p, least))

/** `columns`: of a row one is chosen; null: each is yes above 0. */
function votes(outputs: readonly Float64Array[], columns: number | null): Combination {
  if (columns === null) {
    const contributions = outputs.map((scores) => scores.map((score) => Number(score > 0)))
    return { contributions, scores: (mean) => mean.map((share) => logitOf(share, leastShare)) }
  }
  const contributions = outputs.map((scores) => {
    const chosen = new Float64Array(scores.length)
    for (let at = 0; at < scores.length; at += columns) {
      const row = scores.subarray(at, at + columns)
      chosen[at + row.indexOf(row.reduce((a, b) => Math.max(a, b)))] = 1
    }
    return chosen
  })
  return { contributions, scores: (mean) => mean.map((share) => Math.log(Math.max(share, leastShare))) }
}
