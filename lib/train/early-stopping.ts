import { factory } from '../call.js'
import {
  checkBoolean,
  checkNotNegative,
  checkNotNegativeInteger,
  checkPositiveInteger,
  checkText,
  oneOf,
} from '../checks.js'
import { anyNumber, neverChanges, orNull, readMemory } from '../memory.js'
import type { FloatArray } from '../native.js'
import { optionsOf } from '../options.js'
import type { Callback, EndContext, EpochContext, RunContext } from './callback.js'
import { modeOf } from './monitor.js'
import { copyWeights, restoreWeights } from './weights.js'

export interface EarlyStoppingOptions {
  /** The column of the records to watch. Default `valLoss`, or without validation, with a warning, `loss`. */
  monitor?: string | undefined
  /** So many epochs without an improvement end the run. Default 5. */
  patience?: number | undefined
  /** What is no more than this is no improvement. Default 0. */
  minimumDelta?: number | undefined
  /**
   * Puts the weights of the best epoch back at the end, and the average of that moment where the optimizer keeps one, unless the
   * run ends by an error or an abort. Default false.
   */
  restoreBest?: boolean | undefined
  /** Whether small or large values are good. Default: large for metrics that say so, as accuracy; else small. */
  mode?: 'min' | 'max' | undefined
}

export interface EarlyStopping extends Callback {
  /** The best epoch of the run; null before the first. */
  readonly best: { epoch: number; value: number } | null
}

const readOptions = optionsOf<EarlyStoppingOptions>()('earlyStopping', {
  monitor: checkText,
  patience: [checkPositiveInteger, 5],
  minimumDelta: [checkNotNegative, 0],
  restoreBest: [checkBoolean, false],
  mode: oneOf('min', 'max'),
})

let hasWarned = false

/** Once: who means it says so. */
function warnOfTraining(): void {
  if (hasWarned) return
  hasWarned = true
  const message =
    'earlyStopping() goes by the training loss, which goes on to fall while a model overfits: give fit the option validation ' +
    "or validationSplit, or say monitor: 'loss'"
  process.emitWarning(message, { type: 'GradusWarning', code: 'GRADUS_NO_VALIDATION' })
}

interface Memory {
  best: { epoch: number; value: number } | null
  waited: number
  /** Of the best epoch; only where they are to be put back. */
  weights: readonly FloatArray[] | null
}

const checks = {
  best: orNull((argument, best) =>
    readMemory<NonNullable<Memory['best']>>(argument, best, { epoch: checkPositiveInteger, value: anyNumber }),
  ),
  waited: checkNotNegativeInteger,
  weights: orNull(checkArrays),
}

function checkArrays(argument: string, value: unknown): FloatArray[] {
  if (Array.isArray(value) && value.every((one) => one instanceof Float32Array || one instanceof Float64Array))
    return value
  throw new Error(`${argument} are no arrays of numbers`)
}

/**
 * Ends the run when a value has stopped improving: training on would overfit (Prechelt, "Early stopping — but when?",
 * 1998). `restoreBest` puts back the weights and the average of them, bit for bit, and nothing else: the rest of the optimizer's
 * state stays. With `monitor: 'averageValLoss'` it is the average that is then the best one.
 *
 * @example fit(data, { epochs: 100, validation, callbacks: [earlyStopping({ patience: 5, restoreBest: true })] })
 * @function
 */
export const earlyStopping = factory('earlyStopping', 1, (options: EarlyStoppingOptions = {}): EarlyStopping => {
  const { monitor, mode, patience, minimumDelta, restoreBest } = readOptions(options)
  let best: { epoch: number; value: number } | null = null
  let bestWeights: FloatArray[] | null = null
  let waited = 0

  return {
    name: 'earlyStopping',
    monitor,
    get best() {
      return best
    },
    state: () => ({ best, waited, weights: bestWeights }),
    restore(state) {
      const memory = readMemory<Memory>('earlyStopping', state, checks)
      ;({ best, waited } = memory)
      bestWeights = memory.weights?.map(neverChanges) ?? null
    },
    onTrainBegin({ defaultColumn }: RunContext) {
      if (monitor === undefined && defaultColumn === 'loss') warnOfTraining()
      best = null
      bestWeights = null
      waited = 0
    },
    async onEpochEnd({ target, record, defaultColumn, stop }: EpochContext) {
      const { epoch } = record
      const name = monitor ?? defaultColumn
      const value = record[name]
      if (typeof value !== 'number') return // its validation was cut short, by a stop
      const sign = (mode ?? modeOf(name, target)) === 'max' ? -1 : 1
      const isBetter = best === null ? !Number.isNaN(value) : sign * value < sign * best.value - minimumDelta
      if (isBetter) {
        best = { epoch, value }
        waited = 0
        if (restoreBest) bestWeights = (await copyWeights(target.program)).map(neverChanges)
      } else if (++waited >= patience) {
        stop('earlyStopping')
      }
    },
    async onTrainEnd({ target, stoppedBy }: EndContext) {
      const weights = bestWeights
      bestWeights = null
      if (weights && stoppedBy !== 'error' && stoppedBy !== 'abort') await restoreWeights(target.program, weights)
    },
  }
})
