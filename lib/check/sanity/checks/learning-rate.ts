import { failed, passed, type SanityCheck, short } from '../check.js'
import type { Context } from '../context.js'
import { train, updateRatios } from '../training.js'
import { chanceLoss } from './initial-loss.js'

const steps = 20
const batchSize = 32
/** Rates of the schedule that are looked at: a warm-up may begin at 0. */
const times = [0, 1, 2, 5, 10, 100, 1000]
/** Of weights changed by an update: about 1e-3 is healthy (CS231n), and half of them is throwing them away. */
const most = 0.5

/** The learning rate moves the weights, and does not throw them away. */
export const learningRate: SanityCheck = {
  name: 'learningRate',
  needs: 'targets',
  async run(context) {
    const rate = rateOf(context)
    const expected = 'an update-to-weight ratio of about 0.001'
    if (rate === 0) {
      return failed(
        expected,
        0,
        'the learning rate is 0: nothing will be learned',
        'begin with adam({ learningRate: 1e-3 })',
      )
    }
    const copy = context.copy()
    const results = await train(context, copy, { dataset: await context.sample(), batchSize, steps, rate })
    const ratios = updateRatios(results).sort((a, b) => a - b)
    const ratio = ratios[ratios.length >> 1] ?? 0
    const losses = results.flatMap(({ loss }) => [...loss])
    const last = losses.at(-1)!
    // A rare example in the last batch is no explosion.
    const begin = Math.max(losses[0]!, (await chanceLoss(context)) ?? 0)
    if (!Number.isFinite(last) || last > 10 * begin) {
      const message = `the loss explodes from ${short(losses[0]!)} to ${short(last)} in ${losses.length} steps at the learning rate ${rate}`
      return failed(expected, ratio, message, 'take a tenth of the learning rate, or scale the inputs')
    }
    if (ratio > most) {
      const message = `the update-to-weight ratio is ${short(ratio)} at the learning rate ${rate}: each step replaces the weights`
      return failed(expected, ratio, message, 'take a tenth of the learning rate')
    }
    return passed(expected, ratio, `the update-to-weight ratio is ${short(ratio)}`)
  },
}

/** The rate that training begins with, after a warm-up from 0. */
export function rateOf({ base, settings }: Context): number {
  const initial = base.optimizer.learningRate
  if (!settings.schedule) return initial
  return times.map((t) => settings.schedule!(t, initial)).find((rate) => rate > 0) ?? 0
}
