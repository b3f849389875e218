/** What is said when no rule has anything to say. */
import { percent, short } from '../../words.js'
import { largest } from './curve.js'
import type { Observation } from './finding.js'
import { enoughSteps, type Picture } from './picture.js'

export function tooShort(picture: Picture): Observation {
  const { span } = picture
  const { count } = picture.recording.steps
  return {
    severity: 'info',
    message: `Too little to judge: ${count} records of ${span} steps, and nothing is wrong with them`,
    evidence: { steps: span, records: count, enough: enoughSteps },
    advice: `train for ${enoughSteps} steps and some epochs with validation`,
    since: picture.at(0),
  }
}

export function healthy(picture: Picture): Observation {
  const { steps } = picture.recording
  const { level, ratio, chance } = picture
  const last = picture.validated.at(-1)
  const dead = largest(picture.relus.map(({ share }) => share))
  const good = [
    `the loss went from ${short(picture.first)} to ${short(level)}${chance === null ? '' : ` (chance level ${short(chance)})`}`,
    ...(ratio >= 0 ? [picture.updates] : []),
    ...(last ? [`validation loss ${short(last.valLoss)} vs. ${short(last.loss)} in training`] : []),
    ...(dead >= 0 ? [`at most ${percent(dead)} of a layer's relus are dead`] : []),
  ]
  return {
    severity: 'info',
    message: `Nothing to report: ${good.join(', ')}`,
    evidence: {
      ...{ begin: picture.first, level, chance, updateRatio: ratio },
      ...(last && { loss: last.loss, valLoss: last.valLoss }),
      ...(dead >= 0 && { dead }),
    },
    advice: last ? '' : 'give fit() validation data: overfitting shows only there',
    since: picture.at(steps.step[0] ?? 0),
  }
}
