import { failed, passed, type SanityCheck, short } from '../check.js'
import { type Context, forEachNumber } from '../context.js'

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
      const message = `no example of class ${list}: the model can only learn never to say ${missing.length > 1 ? 'them' : 'it'}`
      return failed(
        counts.length,
        present,
        message,
        'look at how the data were cut (split with stratify: true), or take the class out',
      )
    }
    const [rarest, most] = [Math.min(...counts), Math.max(...counts)]
    const balance =
      most > unbalanced * rarest ? `; the rarest has ${rarest}, the most frequent ${most}: see classWeights` : ''
    return passed(counts.length, present, `every class has examples${balance}`)
  },
}

/** How many examples each class has; null where targets are not class numbers. */
export async function classCounts(context: Context): Promise<Float64Array | null> {
  const column = context.targetColumn()
  const outputs = context.classes
  if (!column || outputs < 2) return null
  const counts = new Float64Array(outputs)
  if (context.hasLabels) {
    await forEachNumber(column, (label) => {
      if (Number.isInteger(label) && label >= 0 && label < outputs) counts[label]! += 1
    })
    return counts
  }
  if (context.model.loss.kind !== 'softmax_cross_entropy') return null
  await forEachNumber(column, (share, _, element) => {
    counts[element % outputs]! += share
  })
  return counts
}

/** −Σ p·ln p of the shares of the classes: the loss of always giving them. */
export function classEntropy(counts: Float64Array): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.reduce((sum, count) => (count > 0 ? sum - (count / total) * Math.log(count / total) : sum), 0)
}

export const describeShares = (counts: Float64Array): string => {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return `the largest class has ${short((100 * Math.max(...counts)) / total)} %`
}
