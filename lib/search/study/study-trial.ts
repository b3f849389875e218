/** A trial for people and programs: what was asked, and what came of it. */
import type { Trial, TrialState } from '../../study/index.js'
import { epochOf, reasonOf, trialValue } from '../display/result.js'
import type { Params } from '../space/space.js'

export interface StudyTrial {
  /** From 0, as trials are begun. */
  readonly number: number
  readonly state: TrialState
  /** Null where they cannot be read. */
  readonly params: Params | null
  /** The result; of one that has none the last value reported, or null. */
  readonly value: number | null
  /** Finished epochs. */
  readonly epoch: number
  /** The values reported, and after which epochs. */
  readonly values: readonly number[]
  readonly epochs: readonly number[]
  /** From 1. */
  readonly stage: number
  /** Why it ended so, in words; null where nothing is said. */
  readonly reason: string | null
  /** The trial's folder. */
  readonly dir: string
}

export const studyTrial = (trial: Trial): StudyTrial => ({
  number: trial.number,
  state: trial.state,
  params: trial.suggestion?.params ?? null,
  value: trialValue(trial),
  epoch: epochOf(trial),
  values: trial.values,
  epochs: trial.epochs,
  stage: trial.suggestion?.stage ?? 1,
  reason: reasonOf(trial),
  dir: trial.path,
})
