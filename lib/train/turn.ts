/** A program does one thing at a time. Calls line up here, so that a prediction during training waits for its turn. */
import type { NativeProgram } from '../native.js'
import { firstOf } from '../signals.js'

/** The end of the line, and how many are in it. */
interface Line {
  last: Promise<unknown>
  length: number
}

const lines = new WeakMap<NativeProgram, Line>()

/** Whether anything that was asked of the program is not done yet. */
export const isAwaited = (program: NativeProgram): boolean => (lines.get(program)?.length ?? 0) > 0

/** Runs `work` when everything asked of the program before is done. */
export function inTurn<T>(program: NativeProgram, work: () => T | Promise<T>): Promise<T> {
  const line = lines.get(program) ?? { last: Promise.resolve(), length: 0 }
  lines.set(program, line)
  line.length++
  const turn = line.last.then(work).finally(() => line.length--)
  line.last = turn.catch(() => {})
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
