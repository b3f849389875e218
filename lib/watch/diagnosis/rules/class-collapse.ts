import { percent, short } from '../../../words.js'
import { largest, lastingFrom } from '../curve.js'
import { enoughEpochs, type Picture } from '../picture.js'
import type { Rule } from '../rule.js'

const nearlyAll = 0.98
/** Examples that must be looked at, and of them such as belong elsewhere, and those it may find of them. */
const [fewest, fewestElsewhere, mostFound] = [20, 5, 0.5]
/** A class with so many times the examples of the others' average is more common. */
const common = 2
/** Loss against chance level: below, the model tells the classes apart, if not at its threshold. */
const nothing = 0.95
const fewestEpochs = 3

/** The model says the same class for everything. */
export const classCollapse: Rule = {
  name: 'classCollapse',
  explains: ['underfitting', 'plateau', 'lossTooNoisy'],
  find(picture) {
    const { predictions, info } = picture.recording
    const last = predictions.at(-1)
    if (!last || total(last.actual) < fewest) return null
    const { actual, predicted } = last
    const favourite = predicted.indexOf(largest(predicted))
    const shares = predictions.map((look) => look.predicted[favourite]! / total(look.predicted))
    const from = lastingFrom(shares, (share) => share >= nearlyAll)
    const elsewhere = total(actual) - actual[favourite]!
    const found = total(predicted) - predicted[favourite]!
    if (from < 0 || elsewhere < fewestElsewhere || !(found < mostFound * elsewhere)) return null
    // Where a class is common, saying it is right most of the time: the loss tells whether more was learned.
    const isCommon = actual[favourite]! * (actual.length - 1) > common * elsewhere
    const [loss, chance] = lossAndChance(picture)
    const epochs = picture.epochs.length
    if (isCommon && (epochs < fewestEpochs || (chance !== null && loss < nothing * chance))) return null
    const isLasting = predictions.length - from > 1 && (!isCommon || epochs >= enoughEpochs)
    const { step, epoch } = predictions[from]!
    const name = info.classNames?.[favourite]
    const share = actual[favourite]! / total(actual)
    const level = chance === null ? '' : `; the loss of ${short(loss)} is no better than chance level, ${short(chance)}`
    return {
      severity: isLasting ? 'severe' : 'warning',
      message: `The model predicts ${name ?? `class ${favourite}`} for ${percent(shares.at(-1)!)} of the examples since epoch ${epoch}; ${percent(share)} of them are${isCommon ? level : ''}`,
      evidence: {
        class: name ?? favourite,
        predictedShare: shares.at(-1),
        actualShare: share,
        examples: total(actual),
        loss,
        chance,
      },
      advice: isCommon
        ? 'the classes are imbalanced: classWeights, more examples of the rare ones, and a longer look at the confusionMatrix'
        : 'nothing was learned from the inputs: look at labels, the scale of the inputs and the learning rate',
      since: { step, epoch },
    }
  },
}

/** Of validation, else of training. */
function lossAndChance(picture: Picture): [loss: number, chance: number | null] {
  const last = picture.validated.at(-1)
  return last ? [last.valLoss, picture.validationChance] : [picture.epochs.at(-1)?.loss ?? Number.NaN, picture.chance]
}

const total = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)
