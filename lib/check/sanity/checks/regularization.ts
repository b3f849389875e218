import type { Weights } from '../../../model/weights.js'
import { failed, passed, type SanityCheck, short } from '../check.js'
import type { Context } from '../context.js'

/** Beyond so many times the data loss, training would first of all make the weights small. */
const overwhelming = 10

/** Regularizers raise the loss, by what their formula says (CS231n, "Before learning: sanity checks"). */
export const regularization: SanityCheck = {
  name: 'regularization',
  needs: 'targets',
  async run(context) {
    const { base } = context
    const penalized = base.descriptor.parameters.filter(
      ({ l1 = 0, l2 = 0, customRegularizer, trainable }) => trainable && (l1 > 0 || l2 > 0 || customRegularizer),
    )
    if (!penalized.length) return passed(0, 0, 'the model has no regularizer')
    const pass = await context.pass()
    const result = await context.call(base, () => base.program.gradient({ ...pass, term: 'data' }))
    const [raise, { loss }] = [result.regularizationLoss, result]
    if (penalized.some(({ customRegularizer }) => customRegularizer)) {
      return raise > 0
        ? passed('more than 0', raise, `regularization raises the loss by ${short(raise)}`)
        : failed(
            'more than 0',
            raise,
            `regularization changes the loss by ${short(raise)}`,
            'look at the custom regularizer',
          )
    }
    const expected = expectedPenalty(context, context.model.getWeights())
    const names = penalized.map(({ name }) => name).join(', ')
    if (Math.abs(raise - expected) > 1e-3 * expected + 1e-12 || (expected > 0 && raise <= 0)) {
      const message = `regularization raises the loss by ${short(raise)}, where the weights of ${names} give ${short(expected)}`
      return failed(expected, raise, message, 'please report it: this is a mistake of ours')
    }
    if (expected > overwhelming * loss) {
      const message = `regularization outweighs the data: ${short(raise)} against a data loss of ${short(loss)}`
      return failed(
        `at most ${overwhelming} × the data loss`,
        raise,
        message,
        `make the regularizers of ${names} weaker`,
      )
    }
    return passed(expected, raise, `regularization raises the loss by ${short(raise)}, as the weights of ${names} say`)
  },
}

/** Σ l1·|w| + l2/2·w², from the weights as anybody can read them. */
function expectedPenalty({ base }: Context, weights: Weights): number {
  let total = 0
  for (const { name, l1 = 0, l2 = 0, trainable } of base.descriptor.parameters) {
    if (!trainable || !(l1 > 0 || l2 > 0)) continue
    for (const w of weights[name]!.data) total += l1 * Math.abs(w) + (l2 / 2) * w * w
  }
  return total
}
