/**
 * Small native calls are done at once, and whoever awaits one after the other never gives the event loop its turn: timers,
 * sockets and signals would wait for all of them.
 */
import { setImmediate } from 'node:timers'

/** Milliseconds of such calls before the event loop has its turn. */
const stretch = 1

let begin: number | undefined

/** Undefined as long as this turn of the event loop has not lasted too long; otherwise a promise of the next. */
export function nextTurn(): Promise<void> | undefined {
  if (begin === undefined) {
    begin = performance.now()
    setImmediate(() => {
      begin = undefined
    })
    return undefined
  }
  return performance.now() - begin < stretch ? undefined : new Promise((resolve) => setImmediate(resolve))
}
