/** Windows cut from one series and then dealt out at random: training knows what comes after those held out. */
import { forEachSlice, type NumberColumn } from '../context.js'

/** Rows of validation that are looked for, and numbers of training that they are looked for in. */
const [mostProbes, mostNumbers] = [200, 2 ** 24]
/** Steps of the shortest windows that tell, rows that tell, and bits that the end of one must have not to recur by chance. */
const [fewestSteps, fewestProbes, fewestBits] = [8, 4, 40]

export interface WindowOverlap {
  /** Rows that were looked for, and those of them that were found. */
  readonly probes: number
  readonly found: number
  /** One that was found: its row, and that of the training window which goes on from it. */
  readonly row: number
  readonly trainingRow: number
}

interface Probe {
  readonly row: number
  readonly end: Float32Array
  trainingRow: number | null
}

/**
 * How many held out windows end as a training window begins or goes on before its own end: its later points are what comes
 * next. Null where rows are no windows, or too few or too even ones to tell. Equal places are not compared: rows of equal
 * features are no windows.
 *
 * @param shape (steps) or (steps, features)
 */
export async function windowOverlap(
  training: NumberColumn,
  held: NumberColumn,
  shape: readonly number[],
): Promise<WindowOverlap | null> {
  const [steps = 0, features = 1] = shape
  if (shape.length > 2 || steps < fewestSteps) return null
  const width = Math.floor(steps / 2) * features
  const probes = probesOf(held, width, features)
  if (probes.length < fewestProbes) return null
  await findAll(training, probes, width, features)
  const found = probes.filter(({ trainingRow }) => trainingRow !== null)
  const [first] = found
  return { probes: probes.length, found: found.length, row: first?.row ?? 0, trainingRow: first?.trainingRow ?? 0 }
}

/** The last `width` numbers of some of the rows: of those that change from step to step, if there are enough values at all. */
function probesOf(held: NumberColumn, width: number, features: number): Probe[] {
  const count = Math.min(held.rows, mostProbes)
  const all = Array.from({ length: count }, (_, i): Probe => {
    const row = Math.floor((i * held.rows) / count)
    const numbers = seen(held, held.read(row, 1))
    return { row, end: numbers.slice(held.elements - width), trainingRow: null }
  })
  const values = new Set(all.flatMap(({ end }) => [...end]))
  const isRich = (width / features) * Math.log2(values.size) >= fewestBits
  return isRich ? all.filter(({ end }) => changes(end, features) >= width / features / 2) : []
}

function changes(numbers: Float32Array, features: number): number {
  let count = 0
  for (let step = features; step < numbers.length; step += features) {
    const isSame = (feature: number) => numbers[step + feature] === numbers[step + feature - features]
    if (!Array.from({ length: features }, (_, feature) => feature).every(isSame)) count++
  }
  return count
}

/** As the model sees them, in float32. */
function seen({ elements, scales, offsets }: NumberColumn, values: ArrayLike<number>): Float32Array {
  const of = (value: number, i: number) => value * scales[i % elements]! + offsets[i % elements]! + 0 // −0 becomes 0
  return Float32Array.from(values, of)
}

/** Notes for each probe a row that has its end further to the front: by a rolling hash (Karp and Rabin 1987), then compared. */
async function findAll(training: NumberColumn, probes: Probe[], width: number, features: number): Promise<void> {
  const left = new Map<number, Probe[]>()
  for (const probe of probes) {
    const hash = hashOf(bitsOf(probe.end), 0, width)
    left.set(hash, [...(left.get(hash) ?? []), probe])
  }
  const oldest = power(width)
  const { elements } = training
  const rows = Math.min(training.rows, Math.ceil(mostNumbers / elements))
  const part = { ...training, rows }
  await forEachSlice(part, (values, first, count) => {
    const numbers = seen(training, values)
    const bits = bitsOf(numbers)
    for (let row = 0; row < count; row++) {
      const end = (row + 1) * elements
      let hash = hashOf(bits, row * elements, width)
      // The end itself is the same place, and has nothing after it.
      for (let at = row * elements; at + width < end; at++) {
        if ((at - row * elements) % features === 0) note(hash, numbers.subarray(at, at + width), first + row)
        hash = (Math.imul(hash, base) + bits[at + width]! - Math.imul(oldest, bits[at]!)) | 0
      }
    }
  })

  function note(hash: number, numbers: Float32Array, trainingRow: number): void {
    for (const probe of left.get(hash) ?? []) {
      if (probe.end.every((value, i) => value === numbers[i])) probe.trainingRow ??= trainingRow
    }
  }
}

const base = 0x01000193

/** The bits of each number, mixed so that those of round numbers differ in the lower ones too. */
function bitsOf(numbers: Float32Array): Int32Array {
  return new Int32Array(numbers.slice().buffer).map((bits) => Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d))
}

function hashOf(bits: Int32Array, begin: number, width: number): number {
  let hash = 0
  for (let i = begin; i < begin + width; i++) hash = (Math.imul(hash, base) + bits[i]!) | 0
  return hash
}

/** base^exponent. */
function power(exponent: number): number {
  let result = 1
  for (let i = 0; i < exponent; i++) result = Math.imul(result, base)
  return result
}
