/** What records and explains runs. It lies above training and says here that it is there. */
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { Callback } from './callback.js'
import type { History } from './history.js'
import type { Settings } from './options.js'
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
  readonly settings: Settings
  readonly history: History
}

interface Watching {
  /** Most severe first. */
  diagnose(run: RunFacts): Finding[]
  /** For a run directory that no callback asked for. */
  monitor(): Callback
  isMonitor(callback: Callback): boolean
  /** The folder that a monitor among them has made for its run. */
  dirOf(callbacks: readonly Callback[]): string | null
}

let watching: Watching | null = null

export function setWatching(parts: Watching): void {
  watching = parts
}

export function watchingParts(): Watching {
  if (watching) return watching
  throw new GradusError('GRADUS_INTERNAL', 'the monitor is not loaded')
}
