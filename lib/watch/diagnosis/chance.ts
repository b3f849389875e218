/** The losses by which a run is measured. */
import { chanceOfClasses, leastLoss, startLoss, type TargetFacts } from '../../check/chance.js'
import type { EpochEntry, Recording } from '../recording/recording.js'

export interface Baselines {
  /** Of the best constant prediction in training: the shares of the classes, the mean of the targets; null where not known. */
  readonly chance: number | null
  /** The same in validation. */
  readonly validationChance: number | null
  /** Of an untrained model, which guesses evenly. */
  readonly start: number | null
  /** The least that there is: over 0 where targets are smoothed. */
  readonly least: number
}

export function baselinesOf({ info, predictions, epochs }: Recording): Baselines {
  const { kind = '', parameter, smoothing } = info.descriptor.loss ?? {}
  const loss = { kind, parameter, smoothing }
  const scores = info.tensors.filter(({ shape }) => shape.length > 1).at(-1)
  const last = predictions.at(-1)
  const facts = info.targets ?? undefined
  const outputs = facts?.classCounts?.length ?? last?.actual.length ?? scores?.shape.at(-1) ?? 0
  const start = positive(startLoss(loss, outputs, facts))
  // Older files and streams do not tell of the targets: what was recorded of them does, else the start stands for it.
  const recorded = kind === 'mean_squared_error' ? varianceOf(epochs) : last && chanceOfClasses(loss, last.actual)
  const known = (of: TargetFacts | null | undefined) => positive(of?.chance)
  const chance = known(info.targets) ?? positive(recorded) ?? start
  return {
    chance,
    validationChance: known(info.validationTargets) ?? positive(recorded) ?? chance,
    start: start ?? chance,
    least: leastLoss(loss, outputs),
  }
}

/** Of the targets, where R² = 1 − loss / variance was recorded. */
function varianceOf(epochs: readonly EpochEntry[]): number {
  const last = epochs.at(-1)
  return Number(last?.valLoss ?? last?.loss) / (1 - Number(last?.valR2 ?? last?.r2))
}

const positive = (value: number | null | undefined) =>
  value !== null && value !== undefined && value > 0 && Number.isFinite(value) ? value : null
