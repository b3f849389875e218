import { short } from '../../../words.js'
import { isFlat, largest, median, part, rise, smallest } from '../curve.js'
import { enoughEpochs } from '../picture.js'
import type { Rule } from '../rule.js'

/** Change of the loss over the last third, against its level. */
const flat = 0.05
/** Below this share of chance level there is nothing left to gain. */
const solved = 0.02

/** The loss has stopped falling while the learning rate stays as it was: time to anneal. */
export const plateau: Rule = {
  name: 'plateau',
  explains: [],
  find(picture) {
    const { steps } = picture.recording
    const epochs = picture.epochs
    if (epochs.length < enoughEpochs || !picture.hasEnoughSteps) return null
    const losses = epochs.map(({ loss }) => loss)
    const late = part(losses, 2 / 3, 1)
    const level = median(late)
    const rates = part(steps.learningRate, 2 / 3, 1)
    // A rate that has come down already has had its effect.
    const isConstant = largest(rates) <= 1.01 * smallest(rates) && smallest(rates) >= 0.5 * largest(steps.learningRate)
    const hasFallen = level < 0.7 * Math.max(picture.base, losses[0]!)
    if (!isConstant || !hasFallen || picture.shareLeft(level) < solved || !isFlat(late, flat)) return null
    const first = epochs[Math.floor((epochs.length * 2) / 3)]!
    return {
      severity: 'warning',
      message: `The loss has stayed at ${short(level)} since epoch ${first.epoch}, while the learning rate is ${short(rates[0]!)} as before`,
      evidence: {
        level,
        change: rise(late),
        learningRate: rates[0],
        isScheduled: picture.recording.info.options.isScheduled,
      },
      advice:
        'time to anneal: schedule: stepDecay(), cosine() or reduceOnPlateau() lets the weights settle; else stop here',
      since: { step: first.step, epoch: first.epoch },
    }
  },
}
