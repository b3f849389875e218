import { failed, passed, percent, type SanityCheck } from '../check.js'
import type { Context } from '../context.js'

/** Beyond this the rarest class is easily lost; it is said, but it is no failure. */
const unbalanced = 20

/** Every class has examples. */
export const classes: SanityCheck = {
  name: 'classes',
  needs: 'data',
  async run(context) {
    const counts = await classCounts(context)
    if (!counts) return passed('every class', 'no classes', 'the targets are not class numbers')
    const missing = [...counts.keys()].filter((label) => counts[label] === 0)
    const present = `${counts.length - missing.length} of ${counts.length}`
    if (missing.length) {
      const list = missing.slice(0, 10).join(', ') + (missing.length > 10 ? ', …' : '')
      const held = await context.validationCounts(counts.length)
      const elsewhere = held ? missing.reduce((sum, label) => sum + held[label]!, 0) : 0
      const where = elsewhere ? `, of which validation has ${elsewhere}` : ''
      const message = `no example of class ${list}${where}: the model can only learn never to predict ${missing.length > 1 ? 'them' : 'it'}`
      const advice = elsewhere
        ? 'the data seem to be sorted: cut them with split(), or shuffle() them first'
        : 'look at how the data were cut (split with stratify: true), or take the class out'
      return failed(counts.length, present, message, advice)
    }
    const [rarest, most] = [counts.reduce((a, b) => Math.min(a, b)), largest(counts)]
    const balance =
      most > unbalanced * rarest ? `; the rarest has ${rarest}, the most frequent ${most}: see classWeights` : ''
    return passed(counts.length, present, `every class has examples${balance}`)
  },
}

/** How many examples each class has; null where targets are not class numbers. */
export async function classCounts(context: Context): Promise<Float64Array | null> {
  const isOneOfMany = context.hasLabels || context.model.loss.kind === 'softmax_cross_entropy'
  const tally = context.classes > 1 && isOneOfMany ? await context.targets() : null
  return tally?.counts ?? null
}

export function describeShares(counts: Float64Array): string {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return `the largest class has ${percent(largest(counts) / total)}`
}

const largest = (counts: Float64Array) => counts.reduce((a, b) => Math.max(a, b))
