/** A claimed trial from its beginning to its end: trained by whoever trains, and recorded. */
import { setTimeout } from 'node:timers/promises'
import { GradusError } from '../../errors.js'
import { isFull } from '../../files.js'
import type { EndState, HeldTrial, JsonObject, Trial } from '../../study/index.js'
import { TrialEnded } from '../definition/trial-function.js'
import type { Params } from '../space/space.js'
import { inFolder } from './folder-holder.js'
import { keepCheckpoints } from './keep.js'
import { whenThereIsRoom } from './room.js'
import type { Search } from './search.js'
import type { TrialValue } from './train-trial.js'
import { type Ending, TrialControl } from './trial-control.js'

export interface Claimed {
  readonly held: HeldTrial
  readonly params: Params
  /** From 1. */
  readonly stage: number
  /** As it was when it was claimed; null of a new one. */
  readonly before: Trial | null
}

/** Trains a claimed trial, here or elsewhere. @throws what its function throws; whatever `control` ends it with */
export type Training = (search: Search, claimed: Claimed, control: TrialControl) => Promise<TrialValue>

export interface RunTrialOptions {
  readonly training: Training
  /** Fires when running trials are to pause. */
  readonly signal: AbortSignal
  onReport?(epoch: number, value: number): void
}

/** How it ended; null where another worker has it now. */
export interface TrialOutcome {
  readonly state: EndState | 'paused'
  readonly epoch: number
  readonly value: number | null
  readonly reason: string | null
}

/** @throws `GRADUS_BAD_FILE` when the outcome cannot be recorded */
export async function runTrial(
  search: Search,
  claimed: Claimed,
  options: RunTrialOptions,
): Promise<TrialOutcome | null> {
  const { held, before } = claimed
  const { pruner } = search.definition
  const control = new TrialControl(inFolder(held), lastOf(before), {
    epochs: search.stage.epochs,
    onReport: options.onReport,
    decide: async () => {
      if (pruner === null) return 'continue'
      await search.refresh(held.number)
      return pruner.afterReport(search.reports, held.number)
    },
  })
  const interrupt = () => control.end({ how: 'pause', reason: 'interrupted' })
  options.signal.addEventListener('abort', interrupt)
  if (options.signal.aborted) interrupt()
  const time = watchTime(control, search.definition.timeout)
  try {
    await control.look()
    const ended = await settled(() => options.training(search, claimed, control))
    return await record(search, claimed, { control, ended, signal: options.signal })
  } finally {
    time.close()
    options.signal.removeEventListener('abort', interrupt)
    control.close()
    held.drop()
  }
}

const lastOf = (before: Trial | null) => ({ epoch: before?.epochs.at(-1) ?? 0, value: before?.values.at(-1) ?? null })

type Settled = { readonly value: TrialValue } | { readonly error: unknown }

const settled = (train: () => Promise<TrialValue>): Promise<Settled> =>
  train().then(
    (value) => ({ value }),
    (error) => ({ error }),
  )

/** Ends a trial that has not reported for so many seconds. */
function watchTime(control: TrialControl, seconds: number | null): { close(): void } {
  if (seconds === null) return { close() {} }
  let epoch = control.last.epoch
  const timer = setInterval(() => {
    if (control.last.epoch === epoch) {
      const reason = `timeout: no report for ${seconds} s after epoch ${epoch}`
      control.end({ how: 'stop', state: 'failed', reason })
    }
    epoch = control.last.epoch
  }, 1000 * seconds)
  return { close: () => clearInterval(timer) }
}

/** Milliseconds that a trial waits at least that has found a disk full. */
const roomEvery = 1000

/** Writes down how it ended: by whoever wanted its end, else by what its function did. */
async function record(
  search: Search,
  { held }: Claimed,
  { control, ended, signal }: { control: TrialControl; ended: Settled; signal: AbortSignal },
): Promise<TrialOutcome | null> {
  const ending = control.ending ?? endingOf(ended)
  if (ending?.how === 'lost') return null
  const { epoch, value } = control.last
  try {
    if (ending?.how === 'pause') {
      // Else it would be taken up again at once, to fail of the same.
      if ('error' in ended && isFull(ended.error)) await setTimeout(roomEvery)
      const details = { reason: ending.reason }
      await patiently(() => held.pause({ epoch, value, details }), signal)
      return { state: 'paused', epoch, value, reason: ending.reason }
    }
    const { details, ...outcome } =
      ending === null
        ? finishedBy((ended as { value: TrialValue }).value, epoch)
        : { state: ending.state, epoch, value, reason: ending.reason, details: null }
    // What took no time to train need not survive a loss of power.
    const options = { sync: ending !== null || epoch > 0 }
    await patiently(() => held.finish({ ...outcome, details }, options), signal)
    await keepCheckpoints(search, held).catch(unlessDisk)
    return outcome
  } catch (error) {
    if (error instanceof GradusError && error.code === 'GRADUS_STALE_LEASE') return null
    throw error
  }
}

interface Finished {
  readonly state: EndState
  readonly epoch: number
  readonly value: number
  readonly reason: string | null
  readonly details: JsonObject | null
}

/** How a trial ends whose function gave a value. */
function finishedBy({ value, epoch: best, details }: TrialValue, epoch: number): Finished {
  const common = { value, epoch: Math.max(epoch, best) }
  if (Number.isFinite(value)) return { ...common, state: 'complete', reason: null, details }
  return { ...common, state: 'exploded', reason: `its value is ${value}`, details: null }
}

/** Null where the function gave a value. */
function endingOf(ended: Settled): Ending | null {
  if (!('error' in ended)) return null
  const { error } = ended
  const code = error instanceof GradusError ? error.code : null
  // It has done nothing wrong: it waits, and is taken up again.
  if (isFull(error)) return { how: 'pause', reason: 'interrupted' }
  if (code === 'GRADUS_STALE_LEASE' || code === 'GRADUS_STALE_RUN') return { how: 'lost', reason: String(error) }
  // What Gradus itself refuses says all in its message; of anything else the place counts.
  const text = code !== null ? String(error) : error instanceof Error ? (error.stack ?? error.message) : String(error)
  const reason = text.length > 4000 ? `${text.slice(0, 4000)}…` : text
  if (error instanceof TrialEnded)
    return { how: 'stop', state: 'failed', reason: `it ended by itself: ${error.message}` }
  return { how: 'stop', state: code === 'GRADUS_NON_FINITE' ? 'exploded' : 'failed', reason }
}

/** A disk that fails for a moment costs a moment, one that is full as long as it is. */
async function patiently(write: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let delay = 100; ; delay *= 2) {
    try {
      return await whenThereIsRoom(write, signal)
    } catch (error) {
      if (!isDisk(error) || delay > 3000) throw error
      await setTimeout(delay)
    }
  }
}

const isDisk = (error: unknown): error is GradusError =>
  error instanceof GradusError && error.code === 'GRADUS_BAD_FILE'

/** What is recorded stays so; whichever trial is the next among the best puts the folder of the best right. */
function unlessDisk(error: unknown): void {
  if (!isDisk(error)) throw error
  process.emitWarning(error.message, { type: 'GradusWarning', code: 'GRADUS_NOT_SAVED' })
}
