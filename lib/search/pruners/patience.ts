/** Ends trials that have stopped getting better. */
import { factory } from '../../call.js'
import { checkFunction, checkNotNegative, checkNotNegativeInteger } from '../../checks.js'
import { optionsOf } from '../../options.js'
import { lossesOf, type Pruner, trialOf } from './pruner.js'

export interface PatienceOptions {
  /** Epochs without a better value before a trial is stopped. Default 5. */
  patience?: number | undefined
  /** How much worse the best of the last `patience` + 1 epochs must be than the best before. Default 0. */
  minimumDelta?: number | undefined
  /** Decides about trials whose time is up, in place of stopping them. Default: they are stopped. */
  pruner?: Pruner | undefined
}

const readPatience = optionsOf<PatienceOptions>()('patience', {
  patience: [checkNotNegativeInteger, 5],
  minimumDelta: [checkNotNegative, 0],
  pruner: (argument, value) => {
    checkFunction(`${argument}.afterReport`, (value as Pruner | null)?.afterReport)
    return value as Pruner
  },
})

/**
 * Stops a trial when the best of its last `patience` + 1 values is worse than the best before them, by more than
 * `minimumDelta`; or asks another pruner then.
 *
 * @throws `GRADUS_INVALID_ARGUMENT`
 * @example patience({ patience: 3, pruner: median() })
 * @function
 */
export const patience = factory('patience', 1, (options?: PatienceOptions): Pruner => {
  const { patience: epochs, minimumDelta, pruner } = readPatience(options)
  const next = pruner?.next
  return {
    name: 'patience',
    settings: {
      patience: epochs,
      minimumDelta,
      pruner: pruner === undefined ? null : { name: pruner.name, ...pruner.settings },
    },
    afterReport(reports, number) {
      const losses = lossesOf(trialOf(reports, number).reports ?? [], reports.direction)
      if (losses.length <= epochs + 1) return 'continue'
      const before = Math.min(...losses.slice(0, -epochs - 1))
      const last = Math.min(...losses.slice(-epochs - 1))
      // Nothing is said of epochs of which none has a value.
      if (!(before + minimumDelta < last) || last === Number.POSITIVE_INFINITY) return 'continue'
      return pruner === undefined ? 'stop' : pruner.afterReport(reports, number)
    },
    ...(next && { next: (reports) => next.call(pruner, reports) }),
  }
})
