import { short } from '../../../words.js'
import { largest } from '../curve.js'
import type { Picture } from '../picture.js'
import type { Rule } from '../rule.js'

/** So many times the initial loss, or that of an untrained model, is an explosion. */
const explosion = 20

/**
 * What the loss began at. Of epochs alone the first may hold the explosion already: then an untrained model stands for it, if
 * the loss has gone far up or down at all, as one that began high at a rate too low does not.
 */
function beginOf(picture: Picture, peak: number): number {
  const first = picture.recording.steps.loss[0] ?? Number.NaN
  const isKnown = picture.isRecorded || picture.chance === null || picture.isWeighted
  const hasMoved = picture.level < 0.5 * peak || peak > 2 * first
  return isKnown || !hasMoved ? Math.max(picture.ceiling, first) : picture.ceiling
}

/** The loss explodes. */
export const learningRateMuchTooHigh: Rule = {
  name: 'learningRateMuchTooHigh',
  explains: [
    ...['learningRateTooHigh', 'learningRateTooLow', 'deadRelus', 'saturatedUnits', 'gradients', 'slowLayer'],
    ...['classCollapse', 'lossTooNoisy', 'nearStabilityLimit', 'underfitting', 'plateau', 'overfitting'],
  ],
  find(picture) {
    const { steps } = picture.recording
    const peak = largest(steps.lossMost)
    const begin = beginOf(picture, peak)
    // One that comes down well below where it began has only stumbled.
    if (!(peak > explosion * begin) || picture.level < 0.5 * begin) return null
    const bucket = steps.lossMost.findIndex((loss) => loss > explosion * begin)
    return {
      severity: 'severe',
      message: `The loss explodes: from ${short(begin)} up to ${short(peak)}, ${Number.isFinite(picture.level) ? `and ends at ${short(picture.level)}` : 'and is NaN at the end'}`,
      evidence: { begin, peak, level: picture.level, earlyUpdateRatio: picture.earlyRatio },
      advice: `the learning rate ${short(steps.learningRate[Math.max(0, bucket)]!)} is far too high${picture.isRecorded ? '' : ', or the inputs are not scaled'}: take a hundredth of it, then find the largest that goes well`,
      since: picture.atBucket(bucket),
    }
  },
}
