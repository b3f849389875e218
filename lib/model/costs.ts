/** What the layers of a network cost, and how much of an image they see. */
import type { GraphNode } from '../layers/layer.js'
import { type Shape, sizeOf } from '../layers/shape.js'
import type { NodeDescriptor } from '../native.js'
import type { Lowered, Step } from './lower.js'

const isConvolution = ({ op }: NodeDescriptor): boolean => op === 'convolution'
const isTransposed = ({ outputPadding }: NodeDescriptor): boolean => outputPadding !== undefined

export const hasConvolutions = ({ descriptor }: Lowered): boolean => descriptor.nodes.some(isConvolution)

/**
 * Products with weights that each step makes for one example, those with padding among them; of layers that multiply
 * by no matrix, as norms and pools, none.
 */
export function multiplyAdds({ descriptor, steps }: Lowered): number[] {
  return steps.map(({ ops, node }) => {
    const costs = ops.map((op) => {
      const weight = op.parameters?.weight
      if (weight === undefined || (op.op !== 'dense' && !isConvolution(op))) return 0
      const places = placesOf(isTransposed(op) ? node.inputs[0]!.shape : node.shape)
      return places * sizeOf(descriptor.parameters[weight]!.shape)
    })
    return costs.reduce((sum, cost) => sum + cost, 0)
  })
}

/** Pixels of an image, places of a line. */
const placesOf = (shape: Shape): number => sizeOf(shape.slice(0, -1))

/** Of an input's axes: so many pixels are seen by one place of a value, and so many lie between neighbours. */
interface Sight {
  readonly seen: readonly number[]
  readonly apart: readonly number[]
}

/**
 * How many pixels of an input one place of each step sees, by axis: its receptive field (Araujo et al. 2019). `'all'` once a
 * layer joins the pixels.
 */
export function receptiveFields({ descriptor, steps }: Lowered): (readonly number[] | 'all')[] {
  const sights = new Map<GraphNode, Sight | 'all'>()
  return steps.map((step) => {
    const sight = sightOf(step, sights, (number) => descriptor.parameters[number]!.shape)
    sights.set(step.node, sight)
    return sight === 'all' ? sight : sight.seen.map(Math.ceil)
  })
}

/** Of the pixels themselves. */
const pixelsOf = (axes: number): Sight => ({ seen: new Array(axes).fill(1), apart: new Array(axes).fill(1) })

function sightOf(
  { node, ops }: Step,
  sights: ReadonlyMap<GraphNode, Sight | 'all'>,
  shapeOf: (parameter: number) => Shape,
): Sight | 'all' {
  const axes = Math.max(0, node.shape.length - 1)
  if (!node.layer) return pixelsOf(axes)
  const from = node.inputs.map((input) => sights.get(input)!)
  const known = from.filter((sight) => sight !== 'all')
  const [first] = known
  if (!first || known.length < from.length || (axes === 0 && ops.some(({ op }) => op === 'dense'))) return 'all'
  // A reshape of pixels that nothing has joined yet.
  if (first.seen.length !== axes)
    return known.every(({ seen }) => seen.every((one) => one === 1)) ? pixelsOf(axes) : 'all'
  const seen = first.seen.map((_, axis) => Math.max(...known.map((one) => one.seen[axis]!)))
  return ops.reduce<Sight>((sight, op) => through(op, sight, shapeOf), { seen, apart: first.apart })
}

function through(op: NodeDescriptor, { seen, apart }: Sight, shapeOf: (parameter: number) => Shape): Sight {
  const axes = seen.length
  const pair = (value: unknown): readonly number[] =>
    Array.isArray(value) ? value.slice(-axes) : new Array(axes).fill(1)
  const [stride, dilation, factor] = [pair(op.stride), pair(op.dilation), pair(op.factor)]
  const kernel = isConvolution(op) ? shapeOf(op.parameters!.weight!).slice(0, -2) : pair(op.kernel)
  const extent = kernel.map((taps, axis) => (taps - 1) * dilation[axis]! + 1)
  // A pixel of a transposed convolution has something of each input that lies within its extent.
  const met = extent.map((pixels, axis) => {
    if (op.bilinear === true) return factor[axis]! > 1 ? 2 : 1
    return isTransposed(op) ? Math.ceil(pixels / stride[axis]!) : pixels
  })
  const shrinks = isTransposed(op) ? stride.map((step) => 1 / step) : stride.map((step, axis) => step / factor[axis]!)
  return {
    seen: seen.map((pixels, axis) => pixels + (met[axis]! - 1) * apart[axis]!),
    apart: apart.map((pixels, axis) => pixels * shrinks[axis]!),
  }
}
