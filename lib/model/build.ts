/** The two ways to put layers together. */
import { checkSeed, oneOf } from '../checks.js'
import { describe, GradusError, invalidArgument } from '../errors.js'
import { applyLayer, GraphNode, isLayer, type Layer } from '../layers/layer.js'
import { checkShape } from '../layers/shape.js'
import type { DataType } from '../native.js'
import { anything, needed, optionsOf } from '../options.js'
import { type Network, nameThings } from './lower.js'
import { Model } from './model.js'

export interface ModelOptions {
  /** Everything random about the model and its training follows from it; 0 unless given. 0 to 2⁵³ − 1. */
  seed?: number | undefined
  /** Of weights, data and arithmetic; `'float64'` is for checking gradients. Default `'float32'`. */
  dtype?: DataType | undefined
}

export interface SequentialOptions extends ModelOptions {
  /** Shape of one example: `[784]`, `[28, 28]`. */
  input: number | readonly number[]
}

export interface GraphOptions extends ModelOptions {
  /** In the order in which data will be given. */
  inputs: readonly GraphNode[]
  output: GraphNode
}

const modelRules = { seed: [checkSeed, 0], dtype: [oneOf('float32', 'float64'), 'float32'] } as const
const readSequential = optionsOf<SequentialOptions>()('sequential', { ...modelRules, input: needed(checkShape) })
const readGraph = optionsOf<GraphOptions>()('graph', {
  ...modelRules,
  inputs: needed(anything<readonly GraphNode[]>),
  output: needed(anything<GraphNode>),
})

/**
 * A model of layers one after another.
 *
 * @throws GRADUS_SHAPE_MISMATCH naming the first layer that its input does not fit
 * @example
 * const model = sequential({ input: [784], seed: 1 }, [dense(256), relu(), dropout(0.5), dense(10)])
 */
export function sequential(options: SequentialOptions, layers: readonly Layer[]): Model {
  if (Array.isArray(options)) {
    const message = 'sequential: expected options before the layers, as in sequential({ input: [784] }, [dense(10)])'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const { input, ...settings } = readSequential(options)
  const first = new GraphNode(checkShape('input', input), null, [], 'input')
  if (!Array.isArray(layers)) throw invalidArgument('layers', 'an array of layers', layers)
  if (!layers.length) throw invalidArgument('layers', 'at least one layer', layers)
  for (const [i, layer] of layers.entries()) checkLayer(`layers[${i}]`, layer)
  const names = nameThings([first, ...layers])
  const output = layers.reduce((node, layer) => applyLayer(layer, [node], names.get(layer)), first)
  return new Model({ ...settings, inputs: [first], output })
}

/**
 * A model of layers joined in any way that leads from its inputs to one output. A layer called twice shares its weights.
 *
 * @example
 * const x = input([64])
 * const hidden = relu()(dense(64)(x))
 * const model = graph({ inputs: [x], output: dense(10)(add(x, hidden)), seed: 1 })
 */
export const graph = (options: GraphOptions): Model => new Model(checkGraph(options))

/** @internal The network of {@link graph}. */
export function checkGraph(options: GraphOptions): Network {
  const { inputs, output, ...settings } = readGraph(options)
  if (!Array.isArray(inputs) || !inputs.length) throw invalidArgument('inputs', 'an array of inputs', inputs)
  inputs.forEach((node, i) => {
    if (!(node instanceof GraphNode) || node.layer) throw invalidArgument(`inputs[${i}]`, 'input(…)', node)
    if (inputs.indexOf(node) < i) throw new GradusError('GRADUS_INVALID_ARGUMENT', `inputs[${i}]: given twice`)
  })
  if (!(output instanceof GraphNode)) throw invalidArgument('output', 'a node of the graph', output)
  if (!output.layer) throw invalidArgument('output', 'a node that a layer gives', output)
  return { ...settings, inputs: [...inputs], output }
}

function checkLayer(argument: string, layer: unknown): void {
  if (isLayer(layer)) return
  const advice = typeof layer === 'function' && layer.name ? `; did you mean ${layer.name}()?` : ''
  const received = describe(layer) + advice
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `${argument}: expected a layer, received ${received}`)
}
