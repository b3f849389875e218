/** Ask and tell: trials for who trains by himself. */
import { GradusError } from '../../errors.js'
import type { HeldTrial } from '../../study/index.js'
import { initialPath } from '../../study/layout.js'
import type { Params } from '../space/space.js'
import type { Claimed } from '../worker/run-trial.js'
import type { Search } from '../worker/search.js'

/** A trial that `ask` gave; others wait for nothing of it, but `tell` must come. */
export class AskedTrial {
  readonly number: number
  readonly params: Params
  /** The checkpoint to begin with, of a trial that goes on from another; else null. */
  readonly initial: string | null
  readonly #search: Search
  readonly #held: HeldTrial
  #epoch = 0
  #value: number | null = null

  /** @internal */
  constructor(search: Search, { held, params }: Claimed) {
    this.#search = search
    this.#held = held
    this.number = held.number
    this.params = params
    this.initial = held.record.suggestion?.parent ? initialPath(held.path) : null
  }

  /**
   * The metric after an epoch, and what the pruner makes of it: `'stop'` means that it is worse than others, and may be told of
   * as pruned.
   *
   * @param epoch - default: the next
   */
  async report(value: number, epoch = this.#epoch + 1): Promise<'continue' | 'stop'> {
    await this.#held.report(epoch, value)
    this.#epoch = epoch
    this.#value = value
    const { pruner } = this.#search.definition
    if (pruner === null) return 'continue'
    await this.#search.refresh(this.number)
    return pruner.afterReport(this.#search.reports, this.number) === 'continue' ? 'continue' : 'stop'
  }

  /**
   * Records the result: the metric, or how the trial ended without one. What is not finite has exploded.
   *
   * @throws `GRADUS_STALE_LEASE` when another process has taken the trial over; `GRADUS_INVALID_ARGUMENT`
   */
  async tell(
    result: number | { readonly state: 'pruned' | 'failed' | 'exploded'; readonly reason?: string },
  ): Promise<void> {
    const common = { epoch: this.#epoch, details: null }
    if (typeof result === 'number') {
      const isSound = Number.isFinite(result)
      const reason = isSound ? null : `its value is ${result}`
      return await this.#held.finish({ ...common, state: isSound ? 'complete' : 'exploded', value: result, reason })
    }
    if (!['pruned', 'failed', 'exploded'].includes(result?.state)) {
      const message = "tell: expected a number, or a state of 'pruned', 'failed' and 'exploded'"
      throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'tell' })
    }
    const { state, reason = null } = result
    await this.#held.finish({ ...common, state, value: this.#value, reason })
  }
}
