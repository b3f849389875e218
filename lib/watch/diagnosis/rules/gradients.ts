import { short } from '../../../words.js'
import { median, part, slope } from '../curve.js'
import type { Picture } from '../picture.js'
import type { Rule } from '../rule.js'

/** Powers of ten that gradients may change by from the first to the last matrix. */
const mostDecades = 3
const fewest = 4

/** Gradients vanish or explode on their way from the loss down to the first layers. */
export const gradients: Rule = {
  name: 'gradients',
  explains: ['learningRateTooLow', 'learningRateTooHigh', 'slowLayer', 'classCollapse', 'underfitting', 'plateau'],
  find(picture) {
    const sizes = gradientSizes(picture)
    if (sizes.length < fewest) return null
    const decades = slope(sizes.map(({ size }) => Math.log10(size))) * (sizes.length - 1)
    if (!(Math.abs(decades) > mostDecades)) return null
    const [first, last] = [sizes[0]!, sizes.at(-1)!]
    const vanish = decades > 0
    return {
      severity: picture.isStuck ? 'severe' : 'warning',
      message: `Gradients ${vanish ? 'vanish' : 'explode'} towards the first layers: their RMS is ${short(last.size)} in ${last.name}, ${short(first.size)} in ${first.name}`,
      evidence: {
        sizes: Object.fromEntries(sizes.map(({ name, size }) => [name, size])),
        decades,
        level: picture.level,
      },
      advice: vanish
        ? "relu() with init: 'he' in place of sigmoid() or tanh(), batchNorm(), fewer layers, or add() past some of them"
        : 'smaller initial weights, layerNorm(), or clipNorm: 1',
      since: picture.at(picture.recording.steps.step[0] ?? 0),
    }
  },
}

/** Root mean squares of the gradients' elements, early on, from the first matrix to the last. */
function gradientSizes({ matrices }: Picture) {
  return matrices
    .map(({ name, shape, series }) => {
      const elements = shape.reduce((a, b) => a * b, 1)
      return { name, size: median(part(series.gradientNorm, 0, 0.25)) / Math.sqrt(elements) }
    })
    .filter(({ size }) => size > 0)
}
