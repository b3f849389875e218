import { percent, short } from '../../../words.js'
import { smallest } from '../curve.js'
import type { Observation } from '../finding.js'
import { enoughEpochs, type Picture } from '../picture.js'
import type { Rule } from '../rule.js'

/** Share of the validation examples whose class training lacks, beyond what a random split leaves. */
const strangers = 0.02
/** The best validation loss, and the training loss by the end, against chance level. */
const [worse, learned] = [1.5, 0.5]

/** Training and validation hold different data: they were cut by class, or by what the targets depend on. */
export const badSplit: Rule = {
  name: 'badSplit',
  explains: ['overfitting', 'validationEasier', 'classCollapse'],
  find: (picture) => missingClasses(picture) ?? neverBetter(picture),
}

const advice =
  'the data seem to be sorted: cut them with split(), or shuffle() them first; validationSplit takes the last rows as they are'

function missingClasses({ recording: { info } }: Picture): Observation | null {
  const [training, validation] = [info.targets?.classCounts, info.validationTargets?.classCounts]
  if (!training || !validation) return null
  const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)
  const rows = sum(validation)
  const missing = [...validation.keys()].filter((label) => validation[label]! > 0 && training[label] === 0)
  const without = missing.reduce((all, label) => all + validation[label]!, 0)
  // Of n examples all land in a part of share f with probability fⁿ.
  const fraction =
    (info.validationTargets?.rows ?? 0) / ((info.targets?.rows ?? 0) + (info.validationTargets?.rows ?? 0))
  const expected = validation.reduce((all, count, label) => {
    const both = count + (training[label] ?? 0)
    return both > 0 ? all + both * fraction ** both : all
  }, 0)
  if (!(without > expected + 3 * Math.sqrt(expected) + strangers * rows)) return null
  const names = missing.map((label) => info.classNames?.[label] ?? String(label))
  const list = names.slice(0, 10).join(', ') + (names.length > 10 ? ', …' : '')
  return {
    severity: 'severe',
    message: `Training and validation hold different classes: ${percent(without / rows)} of the validation examples belong to class ${list}, of which training has none`,
    evidence: { missingClasses: missing, share: without / rows },
    advice,
    since: { step: 0, epoch: 1 },
  }
}

/** Something was learned, and never anything that holds in validation. */
function neverBetter(picture: Picture): Observation | null {
  const { validated: epochs, chance, validationChance, isWeighted, validationDoubt } = picture
  if (epochs.length < enoughEpochs || isWeighted || chance === null || validationChance === null) return null
  const best = smallest(epochs.map(({ valLoss }) => valLoss))
  const trained = epochs.at(-1)!.loss
  if (!(best * (1 - validationDoubt) > worse * validationChance) || !(trained < learned * chance)) return null
  const [{ step, epoch }] = epochs as [(typeof epochs)[number]]
  return {
    severity: 'severe',
    message: `Validation was never better than chance: its loss is at least ${short(best)} since the first epoch, vs. ${short(validationChance)} at chance level, while the training loss has come down to ${short(trained)}: the two parts hold different data`,
    evidence: { bestValLoss: best, validationChance, loss: trained, chance },
    advice,
    since: { step, epoch },
  }
}
