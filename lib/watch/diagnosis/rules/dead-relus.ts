import { percent } from '../../../words.js'
import { lastingFrom } from '../curve.js'
import type { Rule } from '../rule.js'

const most = 0.5
/** A unit is dead that was silent in so many looks at a batch; together so many examples say something. */
const [window, enoughExamples] = [10, 100]

/** Units of a relu layer answer to no example any more. */
export const deadRelus: Rule = {
  name: 'deadRelus',
  explains: ['learningRateTooLow', 'gradients', 'slowLayer', 'classCollapse', 'underfitting', 'plateau'],
  find(picture) {
    const { layers: looks, info } = picture.recording
    // A look at a batch of few examples finds many units silent.
    if (Math.min(looks.step.length, window) * info.options.batchSize < enoughExamples) return null
    const layers = picture.relus.filter(({ share }) => share > most).sort((a, b) => b.share - a.share)
    const [worst] = layers
    if (!worst) return null
    const from = lastingFrom(worst.dead, (share) => share > most)
    const isBorn = worst.dead[0]! > most
    const others = layers.length > 1 ? `, and more than half in ${layers.length - 1} other layers` : ''
    return {
      severity: picture.isCutByDeadRelus || picture.isStuck ? 'severe' : 'warning',
      message: `Of the units of ${worst.name}, ${percent(worst.share)} are dead${others}: 0 for every example, so that no gradient passes`,
      evidence: {
        dead: Object.fromEntries(layers.map(({ name, share }) => [name, share])),
        first: worst.dead[0],
        level: picture.level,
      },
      advice: isBorn
        ? "they begin dead: start biases at 0 and weights with init: 'he', and scale the inputs"
        : 'large steps have killed them: take a tenth of the learning rate or clipNorm: 1, or leakyRelu()',
      since: picture.atLook(from),
    }
  },
}
