/** What others call the weights of a layer, and how they lay them out. */
import type { Shape } from '../../layers/shape.js'
import type { Descriptor, NodeDescriptor } from '../../native.js'
import type { Lowered, Step } from '../lower.js'
import { channelOrders, type Order, type StepOrders } from './channel-order.js'

export type Origin = 'pytorch' | 'keras'

/** One weight of ours, and what it is read from. */
export interface Wanted {
  /** Number of the parameter, and its name: `conv2d1.weight`. */
  readonly parameter: number
  readonly name: string
  readonly shape: Shape
  /** What the tensor is called within its module; any of them. */
  readonly roles: readonly string[]
  /** That the tensor may have; the elements are the same in all of them. */
  readonly shapes: readonly Shape[]
  /** Dimension i of ours is dimension `axes[i]` of the first of those. */
  readonly axes: readonly number[]
  /** Element i of ours, in the dimension before the last and in the last, is theirs at `order[i]`. */
  readonly rows?: Order | undefined
  readonly columns?: Order | undefined
}

/** The weights that lie together in a module of theirs. */
export interface Unit {
  readonly layer: string
  readonly wanted: readonly Wanted[]
}

const pytorchRoles: Record<string, readonly string[]> = {
  ...{ weight: ['weight'], depthwise: ['weight'], bias: ['bias'] },
  ...{ gain: ['weight'], mean: ['running_mean'], variance: ['running_var'] },
}

/** In the order of the layers. Layers that take their numbers from data have none of others'. */
export function unitsOf({ steps, descriptor }: Lowered, from: Origin): Unit[] {
  const orders: ReadonlyMap<Step, StepOrders> = from === 'pytorch' ? channelOrders(steps) : new Map()
  return steps.flatMap((step) => {
    if (step.node.layer?.definition.adapts || step.parameters.length === 0) return []
    const of = (op: NodeDescriptor) => wantedOf(op, step, descriptor, from, orders.get(step) ?? {})
    const all = step.ops.map(of).filter((wanted) => wanted.length > 0)
    // A convolution of two parts is two modules of PyTorch, and one layer of Keras.
    const units = from === 'keras' && all.length > 1 ? [all.flat()] : all
    return units.map((wanted) => ({ layer: step.name, wanted }))
  })
}

function wantedOf(op: NodeDescriptor, step: Step, descriptor: Descriptor, from: Origin, orders: StepOrders): Wanted[] {
  return Object.values(op.parameters ?? {}).flatMap((parameter) => {
    if (!step.parameters.includes(parameter)) return []
    const { name, shape } = descriptor.parameters[parameter]!
    const isVector = shape.length === 1
    const layout = isVector ? { shapes: [shape], axes: [0] } : layouts[from](op, shape)
    const columns = isVector || op.op === 'dense' ? orders.to : undefined
    const own = name.slice(name.lastIndexOf('.') + 1)
    const roles = from === 'keras' ? kerasRoles(op, own, isPart(step)) : pytorchRoles[own]!
    const rows = op.op === 'dense' && !isVector ? orders.of : undefined
    return [{ parameter, name, shape, roles, ...layout, rows, columns }]
  })
}

const isPart = ({ ops }: Step): boolean => ops.filter(({ op }) => op === 'convolution').length > 1

interface Layout {
  readonly shapes: readonly Shape[]
  readonly axes: readonly number[]
}
const asItIs = (shape: Shape): Layout => ({ shapes: [shape], axes: shape.map((_, i) => i) })

const layouts: Record<Origin, (op: NodeDescriptor, shape: Shape) => Layout> = {
  // Outputs, inputs, then the kernel; of a transposed convolution, and ours of it, the other way round.
  pytorch({ op }, shape) {
    if (op !== 'dense' && op !== 'convolution') return asItIs(shape)
    const kernel = shape.slice(0, -2)
    const axes = [...kernel.map((_, i) => i + 2), 1, 0]
    return { shapes: [[shape.at(-1)!, shape.at(-2)!, ...kernel]], axes }
  },
  keras({ op, groups }, shape) {
    const layout = asItIs(shape)
    const [channels, outputs] = [groups as number, shape.at(-1)!]
    if (op !== 'convolution' || shape.length !== 4 || shape[2] !== 1 || !(channels > 1)) return layout
    // A depthwise one, which there has a dimension for the channels and one for the filters of each.
    return { ...layout, shapes: [[shape[0]!, shape[1]!, channels, outputs / channels], shape] }
  },
}

const kerasNormRoles: Record<string, readonly string[]> = {
  ...{ gain: ['gamma'], bias: ['beta'], mean: ['moving_mean'], variance: ['moving_variance'] },
}

/** `isPart`: of a separable convolution. */
function kerasRoles({ op, groups }: NodeDescriptor, role: string, isPart: boolean): readonly string[] {
  if (op.endsWith('_norm')) return kerasNormRoles[role]!
  if (role === 'bias') return ['bias']
  if (op === 'embedding') return ['embeddings']
  if (isPart) return [role === 'depthwise' ? 'depthwise_kernel' : 'pointwise_kernel']
  // Of Keras 3 and of those before it.
  return Number(groups) > 1 ? ['kernel', 'depthwise_kernel'] : ['kernel']
}
