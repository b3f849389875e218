/** What is shown of a study: plain data, made of its files. */
import { endStates, hasEnded, type JsonObject, type StudyDescription, type Trial } from '../../study/index.js'
import { epochOf, rankedTrials, secondsOf, trialValue } from './result.js'

export interface StudyView {
  readonly name: string
  readonly metric: string
  /** Null of a study without stages. */
  readonly stage: { readonly number: number; readonly of: number } | null
  /** Of a whole trial, or of one of this stage. */
  readonly epochs: number | null
  /** Trials that have been begun and do not run now, and all that are to be. */
  readonly done: number
  readonly trials: number
  /** Workers that have a trial now, or that the master has started. */
  readonly workers: number
  /** Since the search was started. */
  readonly seconds: number
  /** Null where nothing is known to guess from. */
  readonly secondsLeft: number | null
  readonly best: ShownTrial | null
  /** How many there are of each state that there is; running ones left out. */
  readonly counts: readonly (readonly [state: string, count: number])[]
  readonly running: readonly RunningTrial[]
}

export interface ShownTrial {
  readonly number: number
  readonly value: number | null
  readonly params: JsonObject
}

export interface RunningTrial extends ShownTrial {
  readonly worker: string
  readonly epoch: number
  readonly isStuck: boolean
}

export interface ViewOptions {
  readonly name: string
  readonly study: StudyDescription
  readonly trials: readonly Trial[]
  /** All that are to be. */
  readonly planned: number
  /** The newest stage that has begun, from 1. */
  readonly stage: number
  readonly workers: number
  readonly seconds: number
  readonly isStuck: (trial: Trial) => boolean
}

interface StageLength {
  readonly trials: number
  readonly epochs: number
}

/** Of a description, which may come from a file of unknown origin. */
function stagesOf({ stages }: StudyDescription): readonly StageLength[] | null {
  if (!Array.isArray(stages) || stages.length === 0) return null
  return stages.map((stage) => ({ trials: Number(stage?.trials) || 0, epochs: Number(stage?.epochs) || 1 }))
}

export function viewOf(options: ViewOptions): StudyView {
  const { name, study, trials, planned, workers, seconds, isStuck } = options
  const stages = stagesOf(study)
  const running = trials.filter(({ state }) => state === 'running')
  const begun = trials.filter(({ last }) => last !== null)
  const [best] = rankedTrials(trials, study.direction)
  const busy = new Set(running.map(({ claim }) => claim?.record.worker))
  const count = (state: string) => trials.filter((trial) => trial.state === state).length
  return {
    name,
    metric: study.metric,
    stage: stages && { number: options.stage, of: stages.length },
    epochs: stages ? (stages[options.stage - 1]?.epochs ?? null) : study.epochs,
    done: begun.length - running.length,
    trials: Math.max(planned, begun.length),
    workers: Math.max(workers, busy.size),
    seconds,
    secondsLeft: secondsLeft(options, stages, Math.max(workers, busy.size)),
    best: best ? shown(best) : null,
    counts: ['complete', 'paused', ...endStates.slice(1)].flatMap((state) => {
      const number = count(state)
      return number > 0 ? [[state, number] as const] : []
    }),
    running: running.map((trial) => ({
      ...shown(trial),
      worker: trial.claim?.record.worker ?? '',
      epoch: epochOf(trial),
      isStuck: isStuck(trial),
    })),
  }
}

const shown = (trial: Trial): ShownTrial => ({
  number: trial.number,
  value: trialValue(trial),
  params: trial.suggestion?.params ?? {},
})

/** By the median time of this stage's trials that have ended, the longer the more epochs a later one has. */
function secondsLeft(
  { trials, planned, stage }: ViewOptions,
  stages: readonly StageLength[] | null,
  workers: number,
): number | null {
  const here = stages ? trials.filter(({ suggestion }) => suggestion?.stage === stage) : trials
  const times = here.flatMap((trial) => secondsOf(trial) ?? [])
  if (times.length === 0) return null
  const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!
  const open = here.filter((trial) => !hasEnded(trial) && trial.state !== 'paused').length
  const lengths = stages ?? [{ trials: planned, epochs: 1 }]
  const current = lengths[Math.min(stage, lengths.length) - 1]!
  // Of those that run half is done, as far as is known.
  const now = Math.max(0, current.trials - here.length) + open / 2
  const later = stages
    ? lengths.slice(stage).reduce((sum, one) => sum + (one.trials * one.epochs) / current.epochs, 0)
    : 0
  return ((now + later) * median) / Math.max(1, workers)
}
