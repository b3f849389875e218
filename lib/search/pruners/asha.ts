/** Asynchronous successive halving, with pauses as in the paper. */
import { factory } from '../../call.js'
import { checkBoolean, checkPositiveInteger } from '../../checks.js'
import { invalidArgument } from '../../errors.js'
import { type Check, optionsOf } from '../../options.js'
import { type Ladder, pauseAtRungs, promotable, stopAtRungs } from './ladder.js'
import type { Pruner } from './pruner.js'

export interface AshaOptions {
  /** One in how many goes on from each rung, and how many times more epochs it is given there. Default 4. */
  reduction?: number | undefined
  /** Epochs of the first rung. Default 1. */
  minimum?: number | undefined
  /** False: trials that would be paused end, for objectives without checkpoints. Default true. */
  pauses?: boolean | undefined
}

export const checkReduction: Check<number> = (argument, value) => {
  if (Number.isSafeInteger(value) && (value as number) >= 2) return value as number
  throw invalidArgument(argument, 'a whole number from 2 up', value)
}

export const ladderRules = {
  reduction: [checkReduction, 4],
  minimum: [checkPositiveInteger, 1],
  pauses: [checkBoolean, true],
} as const
const readAsha = optionsOf<AshaOptions>()('asha', ladderRules)

/**
 * Trials are judged after `minimum` epochs, `reduction` times as many, and so on: each pauses there, and goes on when it is
 * among the best 1/`reduction` of those that have come so far. A free worker takes up the best of the highest rung, else a new
 * trial (Li et al. 2020, algorithm 2). The last step leads to all epochs, however many they are.
 *
 * Exploded and failed trials count as the worst of the rung that they were on the way to.
 *
 * @throws `GRADUS_INVALID_ARGUMENT`
 * @example asha({ reduction: 4, minimum: 1 })
 * @function
 */
export const asha = factory('asha', 1, (options?: AshaOptions): Pruner => {
  const settings = readAsha(options)
  return halving('asha', settings, () => settings)
})

/** Trials of the same ladder compete; that of a trial may depend on its number. */
export function halving(
  name: string,
  { pauses, reduction, minimum }: Ladder & { readonly pauses: boolean },
  ladderOf: (epochs: number, number: number) => Ladder,
): Pruner {
  const decide = pauses ? pauseAtRungs : stopAtRungs
  return {
    name,
    settings: { reduction, minimum, pauses },
    afterReport(reports, number) {
      const { epochs, trials } = reports
      const ladder = ladderOf(epochs, number)
      const rivals = trials.filter((trial) => ladderOf(epochs, trial.number).minimum === ladder.minimum)
      return decide({ ...reports, trials: rivals }, ladder, number)
    },
    ...(pauses && { next: (reports) => nextOf(reports, (number) => ladderOf(reports.epochs, number)) }),
  }
}

function nextOf(reports: Parameters<NonNullable<Pruner['next']>>[0], ladderOf: (number: number) => Ladder) {
  const ladders = new Map(reports.trials.map(({ number }) => [ladderOf(number).minimum, ladderOf(number)]))
  const found = [...ladders.values()]
    .map((ladder) => {
      const rivals = reports.trials.filter(({ number }) => ladderOf(number).minimum === ladder.minimum)
      return promotable({ ...reports, trials: rivals }, ladder)
    })
    .filter((promotion) => promotion !== null)
  // The one that has come furthest.
  return found.sort((a, b) => b.epochs - a.epochs || a.trial - b.trial)[0] ?? null
}
