import { isFixedNorm } from '../../../descriptor.js'
import { percent, short } from '../../../words.js'
import { median } from '../curve.js'
import type { Picture } from '../picture.js'
import type { Rule } from '../rule.js'

/** Validation loss against training loss, and the difference against chance level. */
const easier = 0.8
const ofBase = 0.02
const fewestEpochs = 3
/** Share of the training examples that makes a class missed. */
const missed = 0.02
/** Ops that are off in validation. */
const causes = { dropout: 'dropout', spatial_dropout: 'dropout', batch_norm: 'the noise of batch norm' }

/** Validation goes clearly better than training. */
export const validationEasier: Rule = {
  name: 'validationEasier',
  explains: [],
  find(picture) {
    const epochs = picture.validated
    // Weighted, the training loss is of another kind than the validation loss.
    if (epochs.length < fewestEpochs || picture.isWeighted) return null
    // The training loss is that of the middle of an epoch, the validation loss that of its end.
    const pairs = epochs
      .slice(1)
      .map(({ loss, valLoss }, i) => ({ loss, validation: (valLoss + epochs[i]!.valLoss) / 2 }))
    const late = pairs.slice(Math.floor((2 / 3) * pairs.length))
    const [loss, validation] = [median(late.map((pair) => pair.loss)), median(late.map((pair) => pair.validation))]
    const lacking = lackingClasses(picture)
    // A part with fewer examples of a rare class has a lower chance level, and a lower loss by as much.
    const { chance, validationChance } = picture
    const expected = lacking.length || !chance || !validationChance ? loss : loss * (validationChance / chance)
    const limit = (easier - picture.validationDoubt) * expected
    if (!(validation < limit) || !(expected - validation > ofBase * picture.base)) return null
    const noise = Object.entries(causes).find(([op]) =>
      picture.recording.info.descriptor.nodes.some(
        (node) => node?.op === op && !(op === 'batch_norm' && isFixedNorm(node)),
      ),
    )?.[1]
    const cause = lacking.length ? undefined : noise
    const { step, epoch } = epochs[Math.floor((epochs.length * 2) / 3)]!
    return {
      severity: cause ? 'info' : 'warning',
      message: `The validation loss is ${short(validation)}, ${percent(1 - validation / loss)} below the training loss of ${short(loss)}: ${reason(cause, lacking)}`,
      evidence: { loss, valLoss: validation, cause: cause ?? null, lackingClasses: lacking },
      advice: cause
        ? 'nothing need be done: evaluate() on the training data gives a fair comparison; a lower rate of dropout may learn faster'
        : 'shuffle() before cutting the data in two, or split(); look for examples that are in both parts, and for classes that validation lacks',
      since: { step, epoch },
    }
  },
}

function reason(cause: string | undefined, lacking: readonly number[]): string {
  if (cause) return `${cause} makes training harder`
  if (!lacking.length) return 'validation examples are easier, or known from training'
  const list = lacking.slice(0, 10).join(', ') + (lacking.length > 10 ? ', …' : '')
  return `validation has no example of class ${list}`
}

/** Classes that training has in numbers, and validation not at all. */
function lackingClasses({ recording: { info } }: Picture): number[] {
  const [training, validation] = [info.targets?.classCounts, info.validationTargets?.classCounts]
  if (!training || !validation) return []
  const total = training.reduce((a, b) => a + b, 0)
  return [...training.keys()].filter((label) => training[label]! > missed * total && validation[label] === 0)
}
