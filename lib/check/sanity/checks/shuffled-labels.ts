import type { ColumnData } from '../../../data/column.js'
import type { Examples } from '../../../data/examples.js'
import { permutation } from '../../../data/random.js'
import { takeExamples } from '../../../data/split.js'
import { adam } from '../../../optimizers/index.js'
import { failed, passed, type SanityCheck, short } from '../check.js'
import { unrestrained } from '../context.js'
import { train } from '../training.js'

const [mostTrained, mostHeld, leastHeld] = [2000, 500, 20]
const steps = 400
const batchSize = 32
const rate = 1e-3
const shuffles = 20
/** Standard deviations of the losses with shuffled targets that the right ones must be below. */
const distance = 3

/**
 * Targets have to do with inputs: after a little training, examples that were held out are predicted better than the same
 * examples with their targets shuffled.
 */
export const shuffledLabels: SanityCheck = {
  name: 'shuffledLabels',
  needs: 'targets',
  async run(context) {
    const expected = 'a lower loss than with shuffled targets'
    const order = permutation(Math.min(context.rows, mostTrained + mostHeld), 1)
    const held = Math.min(mostHeld, Math.floor(order.length / 5))
    if (held < leastHeld) return passed(expected, 'too few examples', `${context.rows} examples are too few to tell`)
    // Every row of a long dataset has its chance.
    const stride = context.rows / order.length
    const rows = order.map((place) => Math.floor(place * stride))
    const take = (part: Uint32Array) => takeExamples(context.examples, part, context.rows)
    const unseen = take(rows.subarray(0, held))
    const copy = context.copy((descriptor) => ({ ...unrestrained(descriptor), optimizer: adam().descriptor }))
    const dataset = await context.resident(take(rows.subarray(held)))
    await train(context, copy, { dataset, batchSize, steps, rate })
    const lossOf = async (examples: Examples) => {
      const call = { dataset: await context.resident(examples), batchSize: 256, threads: context.settings.threads }
      return (await context.call(copy, () => copy.program.evaluate(call))).loss
    }
    const right = await lossOf(unseen)
    const losses: number[] = []
    for (let i = 0; i < shuffles; i++) losses.push(await lossOf(withShuffledTargets(unseen, held, i)))
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / shuffles
    const deviation = Math.sqrt(losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / (shuffles - 1))
    const found = `after ${steps} steps examples held out lose ${short(right)}, and ${short(mean)} with their targets shuffled`
    if (right < mean - distance * deviation) return passed(expected, right, found)
    const message = `the labels seem to be shuffled, or to have nothing to do with the inputs: ${found}`
    return failed(
      expected,
      right,
      message,
      'look at some examples with their labels; were x and y put in order together?',
    )
  },
}

function withShuffledTargets(examples: Examples, rows: number, seed: number): Examples {
  const { y } = takeExamples(examples, permutation(rows, seed + 1), rows)
  return { ...examples, y: y as ColumnData }
}
