/** Halving by several ladders at once, for who does not know how early a trial can be judged. */
import { factory } from '../../call.js'
import { optionsOf } from '../../options.js'
import { type AshaOptions, halving, ladderRules } from './asha.js'
import { type Ladder, rungsOf } from './ladder.js'
import type { Pruner } from './pruner.js'

const readHyperband = optionsOf<AshaOptions>()('hyperband', ladderRules)

/**
 * Brackets of {@link asha} whose first rung is `minimum`, `reduction` times as late, and so on up to all epochs; each has as
 * many trials as Hyperband gives it (Li et al. 2018), in turns, and only trials of one bracket compete.
 *
 * @throws `GRADUS_INVALID_ARGUMENT`
 * @example hyperband({ reduction: 3, minimum: 2 })
 * @function
 */
export const hyperband = factory('hyperband', 1, (options?: AshaOptions): Pruner => {
  const ladder = readHyperband(options)
  const turns = new Map<number, readonly number[]>()
  return halving('hyperband', ladder, (epochs, number) => {
    const turn = turns.get(epochs) ?? turnOf(ladder, epochs)
    turns.set(epochs, turn)
    return { ...ladder, minimum: turn[number % turn.length]! }
  })
})

/** First rungs in the order in which trials take them: each bracket is as near to its share as can be, all the time. */
function turnOf(ladder: Ladder, epochs: number): readonly number[] {
  const rungs = rungsOf(ladder, epochs)
  const beyond = ladder.minimum * ladder.reduction ** rungs.length
  // Where all epochs are a rung of their own, the last bracket trains them without being judged.
  const firsts = beyond === epochs || rungs.length === 0 ? [...rungs, beyond] : rungs
  const budgets = firsts.map((_, i) => {
    const halvings = firsts.length - 1 - i
    return Math.ceil((firsts.length * ladder.reduction ** halvings) / (halvings + 1))
  })
  const total = budgets.reduce((sum, budget) => sum + budget, 0)
  const given = budgets.map(() => 0)
  return Array.from({ length: total }, (_, trial) => {
    const behind = budgets.map((budget, i) => (budget * (trial + 1)) / total - given[i]!)
    const next = behind.indexOf(Math.max(...behind))
    given[next]!++
    return firsts[next]!
  })
}
