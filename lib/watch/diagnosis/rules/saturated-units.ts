import { percent } from '../../../words.js'
import { lastingFrom, median } from '../curve.js'
import type { Rule } from '../rule.js'

const most = 0.6

/** Values of a tanh or sigmoid layer lie at the ends, where the slope is nearly 0. */
export const saturatedUnits: Rule = {
  name: 'saturatedUnits',
  explains: ['gradients', 'slowLayer', 'classCollapse', 'underfitting', 'learningRateTooLow', 'plateau', 'overfitting'],
  find(picture) {
    const layers = picture.hiddenLayers
      .map((layer) => ({ ...layer, share: median(layer.saturated.subarray(-3)) }))
      .filter(({ share }) => share > most)
      .sort((a, b) => b.share - a.share)
    const [worst] = layers
    if (!worst) return null
    const from = lastingFrom(worst.saturated, (share) => share > most)
    const isBorn = worst.saturated[0]! > most
    return {
      severity: picture.isStuck ? 'severe' : 'warning',
      message: `Of the values of ${worst.name} (${worst.op}), ${percent(worst.share)} are saturated, ${isBorn ? 'from the start' : 'after training'}: hardly any gradient passes`,
      evidence: {
        saturated: Object.fromEntries(layers.map(({ name, share }) => [name, share])),
        first: worst.saturated[0],
        level: picture.level,
      },
      advice: isBorn
        ? "make the initial weights smaller (init: 'xavier') and scale the inputs"
        : 'take a lower learning rate or some l2(), so that the weights stay small',
      since: picture.atLook(from),
    }
  },
}
