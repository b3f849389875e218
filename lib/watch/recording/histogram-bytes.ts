/**
 * The histograms of one look as bytes. Most bins are empty and most counts small: a count takes seven bits a byte, the
 * lowest first, the high bit saying that more follow; a zero is followed by how many more zeros there are.
 */

const mostMoreZeros = 255
/** Counts beyond are written as this one. */
const largestCount = 2 ** 32 - 1
const mostBytesEach = 5

/** The bytes of counts lie in memory that the next call uses again. */
export class HistogramEncoder {
  #bytes = new Uint8Array(0)

  encode(counts: Float32Array): Uint8Array {
    const room = mostBytesEach * counts.length
    if (this.#bytes.length < room) this.#bytes = new Uint8Array(room)
    const bytes = this.#bytes
    let end = 0
    for (let i = 0; i < counts.length; i++) {
      let count = Math.min(counts[i]!, largestCount)
      for (; count >= 128; count = Math.floor(count / 128)) bytes[end++] = (count % 128) | 128
      bytes[end++] = count
      if (count > 0) continue
      const first = i
      while (i - first < mostMoreZeros && counts[i + 1] === 0) i++
      bytes[end++] = i - first
    }
    return bytes.subarray(0, end)
  }
}

/** Counts `from` to `to` of a look; null if its bytes are not what an encoder makes. */
export function decodeCounts(bytes: Uint8Array, from: number, to: number): number[] | null {
  const counts: number[] = []
  let at = 0
  for (let i = 0; i < to; ) {
    let count = 0
    let weight = 1
    for (; bytes[at]! >= 128; weight *= 128) count += (bytes[at++]! & 127) * weight
    count += bytes[at++]! * weight
    const zeros = count === 0 ? bytes[at++]! : 0
    if (at > bytes.length || count > largestCount) return null
    for (const end = i + 1 + zeros; i < end; i++) if (i >= from && i < to) counts.push(count)
  }
  return counts
}
