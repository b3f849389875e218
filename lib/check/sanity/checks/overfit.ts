import type { ModelCopy } from '../../../model/copy.js'
import type { NativeDataset } from '../../../native.js'
import { spreadExamples } from '../../subset.js'
import { type Finding, failed, passed, percent, type SanityCheck, short } from '../check.js'
import { type Context, unrestrained } from '../context.js'
import { train } from '../training.js'
import { chanceLoss } from './initial-loss.js'
import { rateOf } from './learning-rate.js'

const mostSteps = 2000
/** The loss is looked at after so many. */
const round = 100
/** Nearly zero: this share of chance level. */
const nearZero = 0.05
/** What must be gained at the rate of the model's own, where only a larger one reaches the end. */
const someProgress = 0.1

interface Attempt {
  readonly rate: number
  readonly loss: number
  readonly steps: number
}

/**
 * A few examples are memorized, without regularization and dropout (CS231n: "unless you pass this sanity check with
 * a small dataset it is not worth proceeding to the full dataset").
 */
export const overfit: SanityCheck = {
  name: 'overfit',
  needs: 'targets',
  async run(context) {
    const examples = spreadExamples(context.examples, context.settings.overfitExamples, context.model.inputs)
    const dataset = await context.resident(examples)
    const first = context.copy(unrestrained)
    const { loss: start } = await evaluate(context, first, dataset)
    const goal = nearZero * Math.min(start, (await chanceLoss(context)) ?? start)
    const rate = rateOf(context)
    const own = await attempt(context, first, dataset, rate, goal)
    if (own.loss <= goal) return success(own, dataset.size, goal)
    for (const factor of [10, 0.1]) {
      const other = await attempt(context, context.copy(unrestrained), dataset, factor * rate, goal)
      if (rate === 0 || !(other.loss <= goal)) continue
      if (own.loss > (1 - someProgress) * start) return failure(own, dataset.size, start, goal, other)
      return success(
        other,
        dataset.size,
        goal,
        `; at the learning rate ${rate} the loss only reaches ${short(own.loss)}`,
      )
    }
    return failure(own, dataset.size, start, goal)
  },
}

async function attempt(
  context: Context,
  copy: ModelCopy,
  dataset: NativeDataset,
  rate: number,
  goal: number,
): Promise<Attempt> {
  let loss = Number.POSITIVE_INFINITY
  let steps = 0
  while (steps < mostSteps) {
    const results = await train(context, copy, { dataset, batchSize: dataset.size, steps: round, rate, epoch: steps })
    steps += results.reduce((sum, { updates }) => sum + updates, 0)
    loss = (await evaluate(context, copy, dataset)).loss
    if (loss <= goal || !Number.isFinite(loss) || results.at(-1)!.gaveUp || rate === 0) break
  }
  return { rate, loss, steps }
}

const evaluate = async (context: Context, copy: ModelCopy, dataset: NativeDataset) => {
  const pass = await context.pass(dataset)
  return context.call(copy, () => copy.program.gradient({ ...pass, term: 'data' }))
}

const expectedOf = (goal: number): string => `at most ${short(goal)}`

function success({ loss, steps, rate }: Attempt, examples: number, goal: number, remark = ''): Finding {
  const message = `${examples} examples are memorized in ${steps} steps at the learning rate ${short(rate)}: loss ${short(loss)}`
  return passed(expectedOf(goal), loss, message + remark)
}

function failure(own: Attempt, examples: number, start: number, goal: number, other?: Attempt): Finding {
  const far = percent(Math.max(0, 1 - own.loss / start))
  const way = `${examples} examples are not memorized: after ${own.steps} steps the loss is ${short(own.loss)}, ${far} below ${short(start)}`
  if (own.rate === 0) {
    return failed(
      expectedOf(goal),
      own.loss,
      `${way}; the learning rate is 0`,
      'begin with adam({ learningRate: 1e-3 })',
    )
  }
  if (other) {
    const message = `${way}; the learning rate ${own.rate} is wrong: at ${short(other.rate)} they are, in ${other.steps} steps`
    return failed(expectedOf(goal), own.loss, message, `take a learning rate of about ${short(other.rate)}`)
  }
  const advice =
    'look for dead or frozen layers, a loss that does not fit, examples with equal inputs and different targets, or too small a model'
  return failed(expectedOf(goal), own.loss, way, advice)
}
