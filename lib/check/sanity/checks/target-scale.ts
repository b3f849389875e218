import { targetProblem } from '../../chance.js'
import { failed, passed, type SanityCheck, short } from '../check.js'

/** Targets of a regression are of the order of 1: outputs begin at 0, and each step moves them a little. */
export const targetScale: SanityCheck = {
  name: 'targetScale',
  needs: 'targets',
  async run(context) {
    const expected = 'targets of the order of 1'
    const { mean, deviation, ...facts } = (await context.targets())!.facts
    if (mean === undefined || deviation === undefined) {
      return passed(expected, 'no quantities', 'the targets are not quantities to be regressed')
    }
    const actual = `mean ${short(mean)}, standard deviation ${short(deviation)}`
    const problem = targetProblem({ ...facts, mean, deviation })
    if (problem === null) return passed(expected, actual, `the targets are of the order of 1: ${actual}`)
    if (deviation === 0) {
      const message = `y is ${short(mean)} everywhere: there is nothing to learn`
      return failed(expected, actual, message, 'look at how the targets are read')
    }
    const advice = 'standardize() the targets, and scale the predictions back'
    return failed(expected, actual, `the targets are ${problem}: ${actual}`, advice)
  },
}
