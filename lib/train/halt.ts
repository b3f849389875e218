/** The longest time that a timer takes, in seconds: 24 days. */
export const longestSeconds = 2_147_483

/** What ends a run before its last epoch: `stop`, the time that it may take, or the user's signal. */
export class Halt {
  readonly #controller = new AbortController()
  readonly #user: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout | undefined
  readonly #onAbort = () => this.#controller.abort(this.#user?.reason)
  #stoppedBy: string | null = null
  #endedBy: string | null = null

  constructor({ signal, maxSeconds }: { signal?: AbortSignal | undefined; maxSeconds?: number | undefined }) {
    this.#user = signal
    // Not AbortSignal.any: what it makes stays with the user's signal for as long as that lives (nodejs/node#54614).
    if (signal?.aborted) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (maxSeconds !== undefined) this.#timer = setTimeout(() => this.stop('maxSeconds'), 1000 * maxSeconds)
  }

  /** Fires when the step or batch at work is to be the last. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Why the run is to end; null while it is not. */
  get stoppedBy(): string | null {
    return this.#stoppedBy
  }

  /** Why a callback has ended the run, which is then complete: what others stop can go on. */
  get endedBy(): string | null {
    return this.#endedBy
  }

  get isAborted(): boolean {
    return this.#user?.aborted ?? false
  }

  /** Ends the run after this epoch, as a callback wishes. The first reason given counts. */
  end(reason: string): void {
    this.#endedBy ??= reason
    this.#stoppedBy ??= reason
  }

  /** Ends the run after this step or batch. */
  stop(reason: string): void {
    this.#stoppedBy ??= reason
    this.#controller.abort()
  }

  /** Whether this is only what the signal of a stop has thrown. */
  isStop(error: unknown): boolean {
    return !this.isAborted && this.signal.aborted && error === this.signal.reason
  }

  /** Whatever listens for the user and the time goes. */
  close(): void {
    clearTimeout(this.#timer)
    this.#user?.removeEventListener('abort', this.#onAbort)
  }
}
