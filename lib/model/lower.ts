/** From a graph of layers to the descriptor that the native program is made from. */
import { plain } from '../call.js'
import { GradusError, invalidArgument } from '../errors.js'
import type { CustomLayer } from '../layers/hosted.js'
import {
  type GraphNode,
  type Layer,
  type LayerDefinition,
  type NewParameter,
  type Scope,
  stemOf,
} from '../layers/layer.js'
import type { CustomRegularizer } from '../layers/regularizers.js'
import { formatShape, sameShape } from '../layers/shape.js'
import { adaptsPer } from '../layers/standard.js'
import type { DataType, Descriptor, FloatArray, NodeDescriptor, ParameterDescriptor } from '../native.js'
import type { Normalization } from '../train/target.js'

/** A model before lowering: what `sequential`, `graph` and a saved file all come down to. */
export interface Network {
  readonly dtype: DataType
  readonly seed: number
  readonly inputs: readonly GraphNode[]
  readonly output: GraphNode
  /** Names of parameters that are not trained, whatever their layers say. */
  readonly frozen?: ReadonlySet<string>
}

export interface Lowered {
  readonly descriptor: Descriptor
  readonly inputs: readonly LoweredInputColumn[]
  /** Every node of the graph in the order of work; inputs first. */
  readonly steps: readonly Step[]
  readonly custom: CustomParts
  readonly normalizations: readonly Normalization[]
  /** By number of the parameter: what it begins with, where its layer brings that along. */
  readonly weights: ReadonlyMap<number, FloatArray>
}

/** What JavaScript computes: by numbers of nodes, and of parameters. */
export interface CustomParts {
  readonly layers: ReadonlyMap<number, CustomLayer>
  readonly regularizers: ReadonlyMap<number, CustomRegularizer>
}

export interface LoweredInputColumn {
  readonly name: string
  readonly shape: number[]
  readonly kind: 'real' | 'index'
  readonly vocabulary?: number
}

/** One line of the summary. */
export interface Step {
  readonly name: string
  readonly node: GraphNode
  readonly inputs: readonly string[]
  /** What it was lowered to. */
  readonly ops: readonly NodeDescriptor[]
  /** Numbers of the parameters that this step is the first to use. */
  readonly parameters: readonly number[]
}

export function lower(network: Network): Lowered {
  const order = orderOf(network)
  const names = nameAll(order)
  const takers = takersOf(order)
  const inputs = network.inputs.map((node) => inputColumn(node, takers.get(node) ?? [], names.get(node)!))
  const work = new Lowering(inputs.length, network.frozen)
  const numberOf = new Map<GraphNode, number>(network.inputs.map((node, i) => [node, i]))
  const steps: Step[] = []
  const normalizations: Normalization[] = []
  for (const node of order) {
    const name = names.get(node.layer ?? node)!
    const [known, before] = [work.parameters.length, work.nodes.length]
    if (node.layer) {
      const from = node.inputs.map((input) => ({ node: numberOf.get(input)!, shape: input.shape }))
      numberOf.set(node, node.layer.definition.lower(work.scope(node.layer, name), from))
      const per = node.layer.definition.adapts
      if (per) {
        const [{ node: input, shape }] = from as [(typeof from)[0]]
        normalizations.push({ layer: name, input, per: adaptsPer(per, shape), ...work.momentsOf(name) })
      }
    }
    const parameters = work.parameters.slice(known).map((_, i) => known + i)
    const takes = node.inputs.map((input) => names.get(input.layer ?? input)!)
    steps.push({ name, node, inputs: takes, ops: work.nodes.slice(before), parameters })
  }
  const descriptor: Descriptor = {
    dtype: network.dtype,
    seed: network.seed,
    inputs: inputs.map(({ name, shape, kind }) => ({ name, shape, kind })),
    nodes: work.nodes,
    parameters: work.parameters,
    output: numberOf.get(network.output)!,
  }
  work.checkFrozen()
  return {
    descriptor: plain(descriptor),
    inputs,
    steps,
    custom: work.custom,
    normalizations: alone(normalizations),
    weights: work.weights,
  }
}

