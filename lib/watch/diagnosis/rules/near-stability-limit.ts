import { percent, short } from '../../../words.js'
import type { Rule } from '../rule.js'

const near = 0.9

/** What multiplies 2 / λ on a quadratic, by momentum μ; only of optimizers with one rate for all weights. */
const limits: Record<string, (momentum: number) => number> = {
  sgd: () => 1,
  momentum: (momentum) => 1 + momentum,
  nesterov: (momentum) => (1 + momentum) / (1 + 2 * momentum),
}

/** As a reader knows them. */
const formulas: Record<string, string> = {
  sgd: '2/λ',
  momentum: '2(1 + μ)/λ',
  nesterov: '2(1 + μ)/((1 + 2μ)λ)',
}

/** The learning rate is about as large as the curvature of the loss lets it be. */
export const nearStabilityLimit: Rule = {
  name: 'nearStabilityLimit',
  explains: ['learningRateTooHigh', 'lossTooNoisy', 'plateau'],
  find(picture) {
    const { sharpness, steps, info } = picture.recording
    const entry = sharpness.at(-1)
    const kind = info.descriptor.optimizer?.kind ?? ''
    if (!entry || entry.learningRateLimit === null || !Object.hasOwn(limits, kind)) return null
    const bucket = Math.max(
      0,
      steps.step.findLastIndex((step) => step <= entry.step),
    )
    const momentum = steps.momentum[bucket]
    const limit =
      entry.learningRateLimit * limits[kind]!(Number.isFinite(momentum) ? momentum! : (info.options.momentum ?? 0))
    const rate = steps.learningRate[bucket] ?? info.options.learningRate
    if (!(rate > near * limit)) return null
    return {
      severity: 'warning',
      message: `The learning rate ${short(rate)} is ${percent(rate / limit)} of the stability limit ${short(limit)} (${formulas[kind]}, λ = ${short(entry.eigenvalue)})`,
      evidence: { learningRate: rate, limit, eigenvalue: entry.eigenvalue, share: rate / limit },
      advice: `expect jumps of the loss: a learning rate below ${short(limit / 2)}, or a warmup(), is safe`,
      since: { step: entry.step, epoch: entry.epoch },
    }
  },
}
