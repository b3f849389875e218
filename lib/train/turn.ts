/** A program does one thing at a time. Calls line up here, so that a prediction during training waits for its turn. */
import type { NativePredictor } from '../native.js'
import { firstOf } from '../signals.js'
import { nextTurn } from './loop-turn.js'

/** What was asked of one program. */
interface Line {
  last: Promise<unknown> | undefined
  /** Calls that are not done yet. */
  asked: number
}

const lines = new WeakMap<NativePredictor, readonly Line[]>()
const parts = new WeakMap<NativePredictor, readonly NativePredictor[]>()

/** Of all programs that a call uses. */
function linesOf(program: NativePredictor): readonly Line[] {
  const known = lines.get(program)
  if (known) return known
  const made = [{ last: undefined, asked: 0 }]
  lines.set(program, made)
  return made
}

/** From now on what is asked of `whole` is asked of these programs, which its calls use: those of an ensemble's members. */
export const consistsOf = (whole: NativePredictor, programs: readonly NativePredictor[]): void => {
  parts.set(whole, programs)
  lines.set(whole, programs.flatMap(linesOf))
}

/** The programs that a call uses. */
export const partsOf = (program: NativePredictor): readonly NativePredictor[] => parts.get(program) ?? [program]

/** Whether anything that was asked of the program is not done yet. */
export const isAwaited = (program: NativePredictor): boolean => linesOf(program).some(({ asked }) => asked > 0)

/** Counts the work as asked of the program, from now until it is done. */
export async function whileAwaited<T>(program: NativePredictor, work: () => T | Promise<T>): Promise<T> {
  const asked = linesOf(program)
  for (const line of asked) line.asked++
  try {
    return await work()
  } finally {
    for (const line of asked) line.asked--
  }
}

/**
 * Runs `work` when everything asked of the program before is done. Of several programs it stands in all lines at once, so that
 * no two calls wait for each other.
 */
export function inTurn<T>(program: NativePredictor, work: () => T | Promise<T>): Promise<T> {
  const joined = linesOf(program)
  const before = new Set(joined.map(({ last }) => last))
  const turn = whileAwaited(program, async () => {
    for (const last of before) await last
    return await work()
  })
  const done = turn.catch(() => {})
  for (const line of joined) line.last = done
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
