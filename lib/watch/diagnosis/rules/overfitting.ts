import { short } from '../../../words.js'
import type { EpochEntry } from '../../recording/recording.js'
import { smallest, smooth } from '../curve.js'
import type { Rule } from '../finding.js'
import { enoughEpochs } from '../picture.js'

/** The validation loss against its best. */
const risen = 1.1
/** Validation loss against training loss, and their difference against guessing's loss. */
const [wide, wideOfBase] = [2, 0.1]

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
    const gap = now - trained
    const isWide = now > wide * trained && gap > wideOfBase * picture.base
    const hasTurned = now > risen * validation[best]! && trained < training[best]! && epochs.length - best > 3
    if (!isWide || !(hasTurned || gap > 2 * wideOfBase * picture.base)) return null
    const at = epochs[best]!
    const scores = accuracies(epochs.at(-1)!)
    return {
      severity: picture.chance !== null && now > picture.chance && hasTurned ? 'severe' : 'warning',
      message: `The validation loss is ${short(now)}${hasTurned ? `, up from ${short(validation[best]!)} at epoch ${at.epoch}` : ''}, while the training loss has come down to ${short(trained)}${scores.text}: the network learns its examples by heart`,
      evidence: { valLoss: now, loss: trained, bestValLoss: validation[best]!, bestEpoch: at.epoch, ...scores.numbers },
      advice:
        'stronger l2(), more dropout(), more data or a smaller network; earlyStopping({ restoreBest: true }) keeps the best epoch',
      since: { step: at.step, epoch: at.epoch },
    }
  },
}

function accuracies({ accuracy, valAccuracy }: EpochEntry) {
  if (typeof accuracy !== 'number' || typeof valAccuracy !== 'number') return { text: '', numbers: {} }
  const text = ` (accuracy ${short(accuracy)} in training, ${short(valAccuracy)} in validation)`
  return { text, numbers: { accuracy, valAccuracy } }
}
