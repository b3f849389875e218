/** A network written down as plain data, and made again from it through the same checks as a user's own calls. */
import { type Call, restore } from '../call.js'
import { checkOptions } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import * as layers from '../layers/index.js'
import { applyLayer, type GraphNode, input, isLayer, type Layer } from '../layers/layer.js'
import type { DataType } from '../native.js'
import { type CustomPartsGiven, customPart, withRegularizers } from './custom-parts.js'
import { type Network, nameAll, orderOf } from './lower.js'

export interface Definition {
  readonly dtype: DataType
  readonly seed: number
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[]
  /** The call that makes each layer. */
  readonly layers: readonly Call[]
  /** A layer's number, then the numbers of the nodes it is called on; the inputs are the first nodes. */
  readonly nodes: readonly (readonly number[])[]
  readonly output: number
  /** Names of parameters that the model does not train, whatever their layers say. */
  readonly frozen?: readonly string[]
}

/** More than these are read too slowly from a file that lies; nets of today have hundreds. */
const most = 1 << 14

export function define(network: Network): Definition {
  const order = orderOf(network)
  if (order.length > most) throw new GradusError('GRADUS_TOO_LARGE', `save: a file holds at most ${most} layers`)
  const names = nameAll(order)
  const used = [...new Set(order.flatMap((node) => node.layer ?? []))]
  const layerNumber = new Map(used.map((layer, i) => [layer, i]))
  const nodeNumber = new Map(order.map((node, i) => [node, i]))
  return {
    dtype: network.dtype,
    seed: network.seed,
    inputs: network.inputs.map((node) => ({ name: names.get(node)!, shape: node.shape })),
    layers: used.map((layer) => layer.definition.call),
    nodes: order
      .filter((node) => node.layer)
      .map((node) => [layerNumber.get(node.layer!)!, ...node.inputs.map((from) => nodeNumber.get(from)!)]),
    output: nodeNumber.get(network.output)!,
    ...(network.frozen?.size && { frozen: [...network.frozen] }),
  }
}

/** Joins the layers again; what comes out, `graph` checks once more. Throws on anything that `define` would not write. */
export function restoreNetwork(definition: unknown, custom: CustomPartsGiven): Network {
  checkOptions('definition', definition, ['dtype', 'seed', 'inputs', 'layers', 'nodes', 'output', 'frozen'])
  const { dtype, seed, ...parts } = definition as Record<keyof Definition, unknown>
  const inputs = checkArray('inputs', parts.inputs).map((column, i) => {
    checkOptions(`inputs[${i}]`, column, ['name', 'shape'])
    const { name, shape } = column as { name: string; shape: number[] }
    return input(shape, { name })
  })
  const made = checkArray('layers', parts.layers).map((call): Layer => {
    return customPart('layers', call, custom) ?? restore(layers, withRegularizers(call, custom), isLayer)
  })
  const nodes: GraphNode[] = [...inputs]
  checkArray('nodes', parts.nodes).forEach((numbers, i) => {
    const [layer, ...from] = checkArray(`nodes[${i}]`, numbers)
    nodes.push(
      applyLayer(
        pick(`nodes[${i}]`, made, layer),
        from.map((number) => pick(`nodes[${i}]`, nodes, number)),
      ),
    )
  })
  return {
    dtype: dtype as DataType,
    seed: seed as number,
    inputs,
    output: pick('output', nodes, parts.output),
    frozen: new Set(checkArray('frozen', parts.frozen ?? []) as string[]),
  }
}

function checkArray(argument: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw invalidArgument(argument, 'an array', value)
  if (value.length > most) throw invalidArgument(argument, `at most ${most} of them`, value)
  return value
}

function pick<Item>(argument: string, items: readonly Item[], index: unknown): Item {
  const item = Number.isSafeInteger(index) ? items[index as number] : undefined
  if (item === undefined) throw invalidArgument(argument, `a number from 0 to ${items.length - 1}`, index)
  return item
}
