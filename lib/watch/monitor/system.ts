import type { StepsReport } from '../../train/callback.js'
import type { SystemEntry } from '../recording/recording.js'

const interval = 1000

/**
 * Once a second: how fast training goes, how free the event loop is, how much memory the process takes. What finished steps
 * waited for is what tells of the event loop: a timer of its own would wake threads that training could use.
 */
export class SystemWatch {
  #since = performance.now()
  #rows = 0
  #calls = 0
  #waited = 0
  #waitedMost = 0

  /** An entry when it is time for one. */
  add({ rows, waited }: StepsReport, step: number): SystemEntry | null {
    this.#rows += rows
    this.#calls++
    this.#waited += waited
    this.#waitedMost = Math.max(this.#waitedMost, waited)
    const now = performance.now()
    if (now - this.#since < interval) return null
    const entry = {
      step,
      time: Date.now(),
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
