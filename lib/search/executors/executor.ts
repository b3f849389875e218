/** Where workers run: in this process, in others of this machine, or elsewhere. */
import type { GradusError } from '../../errors.js'
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
