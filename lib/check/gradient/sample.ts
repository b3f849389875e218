/** Which elements of a tensor are checked. */
import { philox } from '../../data/random.js'
import type { FloatArray } from '../../native.js'

/**
 * `count` elements in ascending order: the tenth with the largest gradients, the tenth with the smallest, at least one
 * each, and others at random; all when there are no more.
 */
export function sampleElements(gradient: FloatArray, count: number, seed: number, stream: number): number[] {
  const { length } = gradient
  if (count >= length) return Array.from({ length }, (_, i) => i)
  const share = Math.max(1, Math.floor(count / 10))
  const chosen = new Set(extremes(gradient, Math.min(share, count)))
  const key: [number, number] = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]
  for (let draw = 0; chosen.size < count; draw++) {
    chosen.add(Math.floor((philox(key, [draw, 0, stream, 0])[0] / 2 ** 32) * length))
  }
  return [...chosen].sort((a, b) => a - b)
}

/** The elements of the largest and of the smallest magnitude, `share` each; the largest first. */
export function extremes(gradient: FloatArray, share: number): number[] {
  const largest: number[] = []
  const smallest: number[] = []
  const size = (i: number) => Math.abs(gradient[i]!)
  for (let i = 0; i < gradient.length; i++) {
    insert(largest, i, share, (a, b) => size(a) > size(b))
    insert(smallest, i, share, (a, b) => size(a) < size(b))
  }
  return [...largest, ...smallest]
}

/** Keeps the `share` foremost elements in order. */
function insert(list: number[], element: number, share: number, before: (a: number, b: number) => boolean): void {
  if (list.length === share && !before(element, list[share - 1]!)) return
  const at = list.findIndex((other) => before(element, other))
  list.splice(at < 0 ? list.length : at, 0, element)
  if (list.length > share) list.pop()
}
