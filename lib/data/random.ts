/**
 * Counter-based random numbers, Philox 4×32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011):
 * the value is a function of the key and the counter alone, so the same seed gives the same order everywhere.
 */
const multiplier0 = 0xd2511f53
const multiplier1 = 0xcd9e8d57
const weyl0 = 0x9e3779b9
const weyl1 = 0xbb67ae85

/** The upper 32 bits of a product of two unsigned 32-bit numbers; all of it is arithmetic of 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0
  const cross = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (cross >>> 16)) | 0
}

/** Four unsigned 32-bit numbers for a 64-bit key and a 128-bit counter, both as 32-bit words, lowest first. */
export function philox(
  key: readonly [number, number],
  counter: readonly [number, number, number, number],
): [number, number, number, number] {
  const words = new Uint32Array(4)
  philoxInto(words, key, ...counter)
  return [words[0]!, words[1]!, words[2]!, words[3]!]
}

/** The same, into an array. */
export function philoxInto(
  words: Uint32Array,
  key: readonly [number, number],
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
): void {
  let [k0, k1] = [key[0] | 0, key[1] | 0]
  let [c0, c1, c2, c3] = [counter0 | 0, counter1 | 0, counter2 | 0, counter3 | 0]
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(multiplier0, c0)
    const high1 = multiplyHigh(multiplier1, c2)
    const low0 = Math.imul(multiplier0, c0)
    const low1 = Math.imul(multiplier1, c2)
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + weyl0) | 0
    k1 = (k1 + weyl1) | 0
  }
  words[0] = c0
  words[1] = c1
  words[2] = c2
  words[3] = c3
}

/** The numbers 0 … count − 1 in an order that depends on `seed` (0 to 2⁵³ − 1) alone; Fisher and Yates's shuffle. */
export function permutation(count: number, seed: number): Uint32Array {
  const key: [number, number] = [seed >>> 0, Math.floor(seed / 0x100000000) >>> 0]
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const word = philox(key, [i, 0, 0, 0])[0]
    const j = Math.floor((word / 0x100000000) * (i + 1))
    const kept = order[i] as number
    order[i] = order[j] as number
    order[j] = kept
  }
  return order
}
