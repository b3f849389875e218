import { percent } from '../../../words.js'
import { lastingFrom } from '../curve.js'
import type { Rule } from '../finding.js'

const nearlyAll = 0.98
/** Share of the examples that must belong elsewhere, and fewest examples. */
const elsewhere = 0.02
const fewest = 20

/** The model says the same class for everything. */
export const classCollapse: Rule = {
  name: 'classCollapse',
  explains: ['underfitting', 'plateau', 'lossTooNoisy'],
  find(picture) {
    const { predictions, info } = picture.recording
    const last = predictions.at(-1)
    if (!last || total(last.actual) < fewest) return null
    // Not Math.max(...): a journal may claim more classes than a call takes arguments.
    const favourite = last.predicted.reduce((best, count, label) => (count > last.predicted[best]! ? label : best), 0)
    const shares = predictions.map(({ predicted }) => predicted[favourite]! / total(predicted))
    const from = lastingFrom(shares, (share) => share >= nearlyAll)
    const actual = last.actual[favourite]! / total(last.actual)
    if (from < 0 || !(shares.at(-1)! - actual > elsewhere)) return null
    const { step, epoch } = predictions[from]!
    const name = info.classNames?.[favourite]
    return {
      severity: predictions.length - from > 1 ? 'severe' : 'warning',
      message: `The model says ${name ?? `class ${favourite}`} for ${percent(shares.at(-1)!)} of the examples since epoch ${epoch}; ${percent(actual)} of them are`,
      evidence: {
        class: name ?? favourite,
        predictedShare: shares.at(-1),
        actualShare: actual,
        examples: total(last.actual),
      },
      advice:
        actual > 2 / last.actual.length
          ? 'the classes are out of balance: classWeights, more examples of the rare ones, and a longer look at the confusionMatrix'
          : 'nothing was learnt of the inputs: look at labels, the scale of the inputs and the learning rate',
      since: { step, epoch },
    }
  },
}

const total = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)
