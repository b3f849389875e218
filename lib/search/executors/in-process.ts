/** Workers in this process, beside each other: training is not on its thread. */
import { runWorker, type WorkerEvent, type WorkerOptions } from '../worker/worker.js'
import { asFailure, type Executor, type WorkerOutcome } from './executor.js'

export interface InProcessOptions extends Omit<WorkerOptions, 'name' | 'threads' | 'signal' | 'onEvent'> {
  readonly onEvent?: ((worker: string, event: WorkerEvent) => void) | undefined
}

export function inProcess({ onEvent, ...common }: InProcessOptions): Executor {
  return {
    name: 'in this process',
    start(name, threads) {
      const pause = new AbortController()
      const running = runWorker({
        ...common,
        ...{ name, threads, signal: pause.signal, onEvent: (event) => onEvent?.(name, event) },
      })
      return {
        name,
        process: null,
        ended: running.catch((error: unknown): WorkerOutcome => ({ failed: asFailure(error) })),
        pause: () => pause.abort(),
        // There is nothing here that could be ended from outside.
        kill: () => pause.abort(),
      }
    },
  }
}
