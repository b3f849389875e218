/** One trial's job, at the master: what its worker tells goes into the trial, and what the trial wants goes to its worker. */
import { setTimeout } from 'node:timers/promises'
import { type ErrorCode, GradusError } from '../../errors.js'
import type { TrialValue } from '../worker/train-trial.js'
import type { Ending, TrialControl } from '../worker/trial-control.js'
import type { FileEntry, TrialProgress, TrialReport, TrialReturn } from './messages.js'

/** Of which execution a run's directory is, and how often that had sent it. */
export interface Placed {
  readonly execution: string
  readonly sendings: number
}

export interface ExchangeOptions {
  readonly control: TrialControl
  /** Of executions: one that comes after them has lost its worker too often. */
  readonly attempts: number
  /** Milliseconds that a worker has to end a trial that is to end. */
  readonly patience: number
  /** Whose run's directory lies in its place. */
  readonly placed: Placed | null
  /** Puts what has come of the run's directory into its place. */
  place(files: readonly FileEntry[], placed: Placed): Promise<void>
  /** Tells the worker up to which epoch its reports have come, and whether it is to end. */
  answer(node: string, epoch: number, ending: Ending | null): void
  /** Has the job say why it is to end, for whoever looks at it; true where nobody is at it, nor will be. */
  end(ending: Ending): Promise<boolean>
}

export class Exchange {
  readonly #options: ExchangeOptions
  readonly #result: Promise<TrialReturn['outcome']>
  #resolve!: (outcome: TrialReturn['outcome']) => void
  #reject!: (error: unknown) => void
  readonly #refused = new Set<string>()
  #execution: string | null = null
  #node: string | null = null
  #attempt = 0
  #placed: Placed | null
  #queue: Promise<unknown> = Promise.resolve()
  #isOver = false

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.#placed = options.placed
    this.#result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#result.catch(() => undefined)
    options.control.signal.addEventListener('abort', this.#onEnd)
    if (options.control.signal.aborted) this.#onEnd()
  }

  /** What came of the trial. @throws `TrialEnded` where it has ended; what its function has thrown */
  async outcome(): Promise<TrialValue> {
    try {
      const outcome = await this.#result
      const { control } = this.#options
      if (outcome.type === 'ending') control.end(outcome.ending)
      control.throwIfEnded()
      if (outcome.type === 'error') throw errorOf(outcome)
      return (outcome as Extract<typeof outcome, { type: 'value' }>).value
    } finally {
      this.#isOver = true
      this.#options.control.signal.removeEventListener('abort', this.#onEnd)
    }
  }

  /** Of a job that is under way. */
  progress(progress: TrialProgress): void {
    this.#then(async () => {
      if (this.#isCurrent(progress)) await this.#take(progress)
    })
  }

  /** Of a job that is done; whichever execution it was that the queue took it from. */
  done(returned: TrialReturn): void {
    this.#then(async () => {
      if (!this.#isCurrent(returned)) return
      await this.#take(returned)
      this.#resolve(returned.outcome)
    })
  }

  /** Whoever was at it has died, too often. */
  lost(reason: string): void {
    this.#options.control.end({ how: 'stop', state: 'lost', reason })
    this.#resolve({ type: 'ending', ending: this.#options.control.ending! })
  }

  /** What the worker says is not what a worker says. */
  fail(error: GradusError): void {
    this.#reject(error)
  }

  /** One after the other, in the order in which it came. */
  #then(work: () => Promise<void>): void {
    if (this.#isOver) return
    this.#queue = this.#queue.then(work).catch((error) => this.#reject(error))
  }

  /** Whoever began last has the job; those before it hear that they have lost it. */
  #isCurrent({ execution, attempt, node }: TrialProgress): boolean {
    if (execution === this.#execution) return true
    if (attempt < this.#attempt || this.#refused.has(execution)) {
      this.#options.answer(node, 0, { how: 'lost', reason: 'another worker has the trial' })
      return false
    }
    if (this.#execution !== null) this.#refused.add(this.#execution)
    this.#execution = execution
    this.#attempt = attempt
    this.#node = node
    if (attempt > this.#options.attempts) {
      const reason = `its worker was lost ${this.#options.attempts} times`
      this.#options.control.end({ how: 'stop', state: 'lost', reason })
    }
    return true
  }

  async #take({ reports, files, node, execution, sendings }: TrialProgress): Promise<void> {
    const { control, answer, place } = this.#options
    // The queue and the job tell the same, one of them late.
    const isOld = this.#placed?.execution === execution && sendings < this.#placed.sendings
    // Before what is reported of it: a trial that pauses after this report has its checkpoint by then.
    if (files !== null && !isOld) {
      this.#placed = { execution, sendings }
      await place(files, this.#placed)
    }
    for (const report of reports) await this.#report(report)
    if (reports.length > 0 || control.ending !== null) answer(node, control.last.epoch, control.ending)
  }

  async #report({ epoch, value, record }: TrialReport): Promise<void> {
    const { control } = this.#options
    // Told again, as the answer had not come.
    if (epoch <= control.last.epoch) return
    await control.report(value, { ...record, epoch }).catch((error) => {
      if (control.ending === null) throw error
    })
  }

  /** The worker has some time to write a checkpoint; one that is gone, or has not come yet, is not waited for. */
  readonly #onEnd = (): void => {
    const { control, answer, end, patience } = this.#options
    const ending = control.ending!
    const resolve = () => this.#resolve({ type: 'ending', ending })
    if (this.#node !== null) answer(this.#node, control.last.epoch, ending)
    void end(ending).then((isOver) => isOver && resolve())
    const time = ending.how === 'lost' ? 0 : patience
    void setTimeout(time, undefined, { ref: false }).then(resolve)
  }
}

/** As the worker has thrown it. */
function errorOf({ code, text }: { readonly code: string | null; readonly text: string }): Error {
  if (code?.startsWith('GRADUS_')) return new GradusError(code as ErrorCode, text.replace(/^GradusError: /, ''))
  const error = new Error(text)
  // It has the place in it.
  error.stack = text
  return error
}
