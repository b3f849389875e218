import { examplesOf } from '../../subset.js'
import { failed, passed, percent, type SanityCheck, undecided } from '../check.js'
import { forEachSlice, type NumberColumn } from '../context.js'

/** Training and validation share no examples: what was memorized says nothing about new data. */
export const validationOverlap: SanityCheck = {
  name: 'validationOverlap',
  needs: 'data',
  async run(context) {
    const { validation } = context.settings
    if (validation === undefined)
      return passed('none', 'no validation data', 'there are no validation data to compare with')
    const training = await rowHashes(context.inputColumns(), context.rows)
    const rowOf = new Map(Array.from(training, (hash, row) => [hash, row]))
    const held = context.inputColumns(examplesOf(validation))
    const hashes = await rowHashes(held, held[0]?.rows ?? 0)
    const shared = [...hashes.keys()].filter((row) => rowOf.has(hashes[row]!))
    if (!shared.length) return passed('none', 'none', 'training and validation share no examples')
    const actual = `${shared.length} shared examples`
    const [first] = shared as [number]
    const found = `${shared.length} of ${hashes.length} validation examples (${percent(shared.length / hashes.length)}) are in the training data too`
    const repeated = repeatedShare(training)
    const spread = Math.sqrt(repeated * (1 - repeated) * hashes.length)
    if (repeated > 0 && shared.length <= repeated * hashes.length + 3 * spread + 1) {
      const message = `cannot tell: ${found}, and ${percent(repeated)} of the training examples occur there more than once: such rows repeat by themselves, or copies were cut apart`
      return undecided('none', actual, message)
    }
    const message = `${found}: row ${first} is row ${rowOf.get(hashes[first]!)} there`
    const advice = 'take them out of one of the two; split() never puts a row into both'
    return failed('none', actual, message, advice)
  },
}

/** Of the rows, those that are there twice or more: what any part shares with the rest by chance. */
function repeatedShare(hashes: Float64Array): number {
  const sorted = hashes.slice().sort()
  let repeated = 0
  for (let i = 0; i < sorted.length; i++) if (sorted[i] === sorted[i - 1] || sorted[i] === sorted[i + 1]) repeated++
  return repeated / sorted.length
}

/** 52 bits for each row, of the numbers as the model will see them in float32. */
async function rowHashes(columns: readonly NumberColumn[], rows: number): Promise<Float64Array> {
  const hashes = new Float64Array(rows)
  for (const column of columns) {
    const { elements, scale, offset } = column
    let seen = new Float32Array(0)
    await forEachSlice(column, (values, first, count) => {
      if (seen.length < count * elements) seen = new Float32Array(count * elements)
      for (let i = 0; i < count * elements; i++) seen[i] = values[i]! * scale + offset + 0 // −0 becomes 0
      const bits = new Int32Array(seen.buffer)
      for (let row = 0; row < count; row++) {
        hashes[first + row] = hashRow(bits, row * elements, elements, hashes[first + row]!)
      }
    })
  }
  return hashes
}

function hashRow(bits: Int32Array, begin: number, count: number, seed: number): number {
  let [a, b] = [seed | 0, 0x9e3779b9 | 0]
  for (let i = begin; i < begin + count; i++) {
    a = Math.imul(a ^ bits[i]!, 0x85ebca6b)
    a ^= a >>> 13
    b = Math.imul(b + a, 0xc2b2ae35) ^ (b >>> 16)
  }
  return (a >>> 0) * 2 ** 20 + (b >>> 12)
}
