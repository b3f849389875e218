/** A space laid flat: a dimension a parameter, those of branches with the condition under which they are there. */
import type { Json } from '../../call.js'
import { GradusError, invalidArgument } from '../../errors.js'
import type { Parameter, ParameterRecord } from './parameter.js'
import { type Cells, scaleOf } from './scales.js'

/** What a parameter may have for a value. */
export type Value = Json

export interface Dimension {
  /** `learningRate`, `optimizer` for which branch, `optimizer.adam.beta1`. */
  readonly path: string
  readonly kind: 'real' | 'integer' | 'category'
  /** Values that there are: cells of integers and steps, choices or branches of categories; Infinity of reals. */
  readonly size: number
  /** It is there where the category at `path` has this number; null: always, or as long as its own branch is there. */
  readonly condition: { readonly path: string; readonly category: number } | null
  /** As it was declared. */
  readonly parameter: Parameter
  /** The values one by one, and the stretch that each has between 0 and 1; null for reals without steps. */
  readonly cells: Cells | null
  /** What is asked of a value, in words. */
  readonly expected: string
  /** Whether it is one of the values. */
  holds(value: unknown): boolean
  /**
   * On its own scale, 0 … 1, of finite ranges the middle of the cell; of categories the number of the choice or branch, from 0.
   *
   * @throws `GRADUS_INVALID_ARGUMENT` for what is none of the values
   */
  toUnit(value: Value): number
  /**
   * The value there, never outside the range by rounding: below 0 it is the first, above 1 the last. Of categories the choice,
   * or the branch's name, of the nearest number.
   *
   * @throws `GRADUS_INTERNAL` for NaN
   */
  fromUnit(unit: number): Value
  /** A coordinate of a point out of a number in [0, 1): itself, or of categories each number as likely as another. */
  fromDraw(draw: number): number
}

/** A dimension, and what it leads to: of branches, the nodes of each. */
export interface Node {
  readonly name: string
  readonly dimension: Dimension
  readonly branches: readonly (readonly Node[])[] | null
}

export function nodesOf(parameters: ParameterRecord, prefix = '', condition: Dimension['condition'] = null): Node[] {
  return Object.entries(parameters).map(([name, parameter]) => {
    const path = prefix + name
    const dimension = dimensionOf(path, parameter, condition)
    if (parameter.kind !== 'branches') return { name, dimension, branches: null }
    const branches = Object.entries(parameter.branches).map(([branch, inner], category) =>
      nodesOf(inner, `${path}.${branch}.`, { path, category }),
    )
    return { name, dimension, branches }
  })
}

/** In the order of declaration, a branch's dimensions behind that which picks it. */
export const flat = (nodes: readonly Node[]): Dimension[] =>
  nodes.flatMap(({ dimension, branches }) => [dimension, ...(branches ?? []).flatMap(flat)])

function dimensionOf(path: string, parameter: Parameter, condition: Dimension['condition']): Dimension {
  const { kind, size, expected, cells, ...scale } = scaleOf(parameter)
  return Object.freeze({
    path,
    kind,
    size,
    condition,
    parameter,
    cells,
    expected,
    holds: scale.holds,
    toUnit: (value: Value) => {
      if (!scale.holds(value)) throw invalidArgument(path, expected, value)
      return scale.toUnit(value)
    },
    fromUnit: (unit: number) => {
      if (Number.isNaN(unit))
        throw new GradusError('GRADUS_INTERNAL', `${path}: expected a number from 0 to 1, received NaN`)
      return scale.fromUnit(unit)
    },
    fromDraw: (draw: number) => (kind === 'category' ? Math.min(size - 1, Math.floor(draw * size)) : draw),
  })
}
