import { type Finding, failed, passed, type SanityCheck, short } from '../check.js'
import { forEachNumber, type NumberColumn } from '../context.js'

/** Initializers are made for inputs of about mean 0 and deviation 1; pixels of 0 to 255 are two hundred times that. */
const [least, most] = [1e-3, 10]
/** Between the smallest and the largest feature's range; pixels at an edge that hardly ever light are well above. */
const narrowest = 1e-4
const expected = `deviation and mean of at most ${most}, not all alike`

/** Inputs are of the order of 1, each feature by itself. */
export const dataScale: SanityCheck = {
  name: 'dataScale',
  needs: 'data',
  async run(context) {
    for (const column of context.inputColumns()) {
      if (context.normalized.includes(column.argument)) continue
      const problem = judge(column, await momentsOf(column))
      if (problem) return problem
    }
    return passed(expected, 'about 1', 'the inputs are of the order of 1')
  },
}

interface Feature {
  readonly number: number
  readonly mean: number
  readonly deviation: number
  readonly low: number
  readonly high: number
}

function judge({ argument }: NumberColumn, features: readonly Feature[]): Finding | null {
  const varying = features.filter(({ low, high }) => high > low)
  const place = (some: readonly Feature[]) => describePlace(argument, some, features.length)
  if (!varying.length) {
    const message = `${place(features)}: there is nothing to learn from`
    return failed(expected, 'all alike', message, 'look at how the inputs are read')
  }
  const large = features.filter(({ mean, deviation }) => deviation > most || Math.abs(mean) > most)
  if (large.length) {
    const advice = 'standardize() the inputs, or divide pixels by 255 (a Uint8Array is taken so)'
    return failed(expected, actualOf(large), `the inputs are not scaled: ${place(large)}`, advice)
  }
  const deviation = varying.reduce((widest, feature) => Math.max(widest, feature.deviation), 0)
  if (deviation < least) {
    return failed(
      expected,
      actualOf(varying),
      `the inputs hardly differ: ${place(varying)}`,
      'standardize() the inputs',
    )
  }
  const range = varying.reduce((widest, { low, high }) => Math.max(widest, high - low), 0)
  const narrow = varying.filter(({ low, high }) => high - low < narrowest * range)
  if (!narrow.length) return null
  const message = `the inputs differ in scale: ${place(narrow)}, where others vary by ${short(range)}`
  return failed(expected, actualOf(narrow), message, 'standardize() the inputs: it scales each feature by itself')
}

function actualOf(features: readonly Feature[]): string {
  const worst = features.reduce((a, b) => (size(b) > size(a) ? b : a))
  return `mean ${short(worst.mean)}, deviation ${short(worst.deviation)}`
}
const size = ({ mean, deviation }: Feature) => Math.max(Math.abs(mean), deviation)

/** `column 3 of x lies between 0 and 7e4`; without the column where most are meant. */
function describePlace(argument: string, some: readonly Feature[], all: number): string {
  const low = some.reduce((lowest, feature) => Math.min(lowest, feature.low), Number.POSITIVE_INFINITY)
  const high = some.reduce((highest, feature) => Math.max(highest, feature.high), Number.NEGATIVE_INFINITY)
  const range = low === high ? `is ${short(low)} everywhere` : `lies between ${short(low)} and ${short(high)}`
  if (2 * some.length > all) return `${argument} ${range}`
  const more = some.length > 1 ? ` (and ${some.length - 1} more)` : ''
  return `column ${some[0]!.number}${more} of ${argument} ${range}`
}

/** Sums about each feature's first number: of large means and small deviations nothing else is left. */
async function momentsOf(column: NumberColumn): Promise<Feature[]> {
  const { elements } = column
  const make = (value: number) => new Float64Array(elements).fill(value)
  const [counts, firsts, sums, squares] = [make(0), make(0), make(0), make(0)]
  const [lows, highs] = [make(Number.POSITIVE_INFINITY), make(Number.NEGATIVE_INFINITY)]
  await forEachNumber(column, (value, _, element) => {
    if (!Number.isFinite(value)) return
    if (counts[element]! === 0) firsts[element] = value
    const distance = value - firsts[element]!
    counts[element]! += 1
    sums[element]! += distance
    squares[element]! += distance * distance
    if (value < lows[element]!) lows[element] = value
    if (value > highs[element]!) highs[element] = value
  })
  return Array.from(counts, (count, number) => {
    const shift = sums[number]! / count
    const deviation = Math.sqrt(Math.max(0, squares[number]! / count - shift * shift))
    return { number, mean: firsts[number]! + shift, deviation, low: lows[number]!, high: highs[number]! }
  })
}
