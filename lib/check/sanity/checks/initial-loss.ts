import { takeExamples } from '../../../data/split.js'
import type { NativeDataset } from '../../../native.js'
import { startLoss } from '../../chance.js'
import { type Finding, failed, passed, type SanityCheck, short } from '../check.js'
import type { Context } from '../context.js'
import { describeShares } from './classes.js'
import { evenRows } from './draw-rows.js'

/** What a model that knows nothing loses, and what a healthy start may lose beyond it: scores are not all 0 yet. */
interface Chance {
  readonly loss: number
  /** Of always giving the shares of the classes or the mean of the targets, for a model that starts so. */
  readonly best: number
  readonly limit: number
  readonly formula: string
}

/** Entropy of the shares against that of equal ones; below, each class is made to count alike. */
const even = 0.9
const lookedAt = 512

/** The untrained model loses what chance does, regularization left out (CS231n, "Before learning: sanity checks"). */
export const initialLoss: SanityCheck = {
  name: 'initialLoss',
  needs: 'targets',
  async run(context) {
    const chance = await chanceOf(context)
    const { base } = context
    const isEven = !chance || chance.best >= even * chance.loss
    const pass = await context.pass(isEven ? undefined : await evenSample(context))
    const { loss } = await context.call(base, () => base.program.gradient({ ...pass, term: 'data' }))
    if (!chance)
      return passed('unknown', loss, `the initial loss is ${short(loss)}; chance level is not known for this loss`)
    return judge(context, chance, loss)
  },
}

/** Each class counts alike: untrained scores lean to one side, which shows in full where nearly all examples are of one class. */
async function evenSample(context: Context): Promise<NativeDataset> {
  const { rows, weights } = await evenRows(context, lookedAt)
  return context.resident({ ...takeExamples(context.examples, rows, context.rows), sampleWeights: weights })
}

function judge(context: Context, chance: Chance, loss: number): Finding {
  const expected = chance.loss
  const what = `chance level is ${short(expected)} (${chance.formula})`
  if (!Number.isFinite(loss)) {
    return failed(
      expected,
      loss,
      `the initial loss is ${loss}; ${what}`,
      'make the initial weights or the inputs smaller',
    )
  }
  if (loss > chance.limit) {
    const times = short(loss / expected)
    const message = `the initial loss is ${short(loss)}, ${times} × what it should be: ${what}`
    return failed(
      expected,
      loss,
      `${message}; ${causeOf(context)}`,
      'the initial weights are too large, the inputs or targets are not scaled, or labels are shifted',
    )
  }
  if (loss < 0.7 * chance.best) {
    return passed(
      expected,
      loss,
      `the initial loss is ${short(loss)}, below chance level: the model knows something already; ${what}`,
    )
  }
  const imbalance = chance.best < 0.95 * expected ? `, base rate ${short(chance.best)}` : ''
  return passed(expected, loss, `the initial loss is ${short(loss)}; ${what}${imbalance}`)
}

/** The likeliest cause, by what the weights are like. */
function causeOf({ model, base }: Context): string {
  const { targets } = model.loss
  const start = base.descriptor.parameters.find(({ shape, trainable }) => trainable && shape.length > 1)
  const weights = start ? model.getWeights()[start.name]!.data : []
  const fanIn = start ? start.shape.slice(0, -1).reduce((a, b) => a * b, 1) : 1
  let squares = 0
  for (const w of weights) squares += w * w
  const deviation = Math.sqrt(squares / weights.length)
  const usual = Math.sqrt(2 / fanIn)
  if (deviation > 3 * usual) {
    return `are the weights too large? ${start!.name} deviates by ${short(deviation)}, where ${short(usual)} is usual`
  }
  return targets === 'dense' ? 'are inputs or targets not scaled?' : 'are the inputs not scaled, or the labels shifted?'
}

export const chanceLoss = async (context: Context): Promise<number | undefined> => (await chanceOf(context))?.loss

/** Scores of variance v add about v / 2 to a cross-entropy, and a healthy start has up to 2 or so, by luck more. */
const limitOf = (loss: number) => Math.max(2 * loss + 0.5, loss + 2)

/** Null for losses of which it is not known. */
export async function chanceOf(context: Context): Promise<Chance | null> {
  const { kind, parameter = 1 } = context.model.loss
  const { classes } = context
  const tally = await context.targets()
  const { chance: best, mean = 0 } = tally?.facts ?? { chance: null }
  if (!tally || best === null) return null
  if (kind === 'mean_squared_error') {
    return { loss: best, best, limit: 10 * best, formula: `the variance of y, whose mean is ${short(mean)}` }
  }
  if (kind === 'mean_absolute_error' || kind === 'huber') {
    return { loss: best, best, limit: 10 * best, formula: `of always predicting the mean of y, ${short(mean)}` }
  }
  const loss = startLoss(context.model.loss, classes)
  if (loss === null) return null
  if (kind === 'softmax_cross_entropy') {
    const square = parameter === 1 ? '' : `${parameter}² · `
    return { loss, best, limit: limitOf(loss), formula: `${square}−ln(1/${classes}); ${describeShares(tally.counts)}` }
  }
  if (kind === 'binary_cross_entropy') {
    const answers = tally.counts.reduce((sum, count) => sum + count, 0) / (context.rows * tally.counts.length)
    return { loss, best, limit: limitOf(loss), formula: `ln 2; ${short(100 * answers)} % are yes` }
  }
  const formula = kind === 'multiclass_hinge' ? `${classes} − 1 classes` : `${classes} classes`
  return { loss, best: 0, limit: 3 * loss, formula: `${formula} × the margin ${parameter}` }
}
