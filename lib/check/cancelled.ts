/** Biases that batch norm takes away again: they add the same to a whole batch. */
import { isFixedNorm } from '../descriptor.js'
import type { Descriptor } from '../native.js'

/** By parameter number, the node whose mean takes it away. */
export function cancelledBiases(descriptor: Descriptor): Map<number, number> {
  const cancelled = new Map<number, number>()
  const kept = new Set<number>()
  for (const [i, { op, parameters = {} }] of descriptor.nodes.entries()) {
    const { bias } = parameters
    if ((op !== 'dense' && op !== 'convolution') || bias === undefined) continue
    const norm = normAbove(descriptor, i)
    if (norm !== undefined) cancelled.set(bias, norm)
    else kept.add(bias)
  }
  // A layer that is used twice may keep its bias in one place.
  for (const bias of kept) cancelled.delete(bias)
  return cancelled
}

/** The first of the batch norms that take all that this node gives, if nobody else does; pools pass on what is the same everywhere. */
function normAbove(descriptor: Descriptor, node: number): number | undefined {
  const { nodes, inputs, output } = descriptor
  const number = inputs.length + node
  const users = [...nodes.keys()].filter((user) => nodes[user]!.inputs.includes(number))
  if (number === output) return undefined
  const norms = users.map((user) => {
    const { op, countPadding } = nodes[user]!
    if (op === 'batch_norm') return isFixedNorm(nodes[user]!) ? undefined : user
    const passesOn = op === 'max_pool' || (op === 'average_pool' && !countPadding)
    return passesOn ? normAbove(descriptor, user) : undefined
  })
  return norms.every((norm) => norm !== undefined) ? norms[0] : undefined
}
