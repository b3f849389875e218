/** Layers that make one node of several. */
import { callOf } from '../call.js'
import { checkOneOf } from '../checks.js'
import { optionsOf } from '../options.js'
import { checkName, defineLayer, type GraphNode, type Layer, layerFactory } from './layer.js'
import { formatShape, type Shape, sameShape, shapeError } from './shape.js'

/** The elementwise sum of two or more nodes of equal shape, as in a residual connection. */
export const add = (...nodes: GraphNode[]): GraphNode => merge('add')(...nodes)

/** Two or more nodes side by side along the last dimension; the others must agree. */
export const concat = (...nodes: GraphNode[]): GraphNode => merge('concat')(...nodes)

const outputShapes = {
  add(inputs: readonly Shape[], label: string): Shape {
    const first = inputs[0]!
    const other = inputs.find((shape) => !sameShape(shape, first))
    if (other) throw shapeError(label, `equal shapes, all as the first, ${formatShape(first)}`, other)
    return first
  },
  concat(inputs: readonly Shape[], label: string): Shape {
    const first = inputs[0]!
    const rest = first.slice(0, -1)
    const other = inputs.find((shape) => shape.length !== first.length || !sameShape(shape.slice(0, -1), rest))
    if (other) throw shapeError(label, `shapes equal to ${formatShape(first)} but for the last dimension`, other)
    return [...rest, inputs.reduce((sum, shape) => sum + shape.at(-1)!, 0)]
  },
}

const readMerge = optionsOf<{ name?: string | undefined }>()('merge', { name: checkName }, ['kind'])

/**
 * {@link add} or {@link concat} as a layer, for giving it a name: `merge('add', { name: 'residual' })(a, b)`.
 * @function
 */
export const merge = layerFactory(
  'merge',
  2,
  (kind: 'add' | 'concat', options: { name?: string | undefined } = {}): Layer => {
    checkOneOf('kind', kind, Object.keys(outputShapes))
    const { name } = readMerge(options)
    return defineLayer({
      call: callOf('merge', kind, { name }),
      name,
      stem: kind,
      merges: true,
      outputShape: outputShapes[kind],
      lower: (scope, inputs) =>
        scope.node(
          kind,
          inputs.map((input) => input.node),
        ),
    })
  },
)
