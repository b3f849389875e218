/** A program does one thing at a time. Calls line up here, so that a prediction during training waits for its turn. */
import type { NativePredictor } from '../native.js'
import { firstOf } from '../signals.js'
import { nextTurn } from './loop-turn.js'

const lasts = new WeakMap<NativePredictor, Promise<unknown>>()
const asked = new WeakMap<NativePredictor, number>()
const parts = new WeakMap<NativePredictor, readonly NativePredictor[]>()

/** From now on what is asked of `whole` is asked of these programs, which its calls use: those of an ensemble's members. */
export const consistsOf = (whole: NativePredictor, programs: readonly NativePredictor[]): void => {
  parts.set(whole, programs)
}

/** The programs that a call uses. */
export const partsOf = (program: NativePredictor): readonly NativePredictor[] => parts.get(program) ?? [program]

/** Whether anything that was asked of the program is not done yet. */
export const isAwaited = (program: NativePredictor): boolean => (asked.get(program) ?? 0) > 0

/** Counts the work as asked of the program, from now until it is done. */
export async function whileAwaited<T>(program: NativePredictor, work: () => T | Promise<T>): Promise<T> {
  const programs = partsOf(program)
  for (const part of programs) asked.set(part, (asked.get(part) ?? 0) + 1)
  try {
    return await work()
  } finally {
    for (const part of programs) asked.set(part, asked.get(part)! - 1)
  }
}

/**
 * Runs `work` when everything asked of the program before is done. Of several programs it stands in all lines at once, so that
 * no two calls wait for each other.
 */
export function inTurn<T>(program: NativePredictor, work: () => T | Promise<T>): Promise<T> {
  const programs = partsOf(program)
  const before = new Set(programs.map((part) => lasts.get(part)))
  const turn = whileAwaited(program, async () => {
    for (const last of before) await last
    return await work()
  })
  const done = turn.catch(() => {})
  for (const part of programs) lasts.set(part, done)
  return turn
}

/**
 * A native call in its turn. When the signal fires the call ends after the step it is in and gives what was done; when
 * it fires before the turn comes there is no call, and the result is null at once.
 */
export async function callInTurn<T>(
  program: NativePredictor,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T | null> {
  if (!signal) return inTurn(program, () => nextTurn()?.then(call) ?? call())
  let hasBegun = false
  const turn = inTurn(program, async () => {
    await nextTurn()
    if (signal.aborted) return null
    hasBegun = true
    const stop = () => program.stop()
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await call()
    } finally {
      signal.removeEventListener('abort', stop)
    }
  })
  const first = await firstOf(turn, signal)
  if (first) return first.value
  return hasBegun ? await turn : null
}
