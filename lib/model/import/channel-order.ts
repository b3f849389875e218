/** Where networks whose images are channels first have the elements of what was an image, or will be one. */
import { GradusError } from '../../errors.js'
import type { GraphNode } from '../../layers/layer.js'
import { formatShape, type Shape } from '../../layers/shape.js'
import type { Step } from '../lower.js'

/** Element i of ours is element `order[i]` of theirs. */
export type Order = Uint32Array
export interface StepOrders {
  /** Of the input's last dimension, and of the output's; undefined where both have the same. */
  readonly of?: Order | undefined
  readonly to?: Order | undefined
}

const elementwise = new Set(['activation', 'softmax', 'dropout', 'batch_norm', 'layer_norm', 'add'])
const ofImages = new Set([
  'convolution',
  'max_pool',
  'average_pool',
  'frame',
  'upsample',
  'group_norm',
  'spatial_dropout',
])

/** Examples are rows in both, so it is about what `flatten` and `reshape` make of images. */
export function channelOrders(steps: readonly Step[]): Map<Step, StepOrders> {
  const given = ordersGiven(steps)
  const asked = ordersAsked(steps)
  return new Map(
    steps.map((step) => {
      const [input] = step.node.inputs
      const of = input && given.get(input)
      const through = isElementwise(step) ? (of ?? asked.get(step.node)) : undefined
      return [step, { of: through ?? of, to: through ?? asked.get(step.node) }]
    }),
  )
}

const isElementwise = ({ ops }: Step): boolean => ops.length > 0 && ops.every(({ op }) => elementwise.has(op))

/** What values of one dimension have from the images below them. */
function ordersGiven(steps: readonly Step[]): Map<GraphNode, Order | undefined> {
  const orders = new Map<GraphNode, Order | undefined>()
  const images = new Set<GraphNode>()
  for (const { name, node, ops } of steps) {
    const [first] = node.inputs
    // Of two dimensions a picture without channels, or a line of them: only layers tell which.
    const begins = !first ? node.shape.length === 3 : ops.some(({ op }) => ofImages.has(op))
    const isReshape = ops.length === 1 && ops[0]!.op === 'reshape'
    const continues = first && !isReshape && !ops.some(({ op }) => op === 'embedding') && images.has(first)
    if (first && isReshape && images.has(first)) checkReshape(name, first.shape, node.shape)
    if (node.shape.length > 1 && (begins || continues || (isReshape && node.shape.length === 3))) images.add(node)
    if (!first || node.shape.length > 1) continue
    if (isReshape && images.has(first)) orders.set(node, channelsFirst(first.shape))
    else if (isReshape || ops.every(({ op }) => elementwise.has(op))) orders.set(node, orders.get(first))
    else if (ops.some(({ op }) => op === 'concat')) orders.set(node, sideBySide(node.inputs, orders))
  }
  return orders
}

/** Pixels may be counted otherwise; what mixes them with the channels does so in another order there. */
function checkReshape(name: string, from: Shape, to: Shape): void {
  if (to.length === 1 || from.at(-1) === to.at(-1) || !channelsFirst(from)) return
  const what = `${name}: a reshape of images from ${formatShape(from)} to ${formatShape(to)}`
  const why = 'takes their elements in another order where channels come first'
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `${what} ${why}: such a network cannot be taken over`)
}

/** What values of one dimension must have for the images above them. */
function ordersAsked(steps: readonly Step[]): Map<GraphNode, Order | undefined> {
  const orders = new Map<GraphNode, Order | undefined>()
  for (const step of steps.toReversed()) {
    const { node, ops } = step
    const [input] = node.inputs
    const makesImage = node.shape.length === 3 && input?.shape.length === 1 && ops[0]?.op === 'reshape'
    const order = makesImage ? channelsFirst(node.shape) : isElementwise(step) ? orders.get(node) : undefined
    if (order) for (const one of node.inputs) orders.set(one, order)
  }
  return orders
}

/** Of (height, width, channels) or (length, channels), in a row. */
function channelsFirst(shape: Shape): Order | undefined {
  const channels = shape.at(-1)!
  const pixels = shape.slice(0, -1).reduce((product, length) => product * length, 1)
  if (channels === 1 || pixels === 1) return undefined
  return Uint32Array.from({ length: pixels * channels }, (_, i) => (i % channels) * pixels + Math.floor(i / channels))
}

function sideBySide(
  inputs: readonly GraphNode[],
  orders: ReadonlyMap<GraphNode, Order | undefined>,
): Order | undefined {
  if (inputs.every((input) => !orders.get(input))) return undefined
  let begin = 0
  return Uint32Array.from(
    inputs.flatMap((input) => {
      const size = input.shape[0]!
      const order = orders.get(input)
      const part = Array.from({ length: size }, (_, i) => begin + (order ? order[i]! : i))
      begin += size
      return part
    }),
  )
}
