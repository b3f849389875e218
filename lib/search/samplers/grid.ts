/** Grid search: every point of a space once. */
import { factory, isRecord } from '../../call.js'
import { GradusError, invalidArgument } from '../../errors.js'
import { type Check, optionsOf } from '../../options.js'
import type { Dimension } from '../space/dimensions.js'
import { checkSpace, type Params, type Point, type Space } from '../space/space.js'
import { takenPoints } from './fresh.js'
import type { Asked, Sampler } from './sampler.js'

export interface GridOptions {
  /**
   * Values of each range of real numbers without steps, evenly on its scale and with both ends: a number from 2 up for all, or
   * a number for each path, such as `{ learningRate: 5, 'optimizer.adam.beta1': 3 }`. Ranges of integers and of steps that are
   * named are thinned, too. Default: every value, and a space of steps, integers and choices.
   */
  points?: number | { readonly [path: string]: number } | undefined
}

const checkPoints: Check<NonNullable<GridOptions['points']>> = (argument, value) => {
  const check = (place: string, one: unknown) => {
    if (typeof one === 'number' && Number.isSafeInteger(one) && one >= 2) return one
    throw invalidArgument(place, 'a whole number from 2 up', one)
  }
  if (!isRecord(value)) return check(argument, value)
  return Object.fromEntries(Object.entries(value).map(([path, one]) => [path, check(`${argument}.${path}`, one)]))
}
const readGrid = optionsOf<GridOptions>()('grid', { points: checkPoints })

/**
 * Every point of the space once, in order: the last parameter changes first, branches come one after another. Trials that were
 * lost leave their points to later ones.
 *
 * @throws `GRADUS_INVALID_ARGUMENT`, when asked, for a range of real numbers without steps or `points`
 * @example grid({ points: 5 })
 * @function
 */
export const grid = factory('grid', 1, (options?: GridOptions): Sampler => {
  const { points } = readGrid(options)
  const known = new WeakMap<Space, Space>()
  const gridOf = (space: Space) => {
    const made = known.get(space) ?? gridSpace(space, points)
    known.set(space, made)
    return made
  }
  return {
    name: 'grid',
    settings: { points: points ?? null },
    check: (space) => void gridOf(space),
    suggest: (asked) => nextOf({ ...asked, space: gridOf(asked.space) }),
  }
})

/**
 * The first point that is left. Trials that were asked for at the same time are not seen yet: each of the numbers below that
 * is missing is taken to have one of the points before.
 */
function nextOf(asked: Asked): Params | null {
  const { space, trials, number } = asked
  const taken = takenPoints(asked)
  const left = space.size - taken.size
  if (left === 0) return null
  const missing = number - trials.filter((trial) => trial.number < number).length
  let index = missing % left
  const indices = Float64Array.from(taken.values(), (point: Point) => space.indexOf(point)).sort()
  for (const one of indices) if (one <= index) index++
  return space.params(space.at(index))
}

/** The same parameters, each as a choice of its values on the grid: what it gives is what the space takes. */
function gridSpace(space: Space, points: GridOptions['points']): Space {
  const isNamed = typeof points === 'object'
  for (const path of isNamed ? Object.keys(points) : []) {
    const dimension = space.dimensions.find((one) => one.path === path)
    if (dimension === undefined || dimension.kind === 'category')
      throw invalidArgument('points', 'paths of numbers of the space', path)
  }
  const byPath = new Map(space.dimensions.map((dimension) => [dimension.path, dimension]))
  const finite = checkSpace(replaced(space.parameters, '') as Space['parameters'])
  if (finite.size <= Number.MAX_SAFE_INTEGER) return finite
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `grid: expected at most 2^53 - 1 points, received ${finite.size}`)

  function replaced(parameters: Space['parameters'], prefix: string): object {
    return Object.fromEntries(
      Object.entries(parameters).map(([name, parameter]) => {
        const path = prefix + name
        if (parameter.kind === 'choice') return [name, parameter]
        if (parameter.kind !== 'branches') return [name, { kind: 'choice', values: valuesOf(byPath.get(path)!) }]
        const branches = Object.entries(parameter.branches).map(([branch, inner]) => [
          branch,
          replaced(inner, `${path}.${branch}.`),
        ])
        return [name, { kind: 'branches', branches: Object.fromEntries(branches) }]
      }),
    )
  }

  function valuesOf(dimension: Dimension): unknown[] {
    const { path, cells, size } = dimension
    const wanted = isNamed ? (Object.hasOwn(points, path) ? points[path] : undefined) : cells ? undefined : points
    if (wanted !== undefined) return spread(dimension, wanted)
    if (cells !== null) return Array.from({ length: size }, (_, index) => cells.at(index))
    const advice = `give it a step, or grid({ points: { '${path}': 5 } })`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `grid: ${path} has no steps, and no end of values; ${advice}`)
  }
}

/** Values evenly on the scale, both ends among them; fewer where a range of cells has fewer. */
function spread({ cells, size, fromUnit, holds }: Dimension, count: number): unknown[] {
  const middle = (index: number) => (cells!.edge(index) + cells!.edge(index + 1)) / 2
  const [from, to] = cells === null ? [0, 1] : [middle(0), middle(size - 1)]
  const values = Array.from({ length: count }, (_, i) => {
    const value = fromUnit(from + (i / (count - 1)) * (to - from))
    // As a person would write it: 0.001, and not 0.0010000000000000002.
    const rounded = Number((value as number).toPrecision(12))
    return cells === null && i > 0 && i < count - 1 && holds(rounded) ? rounded : value
  })
  return [...new Set(values)]
}