/** Numbers of one input's data cannot be those of another's. */
function alone(normalizations: Normalization[]): Normalization[] {
  const twice = normalizations.find(({ layer }, i) => normalizations.findIndex((other) => other.layer === layer) < i)
  if (!twice) return normalizations
  const message = `${twice.layer}: expected to be called once, received two inputs; make a normalization() for each`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** Nodes and parameters as they come in. */
class Lowering {
  readonly nodes: NodeDescriptor[] = []
  readonly parameters: ParameterDescriptor[] = []
  readonly custom = { layers: new Map<number, CustomLayer>(), regularizers: new Map<number, CustomRegularizer>() }
  readonly #numberOf = new Map<Layer, Map<string, number>>()

  readonly weights = new Map<number, FloatArray>()

  constructor(
    private readonly inputs: number,
    private readonly frozen: ReadonlySet<string> = new Set(),
  ) {}

  checkFrozen(): void {
    const names = new Set(this.parameters.map(({ name }) => name))
    const unknown = [...this.frozen].find((name) => !names.has(name))
    if (unknown !== undefined) throw invalidArgument('frozen', 'names of weights', unknown)
  }

  /** Numbers of the parameters that hold mean and variance. */
  momentsOf(layer: string): { mean: number; variance: number } {
    const numberOf = (role: string) => this.parameters.findIndex(({ name }) => name === `${layer}.${role}`)
    return { mean: numberOf('mean'), variance: numberOf('variance') }
  }

  scope(layer: Layer, name: string): Scope {
    const roles = this.#numberOf.get(layer) ?? new Map<string, number>()
    this.#numberOf.set(layer, roles)
    return {
      parameter: (role, parameter) => {
        const shared = roles.get(role)
        if (shared === undefined) {
          roles.set(role, this.parameters.length)
          this.#bring(layer, name, role, parameter.shape)
          return this.#add(`${name}.${role}`, parameter)
        }
        const { shape } = this.parameters[shared]!
        if (sameShape(shape, parameter.shape)) return shared
        const shapes = `${formatShape(shape)} and ${formatShape(parameter.shape)}`
        throw new GradusError('GRADUS_SHAPE_MISMATCH', `${name}: one layer cannot have a ${role} of both ${shapes}`)
      },
      node: (op, inputs, attributes, custom) => {
        const number = this.inputs + this.nodes.push({ op, name, inputs: [...inputs], ...attributes }) - 1
        if (custom) this.custom.layers.set(number, custom)
        return number
      },
    }
  }

  #add(name: string, { custom, ...parameter }: NewParameter): number {
    if (custom) this.custom.regularizers.set(this.parameters.length, custom)
    const trainable = parameter.trainable && !this.frozen.has(name)
    return this.parameters.push({ name, ...parameter, trainable, customRegularizer: custom && true }) - 1
  }

  /** The weights of a layer that was trained in another model. */
  #bring(layer: Layer, name: string, role: string, shape: readonly number[]): void {
    const brought = layer.definition.weights?.get(role)
    if (!brought) return
    if (!sameShape(brought.shape, shape)) {
      const shapes = `${formatShape(brought.shape)}, and here they would be of ${formatShape(shape)}`
      throw new GradusError('GRADUS_SHAPE_MISMATCH', `${name}.${role}: the layer brings weights of shape ${shapes}`)
    }
    this.weights.set(this.parameters.length, brought.data)
  }
}

/** Inputs first, then every node that leads to the output, each after those it takes. */
export function orderOf({ inputs, output }: Network): GraphNode[] {
  const order = new Set<GraphNode>(inputs)
  const open = [{ node: output, next: 0 }]
  while (open.length) {
    const top = open.at(-1)!
    const { node } = top
    while (top.next < node.inputs.length && order.has(node.inputs[top.next]!)) top.next++
    const next = node.inputs[top.next]
    if (next) {
      open.push({ node: next, next: 0 })
    } else if (node.layer || order.has(node)) {
      order.add(node)
      open.pop()
    } else {
      throw new GradusError('GRADUS_INVALID_ARGUMENT', `inputs: the output also depends on ${labelOf(node)}; add it`)
    }
  }
  const used = new Set([...order].flatMap((node) => node.inputs))
  const unused = inputs.findIndex((node) => !used.has(node))
  if (unused < 0) return [...order]
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `inputs[${unused}]: the output does not depend on it; leave it out`)
}

const labelOf = (node: GraphNode): string => `an input ${node.name ?? `of shape ${formatShape(node.shape)}`}`

/** Given names as they are; the others counted by kind in the order of work: dense1, relu1, dense2. */
export function nameAll(nodes: readonly GraphNode[]): Map<Layer | GraphNode, string> {
  return nameThings(nodes.map((node) => node.layer ?? node))
}

export function nameThings(things: readonly (Layer | GraphNode)[]): Map<Layer | GraphNode, string> {
  const distinct = [...new Set(things)]
  const given = (thing: Layer | GraphNode) => ('definition' in thing ? thing.definition.name : thing.name)
  const taken = new Set<string>()
  for (const name of distinct.map(given)) {
    if (name === undefined) continue
    if (taken.has(name)) throw new GradusError('GRADUS_INVALID_ARGUMENT', `name: two layers are called "${name}"`)
    taken.add(name)
  }
  const counts = new Map<string, number>()
  return new Map(
    distinct.map((thing) => {
      let name = given(thing)
      const stem = 'definition' in thing ? stemOf(thing) : 'input'
      for (let count = counts.get(stem) ?? 0; name === undefined; ) {
        counts.set(stem, ++count)
        if (!taken.has(`${stem}${count}`)) name = `${stem}${count}`
      }
      return [thing, name]
    }),
  )
}

/** Which layers take a node's value. */
function takersOf(order: readonly GraphNode[]): Map<GraphNode, LayerDefinition[]> {
  const takers = new Map<GraphNode, LayerDefinition[]>()
  for (const { inputs, layer } of order) {
    for (const input of new Set(inputs)) {
      const known = takers.get(input)
      if (known) known.push(layer!.definition)
      else takers.set(input, [layer!.definition])
    }
  }
  return takers
}

/** An input is of row numbers if an embedding takes it; then nothing else may take it. */
function inputColumn(input: GraphNode, takers: readonly LayerDefinition[], name: string): LoweredInputColumn {
  const shape = [...input.shape]
  const vocabularies = takers.flatMap(({ vocabulary }) => vocabulary ?? [])
  if (!vocabularies.length) return { name, shape, kind: 'real' }
  if (vocabularies.length === takers.length)
    return { name, shape, kind: 'index', vocabulary: Math.min(...vocabularies) }
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `${name}: an embedding takes it, so no other kind of layer can`)
}
