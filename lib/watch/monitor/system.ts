import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { SystemEntry } from '../recording/recording.js'

/** Milliseconds between looks at the delay; each wakes the thread that runs JavaScript. */
const resolution = 50
const interval = 1000

/** Once a second: how fast training goes, how free the event loop is, how much memory the process takes. */
export class SystemWatch {
  readonly #delays: IntervalHistogram
  #since = performance.now()
  #rows = 0

  constructor() {
    this.#delays = monitorEventLoopDelay({ resolution })
    this.#delays.enable()
  }

  /** An entry when it is time for one. */
  add(rows: number, step: number): SystemEntry | null {
    this.#rows += rows
    const now = performance.now()
    if (now - this.#since < interval) return null
    const entry = {
      step,
      time: Date.now(),
      samplesPerSecond: (1000 * this.#rows) / (now - this.#since),
      eventLoopDelay: this.#delay(this.#delays.mean),
      eventLoopDelayMost: this.#delay(this.#delays.max),
      memory: process.memoryUsage.rss(),
    }
    this.#since = now
    this.#rows = 0
    this.#delays.reset()
    return entry
  }

  close(): void {
    this.#delays.disable()
  }

  /** The timer's own interval is part of what it measures, in nanoseconds. NaN before it has fired. */
  #delay(nanoseconds: number): number {
    return this.#delays.count === 0 ? 0 : Math.max(0, nanoseconds / 1e6 - resolution)
  }
}
