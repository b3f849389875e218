import type { EpochRecord, History } from './history.js'
import type { Finding } from './watching.js'

/** What a {@link Run} shows of the training behind it. */
interface Training {
  readonly history: History
  diagnose(): Finding[]
  stop(reason?: string): void
  run(report: (record: EpochRecord) => void): Promise<History>
}

/**
 * A training run under way, made by `fit`. It goes on whether or not anybody looks. Iterating gives each epoch's
 * record, from the first, and then throws the run's error if it had one; leaving the loop early does not stop the run.
 *
 * @example
 * const run = model.fit({ x, y }, { epochs: 10 })
 * for await (const epoch of run) console.log(epoch.loss)
 * const history = await run.done
 */
export class Run implements AsyncIterable<EpochRecord> {
  readonly #training: Training
  readonly #records: EpochRecord[] = []
  readonly #done: Promise<History>
  #ended = false
  #observed = false
  #waiting: (() => void)[] = []

  /** @internal */
  constructor(training: Training) {
    this.#training = training
    this.#done = training.run((record) => {
      this.#records.push(record)
      this.#wake()
    })
    const end = () => {
      this.#ended = true
      this.#wake()
    }
    // An error counts as handled once somebody iterates or takes `done`; one that nobody could see is not swallowed.
    this.#done.then(end, (error) => {
      end()
      if (!this.#observed) void Promise.reject(error)
    })
  }

  /** Resolves with the history when the run has ended, rejects with its error (an abort's is the signal's reason). */
  get done(): Promise<History> {
    this.#observed = true
    return this.#done
  }

  /** The epochs finished so far, by columns. */
  get history(): History {
    return this.#training.history
  }

  /**
   * What the run so far says about itself: findings in words, most severe first, a single `healthy` one when there is
   * nothing to report. Looks at what `monitor()` has recorded, or without it at the epochs alone. At any time, also while
   * training goes on.
   */
  diagnose(): Finding[] {
    return this.#training.diagnose()
  }

  /**
   * Ends the run after the step it is in; `done` resolves. An epoch cut short leaves no record.
   *
   * @param reason what `history.stoppedBy` will be
   */
  stop(reason = 'stop'): void {
    this.#training.stop(reason)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EpochRecord, void> {
    this.#observed = true
    for (let i = 0; ; i++) {
      while (i >= this.#records.length && !this.#ended) {
        await new Promise<void>((resolve) => this.#waiting.push(resolve))
      }
      const record = this.#records[i]
      if (!record) break
      yield record
    }
    await this.#done
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
