import { percent, short } from '../../../words.js'
import { median } from '../curve.js'
import type { Rule } from '../finding.js'

/** Validation loss against training loss, and the difference against guessing's loss. */
const easier = 0.8
const ofBase = 0.02
const fewestEpochs = 3
/** Ops that are off in validation. */
const causes = { dropout: 'dropout', batch_norm: 'the noise of batch norm' }

/** Validation goes clearly better than training. */
export const validationEasier: Rule = {
  name: 'validationEasier',
  explains: [],
  find(picture) {
    const epochs = picture.validated
    if (epochs.length < fewestEpochs) return null
    // The training loss is that of the middle of an epoch, the validation loss that of its end.
    const pairs = epochs
      .slice(1)
      .map(({ loss, valLoss }, i) => ({ loss, validation: (valLoss + epochs[i]!.valLoss) / 2 }))
    const late = pairs.slice(Math.floor((2 / 3) * pairs.length))
    const [loss, validation] = [median(late.map((pair) => pair.loss)), median(late.map((pair) => pair.validation))]
    if (!(validation < easier * loss) || !(loss - validation > ofBase * picture.base)) return null
    const cause = Object.entries(causes).find(([op]) =>
      picture.recording.info.descriptor.nodes.some((node) => node?.op === op),
    )?.[1]
    const { step, epoch } = epochs[Math.floor((epochs.length * 2) / 3)]!
    return {
      severity: cause ? 'info' : 'warning',
      message: `The validation loss is ${short(validation)}, ${percent(1 - validation / loss)} below the training loss of ${short(loss)}: ${cause ? `${cause} makes training harder` : 'validation examples are easier, or known from training'}`,
      evidence: { loss, valLoss: validation, cause: cause ?? null },
      advice: cause
        ? 'nothing need be done: evaluate() on the training data gives a fair comparison; a lower rate of dropout may learn faster'
        : 'split() after shuffle(), look for examples that are in both parts, and for classes that validation lacks',
      since: { step, epoch },
    }
  },
}
