/** What a trial has come to so far. */
import { bestFirst, hasEnded, type Trial } from '../../study/index.js'

/** Its result; of one that has none the last value reported. */
export function trialValue({ last, values }: Trial): number | null {
  const recorded = last !== null && last.record.type !== 'claim' ? last.record.value : null
  return recorded ?? values.at(-1) ?? null
}

/** Epochs that are finished. */
export const epochOf = ({ epochs, last }: Trial): number =>
  Math.max(epochs.at(-1) ?? 0, last !== null && last.record.type !== 'claim' ? last.record.epoch : 0)

/** Complete ones, best first; of equal ones the earlier. */
export function rankedTrials(trials: readonly Trial[], direction: 'minimize' | 'maximize'): Trial[] {
  const complete = trials.filter(({ state }) => state === 'complete')
  const scored = complete.map((one) => ({ one, trial: one.number, value: trialValue(one)! }))
  return scored.sort(bestFirst(direction)).map(({ one }) => one)
}

/** Why it ended so; null where nothing is said. */
export const reasonOf = ({ last }: Trial): string | null => (last?.record.type === 'result' ? last.record.reason : null)

const known = new WeakMap<Trial, number | null>()

/** Seconds that were spent on it by the clocks of its workers; null where it has not ended, or they say nonsense. */
export function secondsOf(trial: Trial): number | null {
  let seconds = known.get(trial)
  if (seconds === undefined) {
    seconds = hasEnded(trial) ? secondsIn(trial) : null
    known.set(trial, seconds)
  }
  return seconds
}

function secondsIn({ changes }: Trial): number | null {
  let [seconds, from] = [0, null as string | null]
  for (const [, change] of [...changes].sort(([a], [b]) => a - b)) {
    if (change.type !== 'claim' && from !== null) seconds += (Date.parse(change.time) - Date.parse(from)) / 1000
    from = change.type === 'claim' ? change.time : null
  }
  return seconds >= 0 && Number.isFinite(seconds) ? seconds : null
}
