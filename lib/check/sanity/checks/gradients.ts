import type { FloatArray } from '../../../native.js'
import { cancelledBiases } from '../../cancelled.js'
import { failed, passed, type SanityCheck } from '../check.js'
import type { Context } from '../context.js'

/** Every parameter receives a gradient, and the units of a layer are not all the same one. */
export const gradients: SanityCheck = {
  name: 'gradients',
  needs: 'targets',
  async run(context) {
    const { base } = context
    const { parameters } = base.descriptor
    const expected = 'a gradient for every parameter'
    const frozen = frozenOnes(context)
    if (frozen.length) {
      const message = `${list(frozen)} ${frozen.length > 1 ? 'are' : 'is'} frozen (trainable: false) and will not learn`
      return failed(
        expected,
        `${frozen.length} frozen`,
        message,
        "meant so: skip: ['gradients']; else leave trainable out",
      )
    }
    const pass = await context.pass()
    await context.call(base, () => base.program.gradient({ ...pass, term: 'data' }))
    const zero: string[] = []
    const same: string[] = []
    const cancelled = cancelledBiases(base.descriptor)
    for (const [number, { name, shape, trainable }] of parameters.entries()) {
      if (!trainable || cancelled.has(number)) continue
      const gradient = base.program.read('gradients', number)
      if (gradient.every((value) => value === 0)) zero.push(name)
      else if (areAlike(base.program.read('parameters', number), gradient, shape)) same.push(name)
    }
    if (zero.length) {
      const message = `${list(zero)} ${zero.length > 1 ? 'receive' : 'receives'} no gradient; ${causeOf(context)}`
      return failed(
        expected,
        `${zero.length} without`,
        message,
        "init: 'he' before relu, 'xavier' before tanh; biases may be zero, weights not",
      )
    }
    if (same.length) {
      const message = `all units of ${list(same)} start alike and have the same gradient: they will stay one unit`
      return failed(
        'units that differ',
        `${same.length} tensors of equal units`,
        message,
        "initialise at random: init: 'he'",
      )
    }
    const remark = cancelled.size ? remarkOn(context, cancelled) : ''
    return passed(expected, 'all of them', `every parameter receives a gradient${remark}`)
  },
}

/** Of biases before batch norm: they do no harm. */
function remarkOn({ base }: Context, cancelled: ReadonlyMap<number, number>): string {
  const names = [...cancelled.keys()].map((number) => base.descriptor.parameters[number]!.name)
  const [[bias, node]] = [...cancelled] as [[number, number]]
  const isDense = base.descriptor.nodes.some(({ op, parameters }) => op === 'dense' && parameters?.bias === bias)
  return ` but ${list(names)}, which ${base.program.opNames[node]} subtracts with the mean of the batch: ${isDense ? 'dense' : 'conv2d'}(…, { bias: false }) saves it`
}

const list = (names: readonly string[]): string =>
  names.slice(0, 4).join(', ') + (names.length > 4 ? ` and ${names.length - 4} more` : '')

/** Running averages of batch norm are not trained by anybody. */
function frozenOnes({ base }: Context): string[] {
  const running = new Set(
    base.descriptor.nodes
      .filter(({ op }) => op === 'batch_norm')
      .flatMap(({ parameters = {} }) => [parameters.mean, parameters.variance]),
  )
  return base.descriptor.parameters.flatMap(({ name, trainable }, i) => (trainable || running.has(i) ? [] : [name]))
}

function causeOf({ base }: Context): string {
  const zeros = base.descriptor.parameters.flatMap(({ name, shape }, i) =>
    shape.length > 1 && base.program.read('parameters', i).every((value) => value === 0) ? [name] : [],
  )
  if (zeros.length)
    return `${list(zeros)} ${zeros.length > 1 ? 'are' : 'is'} initialised to zero, and nothing passes through it`
  return 'the units above are dead, or nothing leads from it to the loss'
}

/** Whether the columns of a matrix, and those of its gradient, are all equal: two units or more that are one. */
function areAlike(weights: FloatArray, gradient: FloatArray, shape: readonly number[]): boolean {
  const columns = shape.at(-1)!
  if (shape.length < 2 || columns < 2) return false
  const isRepeated = (array: FloatArray) => array.every((value, i) => i % columns === 0 || value === array[i - 1])
  return isRepeated(weights) && isRepeated(gradient)
}
