/** How a recording goes on where another process has left it. */
import { checkBoolean, checkNotNegative, checkNotNegativeInteger } from '../../checks.js'
import { GradusError } from '../../errors.js'
import { orNull, readMemory } from '../../memory.js'
import { thisProcess } from '../../processes.js'
import type { FitCall } from '../../train/callback.js'
import type { BeginEntry } from '../recording/recording.js'
import { openRun } from '../recording/run-reader.js'
import type { Place } from './place.js'
import { RunDirectory, type Sizes } from './run-directory.js'

/** What a checkpoint keeps of a monitor. */
export interface Memory {
  /** Null where nothing is written. */
  readonly sizes: Sizes | null
  /** Since the run began, of all its processes. */
  readonly seconds: number
  /** Whether a step was refused, of which the first is recorded. */
  readonly hasRefused: boolean
}

const sizes = {
  steps: checkNotNegativeInteger,
  layers: checkNotNegativeInteger,
  histograms: checkNotNegativeInteger,
  journal: checkNotNegativeInteger,
}

/** Of a run that begins, whatever lies there. */
export const nothing: Sizes = { steps: 0, layers: 0, histograms: 0, journal: 0 }

/** @throws `GRADUS_BAD_FILE` */
export const readMonitor = (state: unknown): Memory =>
  readMemory<Memory>('monitor', state, {
    sizes: orNull((argument, value) => readMemory<Sizes>(argument, value, sizes)),
    seconds: checkNotNegative,
    hasRefused: checkBoolean,
  })

/** What the begin of this process says. */
export function processOf({ settings }: FitCall): Omit<BeginEntry, 'step' | 'time'> {
  const { process, host, boot, started } = thisProcess()
  const { threads, epochs } = settings
  return { process, host, ...(boot && { boot }), ...(started && { started }), threads, epochs }
}

/** The sizes of a checkpoint; null when there are none, or when the files have lost some of what they had then. */
export async function sizesOf(place: Place, memory: Memory | null): Promise<Sizes | null> {
  const sizes = memory?.sizes
  if (!sizes) return null
  if (await RunDirectory.holds(place, sizes)) return sizes
  const message = `The recording in ${place.folder.path} lacks some of what was recorded before the checkpoint`
  process.emitWarning(message, { type: 'GradusWarning', code: 'GRADUS_NOT_RECORDED' })
  return null
}

/**
 * Going on cuts off what was recorded beyond the model's step: with a model that has forgotten its step, everything.
 * @throws `GRADUS_INVALID_ARGUMENT` when the epochs that are said to be done ended beyond it
 */
export async function checkStep({ folder }: Place, step: number, { settings }: FitCall): Promise<void> {
  const { epochs } = (await openRun(folder.path)).standing
  const done = epochs.filter(({ epoch }) => epoch <= settings.initialEpoch)
  const last = done.reduce((last, entry) => (entry.step > last.step ? entry : last), { epoch: 0, step: 0 })
  if (step >= last.step) return
  const message =
    `initialEpoch: expected a model at step ${last.step}, where epoch ${last.epoch} of the run in ${folder.path} ended, ` +
    `received one at step ${step}: all beyond it would be cut off; save(file, { optimizer: true }) keeps the step`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}
