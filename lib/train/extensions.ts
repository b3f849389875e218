/** What lies above training and `fit` makes use of: checks, monitor, rules. One file above, `watch/extend.ts`, brings them. */
import type { Conventions } from '../data/conventions.js'
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { Callback } from './callback.js'
import type { History } from './history.js'
import type { FitSettings } from './options.js'
import type { RunState } from './run-state.js'
import type { Settings } from './settings.js'
import type { Source } from './source.js'
import type { TrainTarget } from './target.js'

/** Something that a look at a run has found, in words. */
export interface Finding {
  /** `learningRateTooHigh`, `deadRelus`, …; `healthy` when there is nothing to report. */
  readonly rule: string
  /** `severe`: the run is not worth going on with as it is. */
  readonly severity: 'info' | 'warning' | 'severe'
  readonly message: string
  /** The numbers behind it. */
  readonly evidence: Readonly<Record<string, unknown>>
  /** What to try. */
  readonly advice: string
  /** The step from which on it holds, and its epoch where that is known. */
  readonly since: { readonly step: number; readonly epoch?: number }
  /** A page about it, below the package's folder. */
  readonly page: string
}

/** What is known of a run, whether or not somebody recorded it. */
export interface RunFacts {
  readonly target: TrainTarget
  readonly data: Data
  readonly settings: FitSettings
  readonly history: History
}

/** A run about to begin or to go on, once its data are open. */
export interface LineageAsked {
  readonly target: TrainTarget
  readonly settings: Settings
  readonly training: Source
  readonly validation: Source | null
  /** The run's directory. */
  readonly folder: string
}

/** What a run is known by. */
export interface Lineage {
  /** The same before and after it goes on. */
  readonly id: string
  /** What decides its bits. */
  readonly identity: Readonly<Record<string, unknown>>
  /** The checkpoint that it goes on from; null where it begins. */
  readonly from: { readonly path: string; readonly epochs: number; readonly rows: number; readonly step: number } | null
}

/** A run as a checkpoint has it. */
export interface Saved {
  readonly conventions: Conventions
  readonly state: RunState
}

export interface Extensions {
  /** @throws when the directory holds another run, or must hold one and does not */
  findLineage(run: LineageAsked): Promise<{ lineage: Lineage; saved: Saved | null }>
  /** For a run that is to go on and has no callback that would let it. */
  checkpoint(): Callback
  /** The sanity checks. @throws `GRADUS_SANITY_CHECK` with the list of them when one fails. */
  preflight(target: TrainTarget, data: Data, settings: Settings): Promise<void>
  /** Most severe first. */
  diagnose(run: RunFacts): Finding[]
  /** For a run directory that no callback asked for. */
  monitor(): Callback
  isMonitor(callback: Callback): boolean
  /** The folder that a monitor among them has made for its run. */
  dirOf(callbacks: readonly Callback[]): string | null
}

let brought: Extensions | null = null

export function extend(extensions: Extensions): void {
  brought = extensions
}

export function extensions(): Extensions {
  if (brought) return brought
  throw new GradusError('GRADUS_INTERNAL', 'checks and monitor are not loaded')
}
