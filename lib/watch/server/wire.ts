/** What travels from the server to the page. */
import type { Finding } from '../diagnosis/diagnose.js'
import type { LayerSeries, Recording, RunInfo, StepSeries, TensorInfo } from '../recording/recording.js'
import type { Column, Wire } from './packed.js'

/** `silent`: no end is recorded, and the process is gone. */
export type RunStatus = 'running' | 'finished' | 'stopped' | 'failed' | 'silent' | 'unreadable'

/** A line of the list of runs. */
export interface RunSummary {
  name: string
  status: RunStatus
  /** Why it cannot be read, or what ended it. */
  reason?: string
  started?: string
  step?: number
  epoch?: number
  epochs?: number
  loss?: number | null
  valLoss?: number | null
  samplesPerSecond?: number
  /** Seconds that it has run, as far as is recorded. */
  seconds?: number
}

export interface RunList {
  /** Name of the folder. */
  folder: string
  runs: readonly RunSummary[]
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
  extends Pick<Recording, 'epochs' | 'predictions' | 'sharpness' | 'system' | 'refusal' | 'end'> {
  name: string
  status: RunStatus
  info: RunInfo
  findings: readonly Finding[]
}

/** Columns of the whole net; those of tensors are asked for apart. */
export type StepsView = Wire<Omit<StepSeries, 'tensors'>>

export interface TensorsView {
  step: Column
  tensors: readonly (TensorInfo & { ratio: Column; weightNorm: Column; gradientNorm: Column })[]
}

export type LayersView = Wire<LayerSeries>

/** JSON that is safe within HTML as well: no character of it can begin a tag. What is not finite becomes null. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, escapeCharacter)
}

const escapeCharacter = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
