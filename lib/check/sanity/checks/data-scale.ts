import { failed, passed, type SanityCheck, short } from '../check.js'
import { forEachNumber, type NumberColumn } from '../context.js'

/** Initializers are made for inputs of about mean 0 and deviation 1; pixels of 0 to 255 are two hundred times that. */
const [least, most] = [1e-3, 10]

/** Inputs are of the order of 1. */
export const dataScale: SanityCheck = {
  name: 'dataScale',
  needs: 'data',
  async run(context) {
    const expected = `deviation and mean of at most ${most}, not all alike`
    for (const column of context.inputColumns()) {
      if (context.normalized.includes(column.argument)) continue
      const { mean, deviation, low, high } = await momentsOf(column)
      const actual = `mean ${short(mean)}, deviation ${short(deviation)}`
      const range = `${column.argument} lies between ${short(low)} and ${short(high)}`
      if (low === high) {
        const message = `${column.argument} is ${short(low)} everywhere: there is nothing to learn from`
        return failed(expected, actual, message, 'look at how the inputs are read')
      }
      if (deviation > most || Math.abs(mean) > most) {
        const advice = 'standardise the inputs with standardize(), or divide pixels by 255 (a Uint8Array is taken so)'
        return failed(expected, actual, `the inputs are not scaled: ${range}`, advice)
      }
      if (deviation < least) {
        const advice = 'standardise the inputs with standardize()'
        return failed(expected, actual, `the inputs hardly differ: ${range}`, advice)
      }
    }
    return passed(expected, 'about 1', 'the inputs are of the order of 1')
  },
}

async function momentsOf(column: NumberColumn) {
  let [sum, squares, count, low, high] = [0, 0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  await forEachNumber(column, (value) => {
    if (!Number.isFinite(value)) return
    sum += value
    squares += value * value
    count++
    low = Math.min(low, value)
    high = Math.max(high, value)
  })
  const mean = sum / count
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)), low, high }
}
