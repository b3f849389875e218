/** Loops that each claim, have trained, and record one trial after the other, as many as the workers of a queue can use. */
import { setMaxListeners } from 'node:events'
import type { Training } from '../worker/run-trial.js'
import { type Shared, type WorkerEnd, type WorkerEvent, work } from '../worker/worker.js'

export interface SlotOptions {
  readonly name: string
  /** Fires when running trials are to pause. */
  readonly signal: AbortSignal
  readonly onEvent?: ((event: WorkerEvent) => void) | undefined
}

/** Milliseconds. Trials that take less wait longer for their way through the queue than a worker is at them. */
const shortTrial = 250

export class Slots {
  readonly #options: SlotOptions
  readonly #signal: AbortSignal
  readonly #failed = new AbortController()
  readonly #running = new Map<number, Promise<void>>()
  /** When the trials that are under way have begun. */
  readonly #begun = new Map<number, number>()
  #areShort = false
  #start: ((slot: number) => void) | null = null
  #countWorkers: () => number = () => 0

  constructor(options: SlotOptions) {
    this.#options = options
    // Where one cannot go on, the others pause.
    this.#signal = AbortSignal.any([options.signal, this.#failed.signal])
    // As many listen as there are trials under way.
    setMaxListeners(0, this.#signal)
  }

  /**
   * One at least, which sees that nothing is left to do, and has a trial ready for the first worker that comes. Of short trials
   * each worker has a second one ready; of others that would only be chosen too early, before results that it should follow.
   */
  get #wanted(): number {
    return Math.max(1, this.#countWorkers() * (this.#areShort ? 2 : 1))
  }

  run(shared: Shared, training: Training, countWorkers: () => number): Promise<WorkerEnd> {
    this.#countWorkers = countWorkers
    return new Promise((resolve, reject) => {
      let end: WorkerEnd | null = null
      let failure: unknown = null
      const ended = (slot: number) => {
        this.#running.delete(slot)
        if (this.#running.size > 0) return
        if (failure !== null) reject(failure)
        else if (end !== null) resolve(end)
        else this.look()
      }
      this.#start = (slot) => {
        if (end !== null || failure !== null) return
        const isNeeded = () => slot < this.#wanted
        const working = work(shared, {
          ...{ name: `${this.#options.name}.${slot + 1}`, signal: this.#signal, training, isNeeded },
          onEvent: this.#onEvent,
        })
        const done = working.then(
          (how) => {
            // One that was not needed any more says nothing of the search.
            if (how !== 'limit') end ??= how
          },
          (error) => {
            failure ??= error
            this.#failed.abort()
          },
        )
        this.#running.set(
          slot,
          done.then(() => ended(slot)),
        )
      }
      this.look()
    })
  }

  readonly #onEvent = (event: WorkerEvent): void => {
    this.#options.onEvent?.(event)
    if (event.type === 'begin') this.#begun.set(event.trial, performance.now())
    else if (event.type === 'end') {
      this.#areShort = performance.now() - this.#begun.get(event.trial)! < shortTrial
      this.#begun.delete(event.trial)
      this.look()
    }
  }

  /** Begins those that are missing. */
  look(): void {
    if (this.#start === null) return
    for (let slot = 0; slot < this.#wanted; slot++) if (!this.#running.has(slot)) this.#start(slot)
  }
}
