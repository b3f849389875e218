import { short } from '../../../words.js'
import type { EpochEntry } from '../../recording/recording.js'
import { scatter, smallest, smooth } from '../curve.js'
import { enoughEpochs } from '../picture.js'
import type { Rule } from '../rule.js'

/** The validation loss against its best, the rise against chance level, and epochs since. */
const [risen, risenOfBase, fewestSince] = [1.1, 0.002, 4]
/** Validation loss against training loss, and their difference against chance level, where the curve has not turned. */
const [wide, wideOfBase] = [2, 0.2]

/** Training goes on getting better while validation no longer does. */
export const overfitting: Rule = {
  name: 'overfitting',
  explains: ['plateau', 'underfitting'],
  find(picture) {
    const epochs = picture.validated
    if (epochs.length < enoughEpochs) return null
    const width = 2 * Math.ceil(epochs.length / 20) + 1
    const losses = epochs.map(({ valLoss }) => valLoss)
    const validation = smooth(losses, width)
    const training = smooth(
      epochs.map(({ loss }) => loss),
      width,
    )
    const best = losses.indexOf(smallest(losses))
    const [now, trained] = [validation.at(-1)!, training.at(-1)!]
    const rise = now - validation[best]!
    const hasRisen = now > risen * validation[best]! && rise > risenOfBase * picture.base && rise > scatter(losses)
    const hasTurned = hasRisen && trained < training[best]! && epochs.length - best >= fewestSince
    const least = now * (1 - picture.validationDoubt)
    const isWide = now > wide * picture.weightRatio * trained && least - trained > wideOfBase * picture.base
    if (!hasTurned && !isWide) return null
    const at = epochs[best]!
    const scores = accuracies(epochs.at(-1)!)
    const { validationChance, isWeighted } = picture
    const isWorthless = validationChance !== null && least > validationChance && !isWeighted
    return {
      severity: isWorthless && hasTurned ? 'severe' : 'warning',
      message: `The validation loss is ${short(now)}${hasTurned ? `, up from ${short(validation[best]!)} at epoch ${at.epoch}` : ''}, while the training loss has come down to ${short(trained)}${scores.text}: the network memorizes (overfits)`,
      evidence: { valLoss: now, loss: trained, bestValLoss: validation[best]!, bestEpoch: at.epoch, ...scores.numbers },
      advice:
        'stronger l2(), more dropout(), more data or a smaller network; earlyStopping({ restoreBest: true }) keeps the best epoch',
      since: { step: at.step, epoch: at.epoch },
    }
  },
}

function accuracies({ accuracy, valAccuracy }: EpochEntry) {
  if (typeof accuracy !== 'number' || typeof valAccuracy !== 'number') return { text: '', numbers: {} }
  const text = ` (accuracy ${short(valAccuracy)} in validation vs. ${short(accuracy)} in training)`
  return { text, numbers: { accuracy, valAccuracy } }
}
