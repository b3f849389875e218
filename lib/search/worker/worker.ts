/** A worker: picks a trial, trains it, records it, until there is nothing left to do. It needs no master. */
import { setTimeout } from 'node:timers/promises'
import { Beats, hasEnded, LeaseJudge, type StudyModule } from '../../study/index.js'
import type { StudyDefinition } from '../definition/define-study.js'
import type { Params } from '../space/space.js'
import { checkFailures, pick } from './pick.js'
import { whenThereIsRoom } from './room.js'
import { type Claimed, runTrial, type TrialOutcome } from './run-trial.js'
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
  const { dir, definition, module, allowChanged, signal, name: worker } = options
  const search = await Search.open(dir, definition, { module, allowChanged })
  const before = new Set(search.trials.filter(hasEnded).map(({ number }) => number))
  const beats = new Beats({ every: options.beatEvery })
  const judge = new LeaseJudge({ lease: options.lease })
  const note = (text: string) => options.onEvent?.({ type: 'note', text })
  let wait = shortestWait
  try {
    for (let done = 0; ; ) {
      if (signal.aborted) return 'paused'
      if (done >= (options.trials ?? Number.POSITIVE_INFINITY)) return 'limit'
      const picked = await whenThereIsRoom(() => pick({ search, judge, beats, worker, note, signal }), signal)
      if (picked === 'done' || picked === 'exhausted') return picked
      if (picked === 'wait') {
        await setTimeout(wait, undefined, { signal }).catch(() => undefined)
        wait = Math.min(2 * wait, longestWait)
        continue
      }
      wait = shortestWait
      done++
      await train(search, picked, options)
      await search.refresh()
      checkFailures(search, before)
    }
  } finally {
    await beats.close()
  }
}

async function train(search: Search, claimed: Claimed, options: WorkerOptions): Promise<void> {
  const { onEvent, signal, threads } = options
  const { number: trial } = claimed.held
  const { params } = claimed
  onEvent?.({ type: 'begin', trial, params, goesOn: claimed.before !== null })
  const onReport = (epoch: number, value: number) => onEvent?.({ type: 'report', trial, epoch, value })
  const outcome = await runTrial(search, claimed, { training: trainHere(threads), signal, onReport })
  onEvent?.({ type: 'end', trial, params, ...(outcome ?? { state: 'taken' }) })
}
