/** What travels from the server to the page. */
import type { Finding, Severity } from '../diagnosis/diagnose.js'
import type { Latest } from '../recording/latest.js'
import type { Notes } from '../recording/notes.js'
import type { LayerSeries, Recording, RunInfo, StepSeries, TensorInfo } from '../recording/recording.js'
import type { Column, Wire } from './packed.js'
import type { StudyListing } from './study/study-wire.js'

/** `silent`: no end is recorded, and the process is gone. */
export type RunStatus = 'running' | 'finished' | 'stopped' | 'failed' | 'silent' | 'unreadable'

/** The gravest finding. */
export interface Verdict {
  rule: string
  severity: Severity
  message: string
}

/** What the list says of a run, and what changes while it goes on. */
export interface RunSummary {
  name: string
  /** The how manieth of the folder it is, by its begin; −1 where it cannot be read. */
  number: number
  status: RunStatus
  /** Why it cannot be read, or what ended it. */
  reason?: string | undefined
  started?: string | undefined
  step?: number | undefined
  epoch?: number | undefined
  epochs?: number | undefined
  /** Null where it is not known yet. */
  stepsPerEpoch?: number | null | undefined
  loss?: number | null | undefined
  valLoss?: number | null | undefined
  samplesPerSecond?: number | undefined
  /** Seconds that it has run, as far as is recorded, without the time between its processes. */
  seconds?: number | undefined
  /** How often it has gone on in another process. */
  wentOn?: number | undefined
  /** The best that its headline metric has been: on validation data, where there are some. */
  best?: { column: string; value: number; epoch: number } | undefined
  verdict?: Verdict | undefined
  notes: Notes
}

/** A line of the list of runs: with what the run was started with. */
export interface RunListing extends RunSummary {
  settings: Readonly<Record<string, string | number>>
}

export interface RunList {
  /** Name of the folder. */
  folder: string
  /** Whether the page may change something; not there in reports. */
  canControl?: boolean | undefined
  runs: readonly RunListing[]
  studies: readonly StudyListing[]
}

/** An event. */
export interface News {
  /** Whether runs have come or gone. */
  isOther: boolean
  /** What the list says of the runs that grew. */
  grown: readonly RunSummary[]
  /** What their curves have got since the event before; empty in the first one. */
  steps: readonly { run: string; steps: StepsView }[]
  /** Runs to be asked for anew: there is more of them than curves of steps. */
  redraw: readonly string[]
}

/** All of a run but its long columns. */
export interface RunView
  extends Pick<Recording, 'begins' | 'epochs' | 'predictions' | 'sharpness' | 'system' | 'refusal' | 'end'> {
  name: string
  status: RunStatus
  info: RunInfo
  findings: readonly Finding[]
  summary: RunSummary
}

/** A file among the latest checkpoints of a run, by what its header says. */
export interface CheckpointView {
  name: string
  /** In bytes. */
  size: number
  /** The finished epoch, or the one under way; null of a file that cannot be read. */
  epoch: number | null
  step: number | null
  /** By what it is compared, and how it does; null within an epoch. */
  column: string | null
  score: number | null
  /** Why it cannot be read. */
  problem: string | null
  isNewest: boolean
  isBest: boolean
}

/** Columns of the whole net; those of tensors are asked for apart. */
export type StepsView = Wire<Omit<StepSeries, 'tensors'>>

export interface TensorsView {
  step: Column
  tensors: readonly (TensorInfo & { ratio: Column; weightNorm: Column; gradientNorm: Column })[]
}

/** `rows`: whose predictions the confusion matrix counts: all of those data, or some validation rows. */
export type LatestView = Pick<Latest, 'epoch' | 'step'> & Partial<Latest> & { rows: 'some' | 'training' | 'validation' }

export type LayersView = Wire<LayerSeries>

/** JSON that is safe within HTML as well: no character of it can begin a tag. What is not finite becomes null. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, escapeCharacter)
}

const escapeCharacter = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
