/** Memory of one suggestion: arrays that are made anew take longer to be made, and collected, than what is done with them. */

let all = new Float64Array(1 << 14)
let taken = 0

/** What stands in it is of no use. It is free again at the next suggestion. */
export function take(length: number): Float64Array {
  if (taken + length > all.length) {
    all = new Float64Array(2 * Math.max(length, all.length))
    taken = 0
  }
  taken += length
  return all.subarray(taken - length, taken)
}

/** When a suggestion begins: whatever was taken before is free. */
export function freeAll(): void {
  taken = 0
}
