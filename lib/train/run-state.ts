/** What decides how a run goes on, at one moment between two native calls: what checkpoints keep. */
import type { NativeSnapshot } from '../native.js'
import type { Callback } from './callback.js'
import type { EpochPlace } from './epoch-source.js'
import type { EpochRecord } from './history.js'

export interface RunState {
  /** Epochs that are finished. */
  readonly epoch: number
  /** Of the epoch under way: how far it is trained, and its sums. Null between epochs. */
  readonly under: { readonly place: EpochPlace; readonly totals: unknown } | null
  /** Refused updates and schedules. */
  readonly steps: unknown
  /** By name, of those that remember something. */
  readonly callbacks: Readonly<Record<string, unknown>>
  /** Of the finished epochs. */
  readonly records: readonly EpochRecord[]
  /** Why a callback has ended the run; null otherwise. */
  readonly endedBy: string | null
  readonly native: NativeSnapshot
}

/** The callbacks that remember something, by name; a second one of a name is `name#2`. Others have no part in that. */
export function namedCallbacks(callbacks: readonly Callback[]): Map<string, Callback> {
  const named = new Map<string, Callback>()
  for (const callback of callbacks.filter(({ state }) => state !== undefined)) {
    const { name = 'callback' } = callback
    let unique = name
    for (let number = 2; named.has(unique); number++) unique = `${name}#${number}`
    named.set(unique, callback)
  }
  return named
}

/** What the callbacks remember. */
export function rememberedBy(callbacks: readonly Callback[]): Record<string, unknown> {
  return Object.fromEntries([...namedCallbacks(callbacks)].map(([name, callback]) => [name, callback.state!()]))
}

/** Gives each callback back what it remembered. One that is no longer there is named in a warning. */
export async function remind(
  callbacks: readonly Callback[],
  remembered: Readonly<Record<string, unknown>>,
): Promise<void> {
  const named = namedCallbacks(callbacks)
  for (const [name, state] of Object.entries(remembered)) {
    const callback = named.get(name)
    if (callback) await callback.restore?.(state)
    else warnOfGone(name)
  }
}

function warnOfGone(name: string): void {
  const message = `The run had a callback ${name}, which is not among its callbacks any more: it goes on without`
  process.emitWarning(message, { type: 'GradusWarning', code: 'GRADUS_CALLBACK_GONE' })
}
