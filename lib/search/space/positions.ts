/** The points of a finite space by number: mixed radix, each branch as many numbers as it has points. */
import { GradusError } from '../../errors.js'
import type { Node } from './dimensions.js'
import type { Point } from './space.js'

/** Points that there are; Infinity where a real has no steps. */
export const count = (nodes: readonly Node[]): number => nodes.reduce((product, node) => product * countNode(node), 1)

const countNode = ({ dimension, branches }: Node): number =>
  branches === null ? dimension.size : branches.reduce((sum, branch) => sum + count(branch), 0)

export function at(nodes: readonly Node[], index: number): Point {
  const size = count(nodes)
  if (!(size <= Number.MAX_SAFE_INTEGER && index >= 0 && index < size))
    throw new GradusError('GRADUS_INTERNAL', `expected a number below ${size} of a point, received ${index}`)
  const point = {}
  place(nodes, index, point)
  return point
}

function place(nodes: readonly Node[], index: number, point: Record<string, number>): void {
  let rest = index
  for (const { name, dimension, branches } of [...nodes].reverse()) {
    const size = countNode({ name, dimension, branches })
    let digit = rest % size
    rest = Math.floor(rest / size)
    if (branches === null) {
      point[dimension.path] = dimension.toUnit(dimension.cells!.at(digit))
      continue
    }
    let category = 0
    for (; digit >= count(branches[category]!); category++) digit -= count(branches[category]!)
    point[dimension.path] = category
    place(branches[category]!, digit, point)
  }
}

export function indexOf(nodes: readonly Node[], point: Point): number {
  return nodes.reduce((index, node) => index * countNode(node) + digitOf(node, point), 0)
}

function digitOf({ dimension, branches }: Node, point: Point): number {
  const unit = point[dimension.path]!
  if (branches === null) return dimension.kind === 'category' ? unit : dimension.cells!.indexAt(unit)
  const before = branches.slice(0, unit).reduce((sum, branch) => sum + count(branch), 0)
  return before + indexOf(branches[unit]!, point)
}
