/** What the page is told of a study. */
import type { TrialState } from '../../../study/index.js'

/** In the order of their numbers in columns. */
export const trialStates = [
  'running',
  'paused',
  'complete',
  'pruned',
  'exploded',
  'failed',
  'stopped',
  'lost',
  'unfinished',
] as const satisfies readonly TrialState[]

/** A line of the list of runs. */
export interface StudyListing {
  name: string
  /** Folders of trials that there are. */
  trials: number
}

export interface ParameterView {
  path: string
  kind: 'number' | 'category'
  low: number
  high: number
  isLog: boolean
  /** Values that there are; null of real numbers. */
  size: number | null
  choices: readonly string[] | null
}

/** A trial that somebody is at. */
export interface WorkerView {
  worker: string
  trial: number
  /** The last epoch that was reported, 0 before. */
  epoch: number
  budget: number | null
  value: number | null
  /** Whether its process is known to be gone, or has been silent for a lease. */
  isSilent: boolean
}

export interface BestView {
  trial: number
  value: number
  /** Paths and values, as people read them. */
  params: readonly (readonly [path: string, text: string])[]
}

/** Shares in the order of the parameters, or why there are none. */
export type ImportanceView =
  | { shares: readonly number[]; trials: number; stage: number | null; why: null }
  | { shares: null; why: string }

/** What a stage looks at, and why. */
export interface StageView {
  number: number
  why: readonly string[]
}

/** All of a study but its trials and what its parameters matter. */
export interface StudyView {
  name: string
  /** Trials looked at while it is read for the first time; null once it has been. All else is empty until then. */
  progress: { done: number; all: number } | null
  /** Why it, or a part of it, cannot be read. */
  problem: string | null
  /** Counts the changes of the trials. */
  version: number
  metric: string
  direction: 'minimize' | 'maximize'
  epochs: number | null
  /** How many are to be done; null where nothing says so. */
  planned: number | null
  parameters: readonly ParameterView[]
  counts: Readonly<Partial<Record<TrialState, number>>>
  /** The newest, and how many there will be; null of a study without. */
  stage: { number: number; of: number; epochs: number | null } | null
  stages: readonly StageView[]
  best: BestView | null
  workers: readonly WorkerView[]
  /** Trials in whose folder something is damaged: how many, and the first of them. */
  damaged: { count: number; first: readonly string[] }
  /** From the first claim to the last change, or to now while somebody is at it. */
  seconds: number | null
  /** Whether the page may stop and retry trials. */
  canControl: boolean
}

/** Trials that have changed, as columns, which travel as they are. NaN stands for what is not there. */
export interface TrialColumns {
  /** Those of before are to be forgotten. */
  isWhole: boolean
  generation: number
  version: number
  number: Uint32Array
  /** Numbers of `trialStates`. */
  state: Uint32Array
  stage: Uint32Array
  /** The last epoch. */
  epoch: Uint32Array
  value: Float32Array
  /** Seconds from the study's begin to the trial's, and to its last change. */
  begin: Float32Array
  end: Float32Array
  /** Numbers of `workers`. */
  worker: Uint32Array
  workers: readonly string[]
  /** A column a parameter: numbers, and of categories that of the choice. */
  params: readonly Float32Array[]
  /** How many of `curveEpochs` and `curveValues` each trial has: a part of what was reported, where that is long. */
  curveLength: Uint32Array
  curveEpochs: Uint32Array
  curveValues: Float32Array
}

/** All of one trial. */
export interface TrialView {
  study: string
  number: number
  state: TrialState
  stage: number | null
  metric: string
  value: number | null
  params: readonly (readonly [path: string, text: string])[]
  seed: number | null
  suggestedBy: string | null
  reason: string | null
  problem: string | null
  /** What happened to it: a line a record. */
  history: readonly { time: string; text: string }[]
  curveEpochs: readonly number[]
  curveValues: readonly (number | null)[]
  canStop: boolean
  canRetry: boolean
}
