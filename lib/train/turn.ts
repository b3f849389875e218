/** A program does one thing at a time. Calls line up here, so that a prediction during training waits for its turn. */
import type { NativeProgram } from '../native.js'
import { firstOf } from '../signals.js'

const lasts = new WeakMap<NativeProgram, Promise<unknown>>()
const asked = new WeakMap<NativeProgram, number>()

/** Whether anything that was asked of the program is not done yet. */
export const isAwaited = (program: NativeProgram): boolean => (asked.get(program) ?? 0) > 0

/** Counts the work as asked of the program, from now until it is done. */
export async function whileAwaited<T>(program: NativeProgram, work: () => T | Promise<T>): Promise<T> {
  asked.set(program, (asked.get(program) ?? 0) + 1)
  try {
    return await work()
  } finally {
    asked.set(program, asked.get(program)! - 1)
  }
}

/** Runs `work` when everything asked of the program before is done. */
export function inTurn<T>(program: NativeProgram, work: () => T | Promise<T>): Promise<T> {
  const turn = whileAwaited(program, async () => {
    await lasts.get(program)
    return await work()
  })
  lasts.set(
    program,
    turn.catch(() => {}),
  )
  return turn
}

/**
 * A native call in its turn. When the signal fires the call ends after the step it is in and gives what was done; when
 * it fires before the turn comes there is no call, and the result is null at once.
 */
export async function callInTurn<T>(
  program: NativeProgram,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T | null> {
  let hasBegun = false
  const turn = inTurn(program, async () => {
    if (signal?.aborted) return null
    hasBegun = true
    const stop = () => program.stop()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await call()
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  })
  const first = await firstOf(turn, signal)
  if (first) return first.value
  return hasBegun ? await turn : null
}
