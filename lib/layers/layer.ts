/** What a layer is, and how layers are joined into a graph. */

import type { Call } from '../call.js'
import { factory, isRecord } from '../call.js'
import { GradusError, invalidArgument } from '../errors.js'
import type { FloatArray, ParameterDescriptor } from '../native.js'
import { optionsOf } from '../options.js'
import { settled } from '../settled.js'
import type { CustomLayer } from './hosted.js'
import { checkName, isName } from './name.js'
import type { CustomRegularizer } from './regularizers.js'
import { checkShape, checkSize, type Shape } from './shape.js'

export { checkName } from './name.js'

/**
 * One layer of a network, with weights of its own. It stands in the list of {@link sequential}, or is called on nodes of
 * a graph: `relu()(dense(64)(image))`. The same layer called twice shares its weights.
 */
export interface Layer {
  (...inputs: GraphNode[]): GraphNode
  readonly definition: LayerDefinition
}

/** What a layer's file says about it. */
export interface LayerDefinition {
  readonly call: Call
  /** As given; otherwise the model counts: `dense1`, `dense2`, … */
  readonly name?: string
  /** What the model counts, and error messages say, without a name; the call's name unless stated. */
  readonly stem?: string
  /** Takes two inputs or more; otherwise exactly one. */
  readonly merges?: boolean
  /** Takes row numbers below this, not real values. */
  readonly vocabulary?: number
  /**
   * Takes numbers from the data that an input of the model gets, before training: as of {@link normalization}; `usual`: by channel of
   * images, else by feature.
   */
  readonly adapts?: 'feature' | 'channel' | 'all' | 'usual'
  /** By role: what its weights begin with, in place of what its initializers say. */
  readonly weights?: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: FloatArray }>
  /** Throws an error that begins with `label` when the inputs do not fit. */
  outputShape(inputs: readonly Shape[], label: string): Shape
  /** Adds the layer's parameters and ops; returns the number of the node that holds its output. */
  lower(scope: Scope, inputs: readonly LoweredInput[]): number
}

/** A parameter as a layer declares it: its regularizer may be custom. */
export type NewParameter = Omit<ParameterDescriptor, 'name'> & { readonly custom?: CustomRegularizer }

/** Where a layer is lowered to: the descriptor of the native program, as seen by one layer. */
export interface Scope {
  /** Returns the parameter's number. For a layer that was lowered before, the one it had then. */
  parameter(role: string, parameter: NewParameter): number
  /** Returns the node's number. `custom`: who computes a node of the op `custom`. */
  node(op: string, inputs: readonly number[], attributes?: Record<string, unknown>, custom?: CustomLayer): number
}

export interface LoweredInput {
  readonly node: number
  readonly shape: Shape
}

/** A place in a graph: an input, or a layer called on other nodes. */
export class GraphNode {
  /** @internal */
  constructor(
    /** Of one example. */
    readonly shape: Shape,
    /** Null for an input. */
    readonly layer: Layer | null,
    readonly inputs: readonly GraphNode[],
    readonly name?: string,
  ) {}
}

/**
 * An input of a graph, of this shape for one example.
 *
 * @example
 * const image = input([784])
 * const hidden = relu()(dense(64)(image))
 * const model = graph({ inputs: [image], output: dense(10)(hidden), seed: 1 })
 * @function
 */
export const input = factory(
  'input',
  2,
  (shape: number | readonly number[], options: { name?: string | undefined } = {}): GraphNode => {
    return new GraphNode(checkShape('shape', shape), null, [], readInput(options).name)
  },
)
const readInput = optionsOf<{ name?: string | undefined }>()('input', { name: checkName }, ['shape'])

export function defineLayer(definition: LayerDefinition): Layer {
  const made = Object.assign((...inputs: GraphNode[]) => applyLayer(layer, inputs), { definition })
  Object.defineProperty(made, 'name', { value: definition.call[0] })
  const advice = "say it where the layer is made; model.freeze('dense1') keeps the weights of a layer"
  const layer: Layer = settled(made, advice)
  return layer
}

/**
 * A {@link factory} of layers. What it refuses begins with the name that the layer is given, or with its own: the model counts
 * layers later.
 */
export function layerFactory<Factory extends (...given: never[]) => Layer>(
  name: string,
  most: number,
  make: Factory,
): Factory {
  const labelled = (...given: never[]): Layer => {
    try {
      return make(...given)
    } catch (error) {
      throw error instanceof GradusError ? withLabel(error, name, given.at(-1)) : error
    }
  }
  return factory(name, most, labelled) as Factory
}

function withLabel(error: GradusError, factory: string, options: unknown): GradusError {
  const { code, message, argument, expected } = error
  if (message.startsWith(`${factory}: `)) return error
  const label = isRecord(options) && isName(options.name) ? options.name : factory
  return new GradusError(code, `${label}: ${message}`, { argument: argument && `${label}: ${argument}`, expected })
}

/** The label stands for the layer in error messages. */
export function applyLayer(layer: Layer, inputs: readonly GraphNode[], label = labelOf(layer)): GraphNode {
  inputs.forEach((node, i) => {
    if (!(node instanceof GraphNode)) throw invalidArgument(`${label}: inputs[${i}]`, 'a node of a graph', node)
  })
  const { merges, vocabulary, adapts, outputShape } = layer.definition
  if (merges ? inputs.length < 2 : inputs.length !== 1) {
    throw invalidArgument(label, merges ? 'two nodes or more' : 'one node', inputs)
  }
  if (vocabulary !== undefined && inputs[0]?.layer) {
    throw invalidArgument(label, 'an input of the model, which holds row numbers', inputs[0].layer)
  }
  if (adapts !== undefined && inputs[0]?.layer) {
    throw invalidArgument(label, 'an input of the model, whose data it is adapted to', inputs[0].layer)
  }
  const shape = outputShape(
    inputs.map((node) => node.shape),
    label,
  )
  return new GraphNode(checkSize(label, shape), layer, [...inputs])
}

export const isLayer = (value: unknown): value is Layer =>
  typeof value === 'function' && typeof (value as Partial<Layer>).definition?.lower === 'function'

export const stemOf = ({ definition }: Layer): string => definition.stem ?? definition.call[0]

const labelOf = (layer: Layer): string => layer.definition.name ?? stemOf(layer)
