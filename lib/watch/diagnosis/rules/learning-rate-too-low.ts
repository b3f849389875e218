import { short } from '../../../words.js'
import { median, part, rise, straightness } from '../curve.js'
import type { Rule } from '../rule.js'

/** ‖Δw‖ / ‖w‖, where 1e-3 is healthy. */
const low = 1e-4

/** The loss falls like a line, if at all, and the weights hardly move. */
export const learningRateTooLow: Rule = {
  name: 'learningRateTooLow',
  explains: ['classCollapse', 'underfitting', 'plateau', 'slowLayer', 'validationEasier'],
  find(picture) {
    const { steps } = picture.recording
    const { fastestRatio: ratio, level } = picture
    if (!picture.hasEnoughSteps || !(ratio < low)) return null
    const begin = median(part(steps.loss, 0, 0.1))
    const fall = -rise(steps.loss)
    // A loss that has done most of its way, or that levels off, is another matter.
    const isLine = !(fall > 0.1 * begin) || straightness(steps.loss) > 0.4
    if (!isLine || !(picture.shareLeft(level) >= 0.5)) return null
    const share = Math.max(0, 1 - level / begin)
    return {
      severity: share < 0.15 ? 'severe' : 'warning',
      message: `In ${picture.span} steps the loss went from ${short(begin)} to ${short(level)} only, like a line: the update-to-weight ratio is at most ${short(ratio)}, where 1e-3 is healthy`,
      evidence: { updateRatio: ratio, begin, level, learningRate: steps.learningRate[0] },
      advice: `take a learning rate ${ratio > 0 ? `${Number((1e-3 / ratio).toPrecision(1))} times` : 'far'} larger than ${short(steps.learningRate[0]!)}; findLearningRate() shows the range`,
      since: picture.at(steps.step[0]!),
    }
  },
}
