/** A trial under way: what it reports, and when and why it is to end. */
import { GradusError } from '../../errors.js'
import type { EndState, JsonObject } from '../../study/index.js'
import { TrialEnded } from '../definition/trial-function.js'
import type { Decision } from '../pruners/pruner.js'

/** Why a trial ends before its function does. */
export type Ending =
  | { readonly how: 'pause'; readonly reason: 'pruner' | 'interrupted' }
  | { readonly how: 'stop'; readonly state: Exclude<EndState, 'complete'>; readonly reason: string }
  | { readonly how: 'lost'; readonly reason: string }

/** To whom a trial reports, and who may want it to end: a folder here, or a master far away. */
export interface TrialHolder {
  /** @throws `GRADUS_BAD_FILE` when it cannot be kept */
  report(epoch: number, value: number, record: JsonObject): Promise<void>
  /** Why it is to end; null as long as nobody wants it to. */
  ending(): Promise<Ending | null>
  /** Calls `onChange` when that may have changed, as far as it is told of it. @returns ends it */
  watch(onChange: () => void): () => void
}

export interface ControlOptions {
  /** Of a whole trial; null where there are none. */
  readonly epochs: number | null
  /** What the pruner makes of the last report; asked when it lies in its file. */
  decide(epoch: number): Promise<Decision>
  /** Told of each report. */
  onReport?(epoch: number, value: number): void
}

/** Milliseconds between two looks whether somebody wants the trial to end, or has taken it, where the system does not tell. */
const lookEvery = 500

export class TrialControl {
  readonly #holder: TrialHolder
  readonly #options: ControlOptions
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #unwatch: () => void
  #ending: Ending | null = null
  #epoch: number
  #value: number | null
  #warned = false
  #queue: Promise<unknown> = Promise.resolve()

  /** @param before what it has reported so far */
  constructor(holder: TrialHolder, before: { epoch: number; value: number | null }, options: ControlOptions) {
    this.#holder = holder
    this.#options = options
    this.#epoch = before.epoch
    this.#value = before.value
    const look = () => void this.look().catch(() => undefined)
    this.#unwatch = holder.watch(look)
    this.#timer = setInterval(look, lookEvery)
    this.#timer.unref()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Why it ends; null as long as nobody wants it to. */
  get ending(): Ending | null {
    return this.#ending
  }

  /** Of the last report, or of none. */
  get last(): { readonly epoch: number; readonly value: number | null } {
    return { epoch: this.#epoch, value: this.#value }
  }

  /** The first reason counts, but for another worker: then there is nothing left to record. */
  end(ending: Ending): void {
    if (this.#ending === null || ending.how === 'lost') this.#ending = ending
    this.#controller.abort(new TrialEnded(ending.how, `the trial ends now: ${ending.reason}`))
  }

  /** @throws {@link TrialEnded} */
  throwIfEnded(): void {
    this.signal.throwIfAborted()
  }

  /** Whether it is still ours, and whether somebody wants it to end. */
  async look(): Promise<void> {
    if (this.signal.aborted) return
    const ending = await this.#holder.ending()
    if (ending !== null) this.end(ending)
  }

  /** @throws {@link TrialEnded}; `GRADUS_INVALID_ARGUMENT` for an epoch out of order, or what is no number */
  report(value: unknown, { epoch = this.#epoch + 1, ...record }: { epoch?: number | undefined } = {}): Promise<void> {
    // One after the other, also from who does not wait.
    const reported = this.#queue.then(() => this.#report(value, epoch, record))
    this.#queue = reported.catch(() => undefined)
    return reported
  }

  async #report(value: unknown, epoch: number, record: Readonly<Record<string, unknown>>): Promise<void> {
    // The checkpoint of one that pauses has this epoch: then its curve needs it too.
    if (this.#ending?.how !== 'pause') this.throwIfEnded()
    if (typeof value !== 'number')
      throw new GradusError('GRADUS_INVALID_ARGUMENT', `report: expected a number, received ${typeof value}`)
    await this.#write(epoch, value, numbersOf(record))
    this.#epoch = epoch
    this.#value = value
    this.#options.onReport?.(epoch, value)
    if (!Number.isFinite(value)) {
      this.end({ how: 'stop', state: 'exploded', reason: `the value after epoch ${epoch} is ${value}` })
    }
    await this.look()
    this.throwIfEnded()
    if (epoch < (this.#options.epochs ?? Number.POSITIVE_INFINITY)) await this.#judge(epoch)
    this.throwIfEnded()
  }

  async #judge(epoch: number): Promise<void> {
    const decision = await this.#options.decide(epoch)
    if (decision === 'pause') this.end({ how: 'pause', reason: 'pruner' })
    if (decision === 'stop')
      this.end({ how: 'stop', state: 'pruned', reason: `worse than others after epoch ${epoch}` })
  }

  /** A report that the disk does not take costs the report, with one warning, not the trial. */
  async #write(epoch: number, value: number, record: JsonObject): Promise<void> {
    try {
      await this.#holder.report(epoch, value, record)
    } catch (error) {
      if (!(error instanceof GradusError) || error.code !== 'GRADUS_BAD_FILE') throw error
      if (!this.#warned) process.emitWarning(error.message, { type: 'GradusWarning', code: 'GRADUS_NOT_SAVED' })
      this.#warned = true
    }
  }

  /** It has ended, whatever its function still does. */
  close(): void {
    clearInterval(this.#timer)
    this.#unwatch()
  }
}

/** The numbers of an epoch's record that JSON can hold. */
function numbersOf(record: Readonly<Record<string, unknown>>): JsonObject {
  const numbers = Object.entries(record).filter(([, value]) => typeof value === 'number' && Number.isFinite(value))
  return Object.fromEntries(numbers) as JsonObject
}
