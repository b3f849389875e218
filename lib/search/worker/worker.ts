/** A worker: picks a trial, trains it, records it, until there is nothing left to do. It needs no master. */
import { setTimeout } from 'node:timers/promises'
import { Beats, hasEnded, LeaseJudge, type StudyModule } from '../../study/index.js'
import type { StudyDefinition } from '../definition/define-study.js'
import type { Params } from '../space/space.js'
import { checkFailures, type Picker, pick } from './pick.js'
import { whenThereIsRoom } from './room.js'
import { type Claimed, runTrial, type Training, type TrialOutcome } from './run-trial.js'
import { Search } from './search.js'
import { trainHere } from './train-trial.js'

/**
 * `done`: all trials have ended; `exhausted`: a finite space has no others; `limit`: this worker has had as many as it may;
 * `paused`: its signal has fired.
 */
export type WorkerEnd = 'done' | 'exhausted' | 'limit' | 'paused'

export type WorkerEvent =
  | { readonly type: 'begin'; readonly trial: number; readonly params: Params; readonly goesOn: boolean }
  | { readonly type: 'report'; readonly trial: number; readonly epoch: number; readonly value: number }
  | ({ readonly type: 'end'; readonly trial: number; readonly params: Params } & (
      | TrialOutcome
      | { readonly state: 'taken' }
    ))
  /** Another worker had the trial by then: what came of it is dropped. */
  | { readonly type: 'refused'; readonly trial: number }
  | { readonly type: 'note'; readonly text: string }

export interface WorkerOptions {
  readonly dir: string
  readonly definition: StudyDefinition
  /** The file that defines it; null of one defined in a program. */
  readonly module?: StudyModule | null | undefined
  readonly allowChanged?: boolean | undefined
  /** What it is called: `here.1`. */
  readonly name: string
  readonly threads: number
  /** Fires when it is to end: the running trial writes its checkpoint and waits. */
  readonly signal: AbortSignal
  /** Trials at most. Default: no limit. */
  readonly trials?: number | undefined
  /** Milliseconds without a beat after which others are taken to be gone. Default 60,000. */
  readonly lease?: number | undefined
  /** Milliseconds from beat to beat. Default 5,000. */
  readonly beatEvery?: number | undefined
  onEvent?(event: WorkerEvent): void
}

/** Milliseconds between two looks at what others do, at first and at most. */
const [shortestWait, longestWait] = [10, 250]

/** @throws `GRADUS_INVALID_ARGUMENT` and `GRADUS_BAD_FILE` of the folder, `GRADUS_SEARCH_FAILED` when the first five trials fail */
export async function runWorker(options: WorkerOptions): Promise<WorkerEnd> {
  const { dir, definition, module, allowChanged, threads } = options
  const search = await Search.open(dir, definition, { module, allowChanged })
  const beats = new Beats({ every: options.beatEvery })
  try {
    const judge = new LeaseJudge({ lease: options.lease })
    return await work({ search, beats, judge }, { ...options, training: trainHere(threads) })
  } finally {
    await beats.close()
  }
}

/** What several that work side by side in one process may share. */
export type Shared = Pick<Picker, 'search' | 'beats' | 'judge' | 'details' | 'adopts'> & {
  /** Lets one pick after the other. */
  inTurn?<Result>(pick: () => Promise<Result>): Promise<Result>
}

export interface WorkOptions extends Pick<WorkerOptions, 'name' | 'signal' | 'trials' | 'onEvent'> {
  readonly training: Training
  /** Whether it is still needed; asked between trials. */
  isNeeded?(): boolean
}

/** Until nothing is left to do. @throws as {@link runWorker} */
export async function work(shared: Shared, options: WorkOptions): Promise<WorkerEnd> {
  const { search, inTurn = (pick) => pick() } = shared
  const { signal, name: worker } = options
  const isFirst = !search.trials.some(hasEnded)
  const note = (text: string) => options.onEvent?.({ type: 'note', text })
  let wait = shortestWait
  for (let done = 0; ; ) {
    if (signal.aborted) return 'paused'
    if (done >= (options.trials ?? Number.POSITIVE_INFINITY) || options.isNeeded?.() === false) return 'limit'
    const picked = await inTurn(() => whenThereIsRoom(() => pick({ ...shared, worker, note, signal }), signal))
    if (picked === 'done' || picked === 'exhausted') return picked
    if (picked === 'wait') {
      await setTimeout(wait, undefined, { signal }).catch(() => undefined)
      wait = Math.min(2 * wait, longestWait)
      continue
    }
    wait = shortestWait
    done++
    await train(search, picked, options)
    await search.refresh(picked.held.number)
    if (isFirst) checkFailures(search)
  }
}

async function train(search: Search, claimed: Claimed, options: WorkOptions): Promise<void> {
  const { onEvent, signal, training } = options
  const { number: trial } = claimed.held
  const { params } = claimed
  onEvent?.({ type: 'begin', trial, params, goesOn: claimed.before !== null })
  const onReport = (epoch: number, value: number) => onEvent?.({ type: 'report', trial, epoch, value })
  const outcome = await runTrial(search, claimed, { training, signal, onReport })
  onEvent?.({ type: 'end', trial, params, ...(outcome ?? { state: 'taken' }) })
}
