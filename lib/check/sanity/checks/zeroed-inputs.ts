import type { ColumnData } from '../../../data/column.js'
import type { Examples } from '../../../data/examples.js'
import { countExamples, spreadExamples } from '../../subset.js'
import { failed, passed, type SanityCheck, short } from '../check.js'
import type { Context } from '../context.js'
import { chanceOf } from './initial-loss.js'

const lookedAt = 256

/** Without inputs the untrained model is at chance: nothing but the inputs tells examples apart. */
export const zeroedInputs: SanityCheck = {
  name: 'zeroedInputs',
  needs: 'targets',
  async run(context) {
    const chance = await chanceOf(context)
    const { base } = context
    const pass = await context.pass(await context.resident(zeroed(context)))
    const { loss } = await context.call(base, () => base.program.gradient({ ...pass, term: 'data' }))
    if (!chance)
      return passed('unknown', loss, `with all inputs 0 the loss is ${short(loss)}; chance level is not known for it`)
    const what = `chance level is ${short(chance.loss)}`
    if (loss <= chance.limit) return passed(chance.loss, loss, `with all inputs 0 the loss is ${short(loss)}; ${what}`)
    const message = `with all inputs 0 the loss is ${short(loss)}, far above chance: ${what}`
    return failed(
      chance.loss,
      loss,
      message,
      'the biases are too large, or the targets are far from 0: start the last bias at their mean',
    )
  },
}

function zeroed({ examples, model }: Context): Examples {
  const { inputs } = model
  const some = spreadExamples(examples, lookedAt, inputs)
  const rows = countExamples(some, inputs)
  const isIndex = inputs.some(({ kind }) => kind === 'index')
  // Row numbers have no zero that means nothing.
  if (isIndex) return some
  const zeros = inputs.map(
    ({ name, shape }) => [name, new Float32Array(rows * shape.reduce((a, b) => a * b, 1))] as const,
  )
  const x: Examples['x'] = zeros.length === 1 ? zeros[0]![1] : (Object.fromEntries(zeros) as Record<string, ColumnData>)
  return { ...some, x }
}
