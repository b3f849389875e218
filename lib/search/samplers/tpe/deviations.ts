/** How wide kernels are. */

/** Buckets for each number: most have none or one. */
const bucketsEach = 2
let starts = new Uint32Array(0)
let order = new Uint32Array(0)

/**
 * The deviation of a kernel at each of the first `count` units, and of one over everything at the end, 1. It is the distance to
 * the further of the two neighbours; the outermost have only one. Never more than the range, and never less than a hundredth of
 * it, or than its share if that many kernels lay evenly.
 */
export function deviationsOf(units: Float64Array, count: number, deviations: Float64Array): void {
  deviations[count] = 1
  const least = 1 / Math.min(100, count + 2)
  sortPlaces(units, count)
  // Of one alone the ends are its neighbours.
  let before = count === 1 ? Math.max(units[0]!, 1 - units[0]!) : 0
  for (let i = 0; i < count; i++) {
    const place = order[i]!
    const after = i + 1 < count ? units[order[i + 1]!]! - units[place]! : 0
    deviations[place] = Math.max(least, before, after)
    before = after
  }
}

/** `order`: places of numbers between 0 and 1, small ones first, equal ones as they come: by buckets, and what is out of order
 * moved down. */
function sortPlaces(units: Float64Array, count: number): void {
  const buckets = bucketsEach * count
  if (order.length < count) [order, starts] = [new Uint32Array(2 * count), new Uint32Array(2 * buckets + 1)]
  starts.fill(0, 0, buckets + 1)
  const last = buckets - 1
  for (let i = 0; i < count; i++) starts[Math.min(last, (units[i]! * buckets) | 0) + 1]!++
  for (let i = 0; i < buckets; i++) starts[i + 1]! += starts[i]!
  for (let i = 0; i < count; i++) order[starts[Math.min(last, (units[i]! * buckets) | 0)]!++] = i
  for (let i = 1; i < count; i++) {
    const moving = order[i]!
    const unit = units[moving]!
    let to = i
    for (; to > 0 && units[order[to - 1]!]! > unit; to--) order[to] = order[to - 1]!
    order[to] = moving
  }
}
