import { short } from '../../../words.js'
import { median } from '../curve.js'
import type { Rule } from '../rule.js'

/** Times that a layer may move less than the others. */
const most = 100
/** ‖Δw‖ / ‖w‖ that is slow by itself: of two layers the other may be the odd one. */
const low = 1e-4

/** One layer's weights move far less than those of the rest. */
export const slowLayer: Rule = {
  name: 'slowLayer',
  explains: ['plateau'],
  find(picture) {
    if (!picture.hasEnoughSteps || picture.matrices.length < 2) return null
    const slowest = picture.matrices.reduce((a, b) => (b.ratio < a.ratio ? b : a))
    const others = median(picture.matrices.filter((matrix) => matrix !== slowest).map(({ ratio }) => ratio))
    if (!(slowest.ratio < low && slowest.ratio < others / most)) return null
    const { parameters } = picture.recording.info.descriptor
    const multiplier = parameters.find((parameter) => parameter?.name === slowest.name)?.learningRateMultiplier
    return {
      severity: 'warning',
      message: `The weights ${slowest.name} hardly move: an update-to-weight ratio of ${short(slowest.ratio)}, where other layers have ${short(others)}`,
      evidence: { updateRatio: slowest.ratio, others, learningRateMultiplier: multiplier ?? 1 },
      advice:
        multiplier !== undefined && multiplier < 1
          ? `raise its learningRateMultiplier of ${short(multiplier)}; 0 holds a layer on purpose`
          : 'look at its initial weights (too large?) and at what passes gradients to it, or give it a learningRateMultiplier',
      since: picture.at(picture.recording.steps.step[0]!),
    }
  },
}
