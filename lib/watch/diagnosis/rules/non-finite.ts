import { percent } from '../../../words.js'
import { median, part } from '../curve.js'
import type { Since } from '../finding.js'
import type { Picture } from '../picture.js'
import type { Rule } from '../rule.js'

/** More of all steps refused than that is no accident. */
const mostRefused = 0.01

/** Numbers stopped being finite: steps were refused. */
export const nonFinite: Rule = {
  name: 'nonFinite',
  explains: ['learningRateTooHigh', 'learningRateTooLow', 'gradients', 'deadRelus', 'classCollapse', 'underfitting'],
  find(picture) {
    const { refusal, steps, end } = picture.recording
    const since = beginOf(picture)
    if (!since) return null
    const counted = picture.recording.epochs.reduce((sum, { refusedSteps }) => sum + (Number(refusedSteps) || 0), 0)
    const refused = Math.max(counted, Math.round(picture.refusedShare * steps.count))
    const all = Math.max(steps.count, picture.span)
    const isEnding = end?.stoppedBy === 'error' || median(part(steps.refused, 0.95, 1)) > 0.5
    const place = refusal?.layer
      ? `, first in the values of ${refusal.layer}`
      : refusal?.tensor
        ? `, first in the gradient of ${refusal.tensor}`
        : ''
    return {
      severity: isEnding || refused > mostRefused * all ? 'severe' : 'warning',
      message: `NaN or infinity since step ${since.step}${place}: ${refused} of ${all} steps (${percent(refused / all)}) were refused and changed nothing`,
      evidence: { refusedSteps: refused, steps: all, layer: refusal?.layer ?? null, tensor: refusal?.tensor ?? null },
      advice:
        refusal?.layer || refusal?.tensor
          ? 'take a tenth of the learning rate or clipNorm: 1, and look at the data for values far from all others'
          : 'look at the loss: a logarithm of what is not positive, a division by zero, a target out of range; else at the learning rate',
      since,
    }
  },
}

/** Where it began, or null when all is finite. */
function beginOf(picture: Picture): Since | null {
  const { refusal, steps, layers, epochs } = picture.recording
  if (refusal) return picture.at(refusal.step)
  const bucket = steps.refused.findIndex((share) => share > 0)
  if (bucket >= 0) return picture.atBucket(bucket)
  const look = layers.step.findIndex((_, i) => layers.layers.some(({ nonfinite }) => nonfinite[i]! > 0))
  if (look >= 0) return picture.atLook(look)
  const epoch = epochs.find(({ refusedSteps }) => Number(refusedSteps) > 0)
  return epoch ? { step: epoch.step, epoch: epoch.epoch } : null
}
