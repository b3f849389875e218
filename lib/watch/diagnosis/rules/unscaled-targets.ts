import { targetProblem } from '../../../check/chance.js'
import { percent, short } from '../../../words.js'
import type { Rule } from '../rule.js'

/** Share of the variance that is left: less is a good fit, whatever the scale. */
const goodFit = 0.1

/** The targets of a regression are far from the order of 1, and the fit is poor. */
export const unscaledTargets: Rule = {
  name: 'unscaledTargets',
  explains: [
    ...['learningRateMuchTooHigh', 'badInitialization', 'learningRateTooHigh', 'deadRelus', 'gradients'],
    ...['learningRateTooLow', 'slowLayer', 'lossTooNoisy', 'underfitting', 'plateau'],
  ],
  find(picture) {
    const { targets } = picture.recording.info
    const problem = targets && targetProblem(targets)
    const { chance, level } = picture
    if (!problem || chance === null || !picture.hasEnoughSteps || level < goodFit * chance) return null
    const { mean, deviation } = targets
    return {
      severity: picture.isStuck ? 'severe' : 'warning',
      message: `The targets are not scaled (${problem}: mean ${short(mean!)}, standard deviation ${short(deviation!)}), and ${percent(level / chance)} of chance level is left of the loss (${short(level)} of ${short(chance)})`,
      evidence: { mean, deviation, level, chance, shareLeft: level / chance },
      advice: 'standardize() the targets, and scale the predictions back',
      since: picture.at(picture.recording.steps.step[0] ?? 0),
    }
  },
}
