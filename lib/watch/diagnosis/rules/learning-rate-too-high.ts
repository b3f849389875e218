import { short } from '../../../words.js'
import { largest, part, rise } from '../curve.js'
import type { Picture } from '../picture.js'
import type { Rule } from '../rule.js'

/** ‖Δw‖ / ‖w‖, where 1e-3 is healthy: at the first steps, of a loss that rises, of one that stays, and of any. */
const [replaced, thrownAway, loose, bouncing, wild] = [0.1, 0.05, 3e-3, 0.01, 0.03]
/** And of one that changes the weights at all. */
const noticeable = 1e-3
/** The loss against chance level (the first loss, where that is not known). */
const [bad, dull, some] = [0.4, 0.15, 0.05]
/** Fall over the last half, against the level. */
const [stuck, settled, rising] = [0.3, 0.05, 0.15]
/** The loss comes back from so many times where it began. */
const stumble = 5

/**
 * Where nobody recorded the steps: times that an untrained model loses, what a constant prediction does better, and the fall over
 * the last half of a loss that will still come down.
 */
const [thrown, above, coming] = [3, 1.05, 0.5]

/** The loss falls to a bad level and stays there, or weights change by far more than a thousandth a step. */
export const learningRateTooHigh: Rule = {
  name: 'learningRateTooHigh',
  explains: [
    'learningRateTooLow',
    'deadRelus',
    'saturatedUnits',
    'classCollapse',
    'lossTooNoisy',
    'underfitting',
    'plateau',
    'slowLayer',
    'gradients',
  ],
  find(picture) {
    const { steps } = picture.recording
    // Once a layer is dead, that is what is to be told.
    if (!picture.hasEnoughSteps || picture.isCutByDeadRelus) return null
    const { earlyRatio, ratio, base, level } = picture
    const peak = largest(steps.lossMost)
    const picked = picture.isRecorded ? pick(picture, peak) : (pickByEpochs(picture, peak) ?? pick(picture, peak))
    if (!picked) return null
    return {
      severity: picked === 'stuck' || (!picture.isRecorded && picture.isStuck) ? 'severe' : 'warning',
      message: `${texts[picked](level, base, peak, picture.baseName)}; ${picture.updates}, where 1e-3 is healthy`,
      evidence: { updateRatio: ratio, earlyUpdateRatio: earlyRatio, level, base, peak },
      advice: `take a tenth of the learning rate (it is ${short(steps.learningRate[0]!)}), or let it begin small with warmup()${picked === 'thrown' ? '; scale the inputs, if they are not' : ''}`,
      since: picture.at(steps.step[0]!),
    }
  },
}

const texts = {
  stuck: (level: number, base: number, _peak: number, name: string) =>
    `The loss is stuck at ${short(level)}, where ${name} is ${short(base)}`,
  thrown: (level: number, base: number, peak: number, name: string) =>
    `The loss was up at ${short(peak)} and is stuck at ${short(level)}, where ${name} is ${short(base)}`,
  above: (level: number, base: number, _peak: number, name: string) =>
    `The loss stays at ${short(level)}, above ${name} (${short(base)}): a constant prediction does better`,
  rising: (level: number) => `The training loss has come up again to ${short(level)}`,
  bouncing: (level: number) => `The loss bounces around ${short(level)} and no longer falls`,
  stumbling: (_level: number, base: number, peak: number) =>
    `The first steps threw the loss from ${short(base)} up to ${short(peak)} before it fell`,
  wild: () => 'The weights change too much at each step',
}

/** By epochs alone. At a rate too low the loss may be above chance level as well, but there it began, and nothing changes. */
function pickByEpochs(picture: Picture, peak: number): keyof typeof texts | null {
  const { base, ceiling, level, ratio, chance, isWeighted } = picture
  if (chance === null || isWeighted) return null
  const fall = -rise(part(picture.recording.steps.loss, 0.5, 1)) / (level - picture.least)
  if (peak > thrown * Math.max(ceiling, level) && picture.shareLeft(level) >= bad && fall < coming) return 'thrown'
  return level > above * base && ratio > noticeable && fall < settled ? 'above' : null
}

function pick(picture: Picture, peak: number): keyof typeof texts | null {
  const { recording, earlyRatio, ratio, level } = picture
  const { loss } = recording.steps
  const fall = -rise(part(loss, 0.5, 1)) / (level - picture.least)
  const left = picture.shareLeft(level)
  if (earlyRatio > replaced && left >= bad && fall < stuck) return 'stuck'
  if (ratio > loose && left >= some && fall < -rising) return 'rising'
  if (ratio > bouncing && left >= dull && fall < settled) return 'bouncing'
  if (earlyRatio > thrownAway && peak > stumble * Math.max(picture.ceiling, loss[0]!)) return 'stumbling'
  // What muon() makes of gradients has all directions alike: a large update is no sign of trouble by itself.
  return ratio > wild && picture.optimizer !== 'muon' ? 'wild' : null
}
