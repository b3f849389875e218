/** Long work in short stretches, with the event loop free between them. */
import { setImmediate as nextTick } from 'node:timers/promises'

/** Bytes, or numbers of some work each, in one go: well below a millisecond to a few of them. */
export const sliceBytes = 1 << 20
export const sliceNumbers = 1 << 17

/** Calls `work` with 0 … length in stretches of `size`. */
export async function inSlices(
  length: number,
  size: number,
  work: (first: number, end: number) => void,
): Promise<void> {
  for (let first = 0; first < length; first += size) {
    if (first > 0) await nextTick()
    work(first, Math.min(first + size, length))
  }
}
