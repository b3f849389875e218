import type { LayerStatistics } from '../../../native.js'
import { failed, passed, percent, type SanityCheck, short } from '../check.js'
import type { Context } from '../context.js'

/** By ten times each way from one layer to the next would still be told; a hundredfold over the whole depth is not well. */
const widest = 100
const mostDead = 0.4
const mostSaturated = 0.5

async function look(context: Context): Promise<LayerStatistics[]> {
  const { base } = context
  const pass = await context.pass()
  return context.call(base, () => base.program.inspect(pass))
}

/** No layer's relus are dead from the start, and no tanh or sigmoid is saturated. */
export const deadUnits: SanityCheck = {
  name: 'deadUnits',
  needs: 'targets',
  async run(context) {
    const layers = await look(context)
    const worst = (share: (layer: LayerStatistics) => number) =>
      layers.reduce<LayerStatistics | null>((a, b) => (share(b) > (a ? share(a) : 0) ? b : a), null)
    const dead = worst(({ dead, units }) => dead / units)
    const expected = `at most ${percent(mostDead)} dead, ${percent(mostSaturated)} saturated`
    if (dead && dead.dead > mostDead * dead.units) {
      const share = percent(dead.dead / dead.units)
      const message = `${dead.dead} of the ${dead.units} units of ${dead.layer} (${share}) are dead: 0 for every example`
      const advice = 'start biases at 0 (a negative bias keeps relus shut), scale the inputs, or take leakyRelu()'
      return failed(expected, `${share} dead`, message, advice)
    }
    const saturated = worst((layer) => layer.saturated)
    if (saturated && saturated.saturated > mostSaturated) {
      const share = percent(saturated.saturated)
      const message = `${share} of the values of ${saturated.layer} are saturated: hardly any gradient passes`
      return failed(
        expected,
        `${share} saturated`,
        message,
        "make the weights smaller (init: 'xavier') or scale the inputs",
      )
    }
    return passed(expected, `${percent(dead ? dead.dead / dead.units : 0)} dead`, 'no layer is dead or saturated')
  },
}

/** The spread of activations neither vanishes nor explodes from layer to layer (Glorot and Bengio 2010). */
export const activationSpread: SanityCheck = {
  name: 'activationSpread',
  needs: 'targets',
  async run(context) {
    const layers = (await look(context)).filter(
      ({ op }) => !['softmax', 'reshape', 'dropout', 'spatial_dropout'].includes(op),
    )
    const expected = `spreads within a factor of ${widest}`
    const bad = layers.find(({ nonfinite }) => nonfinite > 0)
    if (bad) {
      const message = `${bad.layer} gives ${bad.nonfinite} values that are not finite`
      return failed(expected, 'values that are not finite', message, 'make the initial weights or the inputs smaller')
    }
    const first = layers[0]
    if (!first || layers.length < 2) return passed(expected, 'one layer', 'there is only one layer')
    for (const { layer, deviation } of layers.slice(1)) {
      const ratio = deviation / first.deviation
      const spread = `their standard deviation goes from ${short(first.deviation)} after ${first.layer} to ${short(deviation)} after ${layer}`
      if (ratio > widest) {
        return failed(
          expected,
          ratio,
          `activations explode with depth: ${spread}`,
          "init: 'he' before relu, 'xavier' before tanh, or a norm layer",
        )
      }
      if (ratio < 1 / widest) {
        return failed(
          expected,
          ratio,
          `activations vanish with depth: ${spread}`,
          "init: 'he' before relu, 'xavier' before tanh, or a norm layer",
        )
      }
    }
    const last = layers.at(-1)!
    return passed(
      expected,
      last.deviation / first.deviation,
      `activations have the standard deviation ${short(first.deviation)} after ${first.layer}, ${short(last.deviation)} after ${last.layer}`,
    )
  },
}
