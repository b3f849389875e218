import type { StepsReport } from '../../train/callback.js'
import type { SystemEntry } from '../recording/recording.js'
import type { Clock } from './clock.js'

const interval = 1000

/**
 * Once a second: how fast training goes, how free the event loop is, how much memory the process takes. What finished steps
 * waited for is what tells of the event loop: a timer of its own would wake threads that training could use.
 */
export class SystemWatch {
  readonly #clock: Clock
  #since: number
  #rows = 0
  #calls = 0
  #waited = 0
  #waitedMost = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.now()
  }

  /** An entry when it is time for one. */
  add({ rows, waited }: StepsReport, step: number): SystemEntry | null {
    this.#rows += rows
    this.#calls++
    this.#waited += waited
    this.#waitedMost = Math.max(this.#waitedMost, waited)
    const now = this.#clock.now()
    if (now - this.#since < interval) return null
    const entry = {
      step,
      time: this.#clock.date(),
      samplesPerSecond: (1000 * this.#rows) / (now - this.#since),
      eventLoopDelay: this.#waited / this.#calls,
      eventLoopDelayMost: this.#waitedMost,
      memory: process.memoryUsage.rss(),
    }
    this.#since = now
    this.#rows = this.#calls = this.#waited = this.#waitedMost = 0
    return entry
  }
}
