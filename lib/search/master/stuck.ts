/** Trials that have not told anything for long. */
import type { Trial } from '../../study/index.js'
import { epochOf, secondsOf } from '../display/result.js'

/** Seconds; below it no trial counts as stuck. */
const least = 600
/** Times the median time of an epoch. */
const factor = 10

interface Heard {
  readonly claim: number
  readonly epoch: number
  readonly at: number
}

/** By its own clock, from when it has first seen what a trial told last. */
export class StuckTrials {
  readonly #now: () => number
  readonly #heard = new Map<number, Heard>()
  #trials: readonly Trial[] = []

  /** @param now milliseconds that never go back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  look(trials: readonly Trial[]): void {
    const at = this.#now()
    const running = trials.filter(({ state }) => state === 'running')
    for (const { number, claim, epochs } of running) {
      const [heard, now] = [this.#heard.get(number), { claim: claim?.number ?? 0, epoch: epochs.at(-1) ?? 0, at }]
      if (heard?.claim !== now.claim || heard.epoch !== now.epoch) this.#heard.set(number, now)
    }
    const numbers = new Set(running.map(({ number }) => number))
    for (const number of this.#heard.keys()) if (!numbers.has(number)) this.#heard.delete(number)
    this.#trials = trials
  }

  /** Seconds without a report. */
  silence({ number }: Trial): number {
    const heard = this.#heard.get(number)
    return heard ? (this.#now() - heard.at) / 1000 : 0
  }

  isStuck(trial: Trial): boolean {
    const silence = this.silence(trial)
    return silence >= least && silence >= factor * this.#secondsOfEpoch()
  }

  /** The median; found out for who is silent for long only, as there may be thousands of trials. */
  #secondsOfEpoch(): number {
    const times = this.#trials.flatMap((trial) =>
      epochOf(trial) > 0 ? (secondsOf(trial) ?? Number.NaN) / epochOf(trial) : [],
    )
    const known = times.filter((time) => !Number.isNaN(time)).sort((a, b) => a - b)
    return known[Math.floor(known.length / 2)] ?? 0
  }
}
