/** Biases that batch norm takes away again: they add the same to a whole batch. */
import type { Descriptor } from '../native.js'

/** By parameter number, the node whose mean takes it away. */
export function cancelledBiases({ nodes, inputs, output }: Descriptor): Map<number, number> {
  const cancelled = new Map<number, number>()
  const kept = new Set<number>()
  for (const [i, { op, parameters = {} }] of nodes.entries()) {
    const { bias } = parameters
    if (op !== 'dense' || bias === undefined) continue
    const number = inputs.length + i
    const users = [...nodes.keys()].filter((user) => nodes[user]!.inputs.includes(number))
    const isCancelled = number !== output && users.length > 0 && users.every((user) => isBatchNorm(nodes[user]!))
    if (isCancelled) cancelled.set(bias, users[0]!)
    else kept.add(bias)
  }
  // A layer that is used twice may keep its bias in one place.
  for (const bias of kept) cancelled.delete(bias)
  return cancelled
}

/** One with a gain: normalization() is batch norm of fixed statistics, which take nothing away. */
const isBatchNorm = ({ op, parameters }: Descriptor['nodes'][number]) =>
  op === 'batch_norm' && parameters?.gain !== undefined
