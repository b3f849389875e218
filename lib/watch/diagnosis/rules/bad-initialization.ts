import { short } from '../../../words.js'
import type { Observation } from '../finding.js'
import type { Picture } from '../picture.js'
import type { Rule } from '../rule.js'

/** From the first to the last layer of a kind: what comes of ten times each way is still told as one. */
const widest = 100
/** The first loss against that of guessing evenly. */
const tooFar = 10

/** The spread of the layers' values vanishes or explodes with depth before anything is learned. */
export const badInitialization: Rule = {
  name: 'badInitialization',
  explains: [
    ...['learningRateTooHigh', 'learningRateTooLow', 'deadRelus', 'saturatedUnits', 'gradients', 'slowLayer'],
    ...['classCollapse', 'underfitting', 'plateau', 'lossTooNoisy'],
  ],
  find: (picture) => spreadWithDepth(picture) ?? farFromChance(picture),
}

function spreadWithDepth(picture: Picture): Observation | null {
  // Layers of one kind: a norm makes its values 1 whatever the layer before it gives.
  for (const op of new Set(picture.hiddenLayers.map((layer) => layer.op))) {
    const spreads = picture.hiddenLayers
      .filter((layer) => layer.op === op && !['softmax', 'reshape', 'dropout', 'spatial_dropout'].includes(op))
      .map(({ name, deviation }) => ({ name, deviation: deviation[0]! }))
    const [first] = spreads
    const bad = spreads.find(({ deviation }) => {
      const factor = deviation / first!.deviation
      return factor > widest || factor < 1 / widest
    })
    if (!first || !bad) continue
    const last = spreads.at(-1)!
    const explodes = bad.deviation > first.deviation
    return {
      severity: picture.isStuck ? 'severe' : 'warning',
      message: `Activations ${explodes ? 'explode' : 'vanish'} with depth before training: their standard deviation is ${short(first.deviation)} after ${first.name}, ${short(last.deviation)} after ${last.name}`,
      evidence: {
        op,
        deviations: Object.fromEntries(spreads.map(({ name, deviation }) => [name, deviation])),
        level: picture.level,
      },
      advice: `make the initial weights ${explodes ? 'smaller' : 'larger'}: init: 'he' before relu, 'xavier' before tanh, or put batchNorm() or layerNorm() between`,
      since: picture.atLook(0),
    }
  }
  return null
}

function farFromChance(picture: Picture): Observation | null {
  const { steps } = picture.recording
  const begin = steps.lossLeast[0] ?? Number.NaN
  // Where nobody recorded the steps, the first loss is that of a whole epoch.
  if (picture.start === null || !(begin > tooFar * picture.start) || !picture.isRecorded) return null
  return {
    severity: picture.isStuck ? 'severe' : 'warning',
    message: `The initial loss is ${short(begin)}, where an untrained model should be at ${short(picture.start)}: it is confident, and wrong`,
    evidence: { begin, expected: picture.start, level: picture.level },
    advice: "make the initial weights smaller (init: 'he' before relu, 'xavier' before tanh) and scale the inputs",
    since: picture.atBucket(0),
  }
}
