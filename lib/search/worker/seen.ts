/** A study's trials as samplers and pruners see them. */
import type { Trial } from '../../study/index.js'
import type { TrialSeen } from '../samplers/sampler.js'

/** The same object for the same trial: what samplers have found out of it stays. */
const known = new WeakMap<Trial, TrialSeen | null>()

/** Null of a lost one, of one that was stopped before it had a value, and of one whose parameters cannot be read. */
export function seenOf(trial: Trial): TrialSeen | null {
  const before = known.get(trial)
  if (before !== undefined) return before
  const seen = look(trial)
  known.set(trial, seen)
  return seen
}

function look({ number, state, suggestion, last, values: reports }: Trial): TrialSeen | null {
  if (suggestion === null || state === 'lost') return null
  const common = { number, params: suggestion.params, reports }
  if (state === 'running' || state === 'paused') return { ...common, state, value: null }
  if (state === 'unfinished') return { ...common, state: 'running', value: null }
  const value = last?.record.type === 'result' ? last.record.value : null
  if (state !== 'stopped') return { ...common, state, value }
  // A person ended it: as good as it was by then.
  return value === null && reports.length === 0 ? null : { ...common, state: 'pruned', value }
}

/** A trial that counts as one without a result yet, whatever is known. */
export const asPending = ({ number, params }: TrialSeen): TrialSeen => ({
  number,
  params,
  state: 'running',
  value: null,
  reports: [],
})
