/** Part of the members of an ensemble as one, with the weights that they have in it. */
import { combinationOf } from './combination.js'
import type { Ensemble } from './ensemble.js'
import type { Held } from './held.js'

/** The scores of the first one, the first two, … of members in one order or another. */
export type Growing = (members: readonly number[]) => Generator<Float64Array>

export function growing({ combine, weights }: Ensemble, held: Held): Growing {
  const { contributions, scores } = combinationOf(combine, held)
  return function* (members) {
    const sums = new Float64Array(contributions[0]!.length)
    let total = 0
    for (const member of members) {
      const [weight, part] = [weights[member]!, contributions[member]!]
      total += weight
      for (let i = 0; i < sums.length; i++) sums[i]! += weight * part[i]!
      yield scores(sums.map((sum) => sum / total))
    }
  }
}

/** The members that count. */
export const weighedIn = ({ weights }: Ensemble): number[] => [...weights.keys()].filter((i) => weights[i]! > 0)

/** Of all members, before the ensemble's own temperature: of a single one as they are. */
export function combinedScores(ensemble: Ensemble, held: Held): Float64Array {
  const members = weighedIn(ensemble)
  if (members.length === 1) return held.outputs[members[0]!]!
  return [...growing(ensemble, held)(members)].at(-1)!
}
