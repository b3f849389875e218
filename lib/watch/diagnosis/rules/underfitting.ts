import { percent, short } from '../../../words.js'
import { isFlat, largest, median, part, smallest } from '../curve.js'
import type { Rule } from '../finding.js'
import { enoughEpochs, type Picture } from '../picture.js'

/** What is left of guessing's loss (of the first loss, where guessing's is not known). */
const poor = 0.4
/** Validation loss against training loss. */
const together = 0.25
/** Fall over the last third. */
const flat = 0.05

/** Training and validation run together, flat, at a poor level. */
export const underfitting: Rule = {
  name: 'underfitting',
  explains: ['plateau'],
  find(picture) {
    const epochs = picture.validated
    if (epochs.length < enoughEpochs || !picture.hasEnoughSteps) return null
    const late = part(
      epochs.map(({ loss }) => loss),
      2 / 3,
      1,
    )
    const lateValidation = part(
      epochs.map(({ valLoss }) => valLoss),
      2 / 3,
      1,
    )
    const [level, validation] = [median(late), median(lateValidation)]
    const share = level / picture.base
    const hasEnded = isFlat(late, flat) && isFlat(lateValidation, flat)
    if (!(share > poor) || !hasEnded || !(Math.abs(validation - level) < together * level)) return null
    const first = epochs[Math.floor((epochs.length * 2) / 3)]!
    return {
      severity: 'warning',
      message: `Training and validation loss lie together at ${short(level)} and ${short(validation)} and no longer fall: ${percent(share)} of what ${picture.chance === null ? 'training began at' : 'guessing gives'} is left`,
      evidence: { loss: level, valLoss: validation, base: picture.base, shareLeft: share },
      advice: hasCooled(picture)
        ? 'the learning rate came down before the loss did: anneal later and train for longer; else the network is too small'
        : 'the network is too small for the problem, or held down: more units or layers, less l2() or dropout(), better inputs',
      since: { step: first.step, epoch: first.epoch },
    }
  },
}

/** A rate that has come down stops the loss from falling as well. */
function hasCooled({ recording }: Picture): boolean {
  const { learningRate } = recording.steps
  return smallest(part(learningRate, 2 / 3, 1)) < 0.5 * largest(learningRate)
}
