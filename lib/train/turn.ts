/** A program does one thing at a time. Calls line up here, so that a prediction during training waits for its turn. */
import type { NativeProgram } from '../native.js'

const lasts = new WeakMap<NativeProgram, Promise<unknown>>()

/** Runs `work` when everything asked of the program before is done. */
export function inTurn<T>(program: NativeProgram, work: () => T | Promise<T>): Promise<T> {
  const turn = (lasts.get(program) ?? Promise.resolve()).then(work)
  lasts.set(
    program,
    turn.catch(() => {}),
  )
  return turn
}

/**
 * A native call in its turn. When the signal fires the call ends after the step it is in and gives what was done; when
 * it has fired before the turn comes there is no call, and the result is null.
 */
export function callInTurn<T>(
  program: NativeProgram,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T | null> {
  return inTurn(program, async () => {
    if (signal?.aborted) return null
    const stop = () => program.stop()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await call()
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  })
}
