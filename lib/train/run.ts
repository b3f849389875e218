import { inspect } from 'node:util'
import { GradusError } from '../errors.js'
import type { Finding } from './extensions.js'
import type { AnyValues, EpochRecord, History } from './history.js'

/** What a {@link Run} shows of the training behind it. */
interface Training {
  readonly history: History
  readonly best: EpochRecord | null
  readonly dir: string | null
  diagnose(): Finding[]
  stop(reason?: string): void
  run(report: (record: EpochRecord) => void): Promise<History>
}

/**
 * A training run under way, made by `fit`. It goes on whether or not anybody looks.
 *
 * Awaiting it gives the history when the run has ended, or throws its error; an abort's is the signal's reason. Iterating
 * gives each epoch's record, from the first, and then throws the run's error if it had one. Leaving the loop early, by
 * `break`, `return` or an error, stops the run after the step it is in.
 *
 * A run that an async function returns is awaited on its way, as every promise is: whoever calls the function gets the
 * history. Return `{ run }` to hand out the run itself.
 *
 * @example
 * const history = await model.fit({ x, y }, { epochs: 10 })
 * @example
 * const run = model.fit({ x, y }, { epochs: 100 })
 * for await (const epoch of run) if (epoch.loss < 0.1) break
 */
export class Run<Values extends object = AnyValues>
  implements AsyncIterable<EpochRecord<Values>>, PromiseLike<History<Values>>
{
  readonly #training: Training
  readonly #records: EpochRecord<Values>[] = []
  readonly #ended: Promise<History<Values>>
  #hasEnded = false
  #done: Promise<History<Values>> | null = null
  /** Loops that are not left: they get the run's error. */
  #loops = 0
  #waiting: (() => void)[] = []

  /** @internal */
  constructor(training: Training) {
    this.#training = training
    this.#ended = training.run((record) => {
      this.#records.push(record as EpochRecord<Values>)
      this.#wake()
    }) as Promise<History<Values>>
    const end = () => {
      this.#hasEnded = true
      this.#wake()
    }
    this.#ended.then(end, (error) => {
      // An error that nobody waits for is not swallowed: Node.js ends the process with it.
      if (!this.isAwaited) void Promise.reject(error)
      end()
    })
  }

  /** @internal Whether anybody gets its error. */
  get isAwaited(): boolean {
    return this.#done !== null || this.#loops > 0
  }

  /** The run as a promise: resolves with the history when the run has ended, rejects with its error. */
  get done(): Promise<History<Values>> {
    // One of its own, so that Node.js sees whether anybody listens.
    this.#done ??= this.#ended.then((history) => history)
    return this.#done
  }

  // biome-ignore lint/suspicious/noThenProperty: a run is there to be awaited
  then<Kept = History<Values>, Handled = never>(
    onHistory?: ((history: History<Values>) => Kept | PromiseLike<Kept>) | null,
    onError?: ((error: unknown) => Handled | PromiseLike<Handled>) | null,
  ): Promise<Kept | Handled> {
    return this.done.then(onHistory, onError)
  }

  /** The epochs finished so far, by columns. */
  get history(): History<Values> {
    return this.#training.history as History<Values>
  }

  /**
   * The record of the best epoch so far: the one with the lowest `valLoss`, without validation the lowest `loss`; null
   * before the first.
   */
  get best(): EpochRecord<Values> | null {
    return this.#training.best as EpochRecord<Values> | null
  }

  /** The run directory; null without one, and before it is made, which is before the first step. */
  get dir(): string | null {
    return this.#training.dir
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
   * Ends the run after the step or the batch it is in; `done` resolves. An epoch whose training is cut short leaves no record;
   * one whose validation is, a record without its columns.
   *
   * @param reason what `history.stoppedBy` will be
   */
  stop(reason = 'stop'): void {
    this.#training.stop(reason)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EpochRecord<Values>, void> {
    this.#loops++
    let hasSeenAll = false
    try {
      for (let i = 0; ; i++) {
        while (i >= this.#records.length && !this.#hasEnded) {
          await new Promise<void>((resolve) => this.#waiting.push(resolve))
        }
        const record = this.#records[i]
        if (!record) break
        yield record
      }
      hasSeenAll = true
      await this.#ended
    } finally {
      if (!hasSeenAll) {
        this.stop('break')
        await this.#ended
      }
      this.#loops--
    }
  }

  /** `Run(3 epochs, loss 0.1234, valLoss 0.2345, training)`. */
  toString(): string {
    const { epochs, stoppedBy } = this.history
    const last = this.#records.at(-1) as EpochRecord | undefined
    const losses = (['loss', 'valLoss'] as const).flatMap((name) => {
      const value = last?.[name]
      return value === undefined ? [] : `${name} ${String(Number(value.toPrecision(4)))}`
    })
    const state = stoppedBy === null ? 'training' : `ended by ${stoppedBy}`
    return `Run(${[`${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`, ...losses, state].join(', ')})`
  }

  [inspect.custom](): string {
    return this.toString()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

/** Whoever forgets to await a run looks for the columns of its history here. */
for (const column of ['loss', 'valLoss', 'accuracy', 'valAccuracy']) {
  Object.defineProperty(Run.prototype, column, {
    get() {
      const message = `${column}: expected a history, received a run: await it, as in const history = await model.fit(…)`
      throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
    },
  })
}
