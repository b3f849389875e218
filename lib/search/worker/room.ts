/** A disk that is full costs time, not the search. */
import { setTimeout } from 'node:timers/promises'
import { isFull } from '../../files.js'

/** Milliseconds from try to try, at first and at most. */
const [shortest, longest] = [100, 2000]

let hasWarned = false

/** Does it when there is room for it, however long that takes. @throws what else it throws; where the signal has fired also this */
export async function whenThereIsRoom<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  for (let delay = shortest; ; delay = Math.min(2 * delay, longest)) {
    try {
      return await work()
    } catch (error) {
      if (!isFull(error) || (signal.aborted && delay === longest)) throw error
      warn(error as Error)
      await setTimeout(delay)
    }
  }
}

function warn({ message }: Error): void {
  if (hasWarned) return
  hasWarned = true
  const sentence = `${message}. The search waits until there is room`
  process.emitWarning(sentence, { type: 'GradusWarning', code: 'GRADUS_NOT_SAVED' })
}
