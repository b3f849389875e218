/** Which claims nobody keeps alive any more. */
import { isAlive, type ProcessMark } from '../processes.js'
import { readBeat } from './beats.js'
import { beatsPath } from './layout.js'

export interface LeaseOptions {
  /** Milliseconds without a beat. Default 60,000. */
  readonly lease?: number | undefined
  /** Milliseconds that never go back; whatever they count from. Default `performance.now`. */
  readonly now?: (() => number) | undefined
}

interface Watched {
  beat: string | null
  /** At the last look. */
  at: number
  /** Milliseconds without a change that were watched. */
  silent: number
}

/** A claim in a folder with its beats: of a trial, or of the master. */
export interface Held {
  readonly path: string
  readonly claim: { readonly number: number; readonly record: ProcessMark } | null
}

/** Between two looks no more counts than this part of a lease: whoever watches may have been asleep, and all others too. */
const mostOfLease = 1 / 4
/** Looks that lie closer together than this part of a lease tell nothing new. */
const leastOfLease = 1 / 500

/**
 * Tells stale claims by their beats: a counter that this judge has not seen change for a lease, by its own clock. No times are
 * compared between machines. A process of this machine that is gone is told at once.
 */
export class LeaseJudge {
  readonly #lease: number
  readonly #now: () => number
  readonly #watched = new Map<string, Watched>()

  constructor({ lease = 60_000, now = () => performance.now() }: LeaseOptions = {}) {
    this.#lease = lease
    this.#now = now
  }

  /** Looks at a claim that has not ended; a claim that is new to this judge is given a lease. */
  isStale({ path, claim }: Held): boolean {
    // Who holds it cannot be read: it is given a lease to become whole.
    if (claim === null) return this.look(path, null)
    if (isAlive(claim.record) === false) return true
    const beats = beatsPath(path, claim.number)
    const before = this.#watched.get(beats)
    if (before && this.#now() - before.at < this.#lease * leastOfLease) return before.silent >= this.#lease
    return this.look(beats, readBeat(beats))
  }

  /** Whether the counter of that name, which stands so now, has not changed for a lease. */
  look(name: string, beat: string | null): boolean {
    const at = this.#now()
    const before = this.#watched.get(name)
    if (!before || before.beat !== beat) {
      this.#watched.set(name, { beat, at, silent: 0 })
      return false
    }
    before.silent += Math.min(at - before.at, this.#lease * mostOfLease)
    before.at = at
    return before.silent >= this.#lease
  }

  /** Forgets all but these claims. */
  keep(held: readonly Held[]): void {
    const names = new Set(held.map(({ path, claim }) => (claim ? beatsPath(path, claim.number) : path)))
    for (const name of this.#watched.keys()) if (!names.has(name)) this.#watched.delete(name)
  }
}
