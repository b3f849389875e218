import type { NumberedExamples } from '../../../data/examples.js'
import { permutation } from '../../../data/random.js'
import { takeExamples } from '../../../data/split.js'
import type { ModelCopy } from '../../../model/copy.js'
import { adam } from '../../../optimizers/index.js'
import { type Finding, failed, passed, type SanityCheck, short, undecided } from '../check.js'
import { type Context, forEachNumber, unrestrained } from '../context.js'
import { train } from '../training.js'
import { drawRows } from './draw-rows.js'

/** Rows that are drawn, and the least that must be held out; below `many` of them the losses scatter by luck. */
const [mostDrawn, leastHeld, many] = [2500, 20, 60]
/** The losses are looked at after so many: some data are learned soon and memorized later, others take longer. */
const looks = [100, 400]
const batchSize = 32
const rate = 1e-3
const shuffles = 20
/** Standard deviations of the losses with shuffled targets that the right ones must be below; nearer than that is unclear. */
const [clear, unclear] = [3, 2.5]

/** Where it is unclear, other rows are held out. */
const attempts = 3
const expected = 'a lower loss than with shuffled targets'

/**
 * Targets have to do with inputs: after a little training, examples that were held out are predicted better than the same
 * examples with their targets shuffled.
 */
export const shuffledLabels: SanityCheck = {
  name: 'shuffledLabels',
  needs: 'targets',
  async run(context) {
    for (let attempt = 1; ; attempt++) {
      const { finding, isWorthAnother } = await compare(context, attempt)
      if (!isWorthAnother || attempt === attempts) return finding
    }
  },
}

/** Training on some of the rows, and what it says about those that are held out. */
async function compare(context: Context, seed: number): Promise<{ finding: Finding; isWorthAnother: boolean }> {
  const { trained, held, isEnough } = await drawRows(context, mostDrawn, seed)
  const of = (finding: Finding, isWorthAnother = false) => ({ finding, isWorthAnother })
  if (held.length < leastHeld) {
    return of(undecided(expected, 'too few examples', `${context.rows} examples are too few to tell`))
  }
  const take = async (rows: Uint32Array) =>
    scaled(context, takeExamples(context.examples, rows, context.rows), rows.length)
  const unseen = await take(held)
  const copy = context.copy((descriptor) => ({ ...unrestrained(descriptor), optimizer: adam().descriptor }))
  const dataset = await context.resident(await take(trained))
  let found = ''
  let [right, nearest] = [Number.NaN, Number.NEGATIVE_INFINITY]
  for (const [i, steps] of looks.entries()) {
    // Epochs of other numbers come in another order.
    await train(context, copy, { dataset, batchSize, steps: steps - (looks[i - 1] ?? 0), rate, epoch: 1000 * i })
    const losses = await lossesOf(context, copy, unseen, held.length)
    right = losses.right
    const { mean, deviation } = momentsOf(losses.shuffled)
    found = `after ${steps} steps the loss on held-out examples is ${short(right)}, vs. ${short(mean)} with their targets shuffled`
    if (right < mean - clear * deviation) return of(passed(expected, right, found))
    if (right < mean) nearest = Math.max(nearest, (mean - right) / deviation)
  }
  const areMany = held.length >= many
  if (!isEnough || nearest > (areMany ? unclear : 0)) {
    const message = `too few examples${isEnough ? '' : ' of most classes'} to tell: ${found}`
    return of(undecided(expected, right, message), isEnough && areMany)
  }
  const message = `the labels seem to be shuffled, or to have nothing to do with the inputs: ${found}`
  const advice = 'look at some examples with their labels; were x and y put in order together?'
  return of(failed(expected, right, message, advice))
}

/** Of examples with their own targets, and with targets in other orders. */
async function lossesOf(context: Context, copy: ModelCopy, examples: NumberedExamples, rows: number) {
  const lossOf = async (given: NumberedExamples) => {
    const call = { dataset: await context.resident(given), batchSize: 256, threads: context.settings.threads }
    return (await context.call(copy, () => copy.program.evaluate(call))).loss
  }
  const right = await lossOf(examples)
  const shuffled: number[] = []
  for (let n = 0; n < shuffles; n++) shuffled.push(await lossOf(withShuffledTargets(examples, rows, n)))
  return { right, shuffled }
}

function momentsOf(losses: readonly number[]): { mean: number; deviation: number } {
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length
  const squares = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0)
  return { mean, deviation: Math.sqrt(squares / (losses.length - 1)) }
}

/** Targets of a regression about 0 and of deviation 1: their scale is another check's matter, and would hide this one's. */
async function scaled(context: Context, examples: NumberedExamples, rows: number): Promise<NumberedExamples> {
  const { mean, deviation } = (await context.targets())!.facts
  const column = context.targetColumn(examples, rows)
  if (!column || mean === undefined || !deviation) return examples
  const y = new Float64Array(rows * column.elements)
  await forEachNumber(column, (value, row, element) => {
    y[row * column.elements + element] = (value - mean) / deviation
  })
  return { ...examples, y }
}

function withShuffledTargets(examples: NumberedExamples, rows: number, seed: number): NumberedExamples {
  const { y } = takeExamples(examples, permutation(rows, seed + 1), rows)
  return { ...examples, y }
}
