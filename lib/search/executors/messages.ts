/** What a worker's process and its parent tell each other. */
import type { ErrorCode } from '../../errors.js'
import type { WorkerEnd, WorkerEvent } from '../worker/worker.js'

/** What a process is started with. */
export interface WorkerOrder {
  readonly file: string
  readonly dir: string
  readonly name: string
  readonly threads: number
  readonly allowChanged: boolean
  readonly trials?: number | undefined
  readonly lease?: number | undefined
  readonly beatEvery?: number | undefined
}

export type ToWorker = { readonly type: 'work'; readonly order: WorkerOrder } | { readonly type: 'pause' }

export type FromWorker =
  | { readonly type: 'event'; readonly event: WorkerEvent }
  | { readonly type: 'end'; readonly end: WorkerEnd }
  | { readonly type: 'failed'; readonly code: ErrorCode | null; readonly message: string }
