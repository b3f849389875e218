/** Stages: from coarse to fine, each looks where the best of the last one were (CS231n, "Hyperparameter optimization"). */
import { checkPositiveInteger, checkShare } from '../../checks.js'
import { invalidArgument } from '../../errors.js'
import { needed, optionsOf } from '../../options.js'

export interface StageOptions {
  /** Trials of this stage. */
  trials: number
  /** Epochs of each. */
  epochs: number
  /**
   * Its ranges are the smallest that hold this share of the best trials of the stage before, five at least, and a tenth more on
   * either side. Default 0.2.
   */
  narrow?: number | undefined
}

export interface Stage {
  readonly trials: number
  readonly epochs: number
  readonly narrow: number
}

function checkNarrow(argument: string, value: unknown): number {
  return value === 1 ? 1 : checkShare(argument, value)
}

const readStage = optionsOf<StageOptions>()('stages', {
  trials: needed(checkPositiveInteger),
  epochs: needed(checkPositiveInteger),
  narrow: [checkNarrow, 0.2],
})

export function checkStages(argument: string, value: unknown): readonly Stage[] {
  if (!Array.isArray(value) || value.length === 0) throw invalidArgument(argument, 'a list of one stage or more', value)
  return Object.freeze(value.map((stage, i) => Object.freeze(readStage(stage, `${argument}[${i}]`) as Stage)))
}
