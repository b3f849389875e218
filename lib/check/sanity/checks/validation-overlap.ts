import { examplesOf } from '../../subset.js'
import { type Finding, failed, passed, percent, type SanityCheck, undecided } from '../check.js'
import { type Context, forEachSlice, type NumberColumn } from '../context.js'
import { windowOverlap } from './window-overlap.js'

/** Training and validation share no examples, nor stretches of a series: what was memorized says nothing about new data. */
export const validationOverlap: SanityCheck = {
  name: 'validationOverlap',
  needs: 'data',
  async run(context) {
    const { validation } = context.settings
    if (validation === undefined)
      return passed('none', 'no validation data', 'there are no validation data to compare with')
    const held = context.inputColumns(examplesOf(validation))
    const cut = await overlapOfWindows(context, held)
    if (cut) return cut
    const training = await rowHashes(context.inputColumns(), context.rows)
    const rowOf = new Map(Array.from(training, (hash, row) => [hash, row]))
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

/** More of the windows than that go on in training windows: they were dealt out at random. */
const mostWindows = 0.25

async function overlapOfWindows(context: Context, held: readonly NumberColumn[]): Promise<Finding | null> {
  const shapes = context.model.inputs.filter(({ kind }) => kind === 'real').map(({ shape }) => shape)
  const training = context.inputColumns()
  for (const [i, shape] of shapes.entries()) {
    const overlap = await windowOverlap(training[i]!, held[i]!, shape)
    if (!overlap || overlap.found <= mostWindows * overlap.probes) continue
    const { found, probes, row, trainingRow } = overlap
    const message = `of ${probes} validation windows ${found} (${percent(found / probes)}) go on in training windows: the end of row ${row} lies further to the front in row ${trainingRow} there, with what comes next after it`
    const advice =
      'cut the series in time: split(windows, { shuffle: false, gap }), or split the series before window() cuts it'
    return failed('none', `${found} overlapping windows`, message, advice)
  }
  return null
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
    const { elements, scales, offsets } = column
    let seen = new Float32Array(0)
    await forEachSlice(column, (values, first, count) => {
      if (seen.length < count * elements) seen = new Float32Array(count * elements)
      for (let row = 0, i = 0; row < count; row++) {
        for (let j = 0; j < elements; j++, i++) seen[i] = values[i]! * scales[j]! + offsets[j]! + 0 // −0 becomes 0
      }
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
