import { percent, short } from '../../../words.js'
import { isFlat, largest, median, part, smallest } from '../curve.js'
import { enoughEpochs, type Picture } from '../picture.js'
import type { Rule } from '../rule.js'

/** The loss against chance level (the first loss, where that is not known); without validation, which shows less. */
const [poor, nothing] = [0.4, 0.9]
/** Validation loss against training loss. */
const together = 0.25
/** Fall over the last third. */
const flat = 0.05

/** Training and validation run together, flat, at a poor level; or training does, at chance level. */
export const underfitting: Rule = {
  name: 'underfitting',
  explains: ['plateau'],
  find(picture) {
    const isValidated = picture.validated.length >= enoughEpochs
    const epochs = isValidated ? picture.validated : picture.epochs
    if (epochs.length < enoughEpochs || !picture.hasEnoughSteps) return null
    const lateOf = (column: 'loss' | 'valLoss') =>
      part(
        epochs.map((epoch) => epoch[column] as number),
        2 / 3,
        1,
      )
    const late = lateOf('loss')
    const level = median(late)
    const share = picture.shareLeft(level)
    if (!(share > (isValidated ? poor : nothing)) || !isFlat(late, flat)) return null
    if (!isValidated && picture.chance === null) return null
    const validation = isValidated ? median(lateOf('valLoss')) : null
    if (validation !== null && !(isFlat(lateOf('valLoss'), flat) && isTogether(picture, level, validation))) return null
    const first = epochs[Math.floor((epochs.length * 2) / 3)]!
    const losses =
      validation === null
        ? `The training loss stays at ${short(level)}`
        : `Training and validation loss stay together at ${short(level)} and ${short(validation)}`
    return {
      severity: 'warning',
      message: `${losses} and no longer fall: ${percent(share)} of ${picture.baseName} (${short(picture.base)}) is left`,
      evidence: { loss: level, valLoss: validation, base: picture.base, shareLeft: share },
      advice: adviceFor(picture, share),
      since: { step: first.step, epoch: first.epoch },
    }
  },
}

/** Each against its own chance level; weighted, the training loss is of another kind. */
function isTogether({ chance, validationChance, isWeighted }: Picture, level: number, validation: number): boolean {
  const expected = chance && validationChance ? level * (validationChance / chance) : level
  return isWeighted
    ? validation > poor * (validationChance ?? level)
    : Math.abs(validation - expected) < together * expected
}

function adviceFor(picture: Picture, share: number): string {
  if (hasCooled(picture)) {
    return 'the learning rate came down before the loss did: anneal later and train for longer; else the network is too small'
  }
  if (share > nothing && picture.chance !== null) {
    return 'nothing was learned from the inputs: sanityCheck() looks at labels, scales and the last activation; else the network is too small'
  }
  return 'the network is too small for the problem, or held down: more units or layers, less l2() or dropout(), better inputs'
}

/** A rate that has come down stops the loss from falling as well. */
function hasCooled({ recording }: Picture): boolean {
  const { learningRate } = recording.steps
  return smallest(part(learningRate, 2 / 3, 1)) < 0.5 * largest(learningRate)
}
