/** Where workers run: in this process, in others of this machine, or elsewhere. */
import { GradusError } from '../../errors.js'
import type { WorkerEnd } from '../worker/worker.js'

/** How a worker ended: as it should, because its process died, or because the study cannot go on. */
export type WorkerOutcome = WorkerEnd | { readonly crashed: string } | { readonly failed: GradusError }

export interface WorkerHandle {
  readonly name: string
  /** Null of one that has no process of its own, or none on this machine. */
  readonly process: number | null
  /** Never rejects. */
  readonly ended: Promise<WorkerOutcome>
  /** Has its trial write a checkpoint and wait; the worker then ends. */
  pause(): void
  /** Ends it at once, where that can be. */
  kill(): void
}

export interface Executor {
  readonly name: string
  start(name: string, threads: number): WorkerHandle
}

/** What a worker in this process has thrown, as why the study cannot go on. */
export function asFailure(error: unknown): GradusError {
  if (error instanceof GradusError) return error
  return new GradusError('GRADUS_SEARCH_FAILED', error instanceof Error ? error.message : String(error), {
    cause: error,
  })
}
