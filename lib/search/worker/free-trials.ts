/** Trials that any worker may go on with: those that wait for no pruner. Thousands may wait, and the next is found without a look at each. */
import type { StudyReader, Trial } from '../../study/index.js'
import { OrderedNumbers } from '../../study/ordered-numbers.js'

export class FreeTrials {
  readonly #numbers = new OrderedNumbers()

  /** Told of each trial that has changed. */
  readonly see = (trial: Trial): void => {
    if (isFree(trial)) this.#numbers.add(trial.number)
    else this.#numbers.delete(trial.number)
  }

  /** The lowest one, as it was seen last; null where none is free. */
  first(reader: StudyReader): Trial | null {
    for (let number = this.#numbers.first; number !== null; number = this.#numbers.first) {
      const trial = reader.trial(number)
      if (trial) return trial
      // Somebody has removed its folder.
      this.#numbers.delete(number)
    }
    return null
  }
}

/** Whether it waits, and its parameters are known: else, like one under way, it has a lease to become whole. */
export const isWaiting = ({ state, suggestion }: Trial): boolean => state === 'paused' && suggestion !== null

const isFree = (trial: Trial): boolean => isWaiting(trial) && reasonOf(trial) !== 'pruner'

/** Why a paused one waits. */
function reasonOf({ last }: Trial): string | null {
  const record = last?.record
  const reason = record?.type === 'paused' ? record.details?.reason : null
  return typeof reason === 'string' ? reason : null
}
