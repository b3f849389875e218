/** What a search looks through: parameters with their ranges, as points between 0 and 1 and as what a trial is given. */
import { isRecord, type Json } from '../../call.js'
import { GradusError, invalidArgument } from '../../errors.js'
import { checkParameters } from './declared.js'
import { type Dimension, flat, type Node, nodesOf } from './dimensions.js'
import type { BranchesParameter, BranchRecord, ChoiceParameter, Parameter, ParameterRecord } from './parameter.js'
import * as positions from './positions.js'

/** What a trial is given: a number or choice for each parameter, of a branch its `name` and its own parameters. */
export interface Params {
  readonly [name: string]: Json
}

/** Units, or numbers of categories, of the dimensions that are there. */
export interface Point {
  readonly [path: string]: number
}

type Flattened<Members> = { -readonly [Name in keyof Members]: Members[Name] }
type BranchOf<Branches extends BranchRecord> = {
  [Branch in keyof Branches]: Flattened<{ name: Branch } & ParamsOf<Branches[Branch]>>
}[keyof Branches]
type ValueOf<Given> =
  Given extends ChoiceParameter<infer Choice>
    ? Choice
    : Given extends BranchesParameter<infer Branches>
      ? BranchOf<Branches>
      : number

/** What trials of these parameters, or of this space, are given: `{ learningRate: number; optimizer: { name: 'adam'; … } | … }`. */
export type ParamsOf<Given> =
  Given extends Space<infer Parameters>
    ? ParamsOf<Parameters>
    : { -readonly [Name in keyof Given]: Given[Name] extends Parameter ? ValueOf<Given[Name]> : never }

export interface Space<Parameters extends ParameterRecord = ParameterRecord> {
  /** As declared: JSON can hold it, and `checkSpace` makes the same space of it again. */
  readonly parameters: Parameters
  /** Flat, in the order of declaration. */
  readonly dimensions: readonly Dimension[]
  /** Different parameters that there are, over all branches; Infinity where there is a real number without steps. */
  readonly size: number
  /**
   * @throws `GRADUS_INVALID_ARGUMENT` naming the place of what does not belong to the space, is missing, or is too much
   */
  point(params: Params): Point
  /**
   * As `point`, but null for what does not fit, as older trials may not fit a space that has been narrowed. It remembers the
   * object, so that a thousand trials cost nothing the second time: params of recorded trials do not change.
   */
  find(params: Params): Point | null
  /** @throws `GRADUS_INTERNAL` where a dimension that is there has no unit */
  params(point: Point): Params
  /** The same text for the same parameters, and for no others. */
  key(point: Point): string
  /** Of a finite space its points by number, 0 to size − 1: the last parameter is the one that changes first. */
  at(index: number): Point
  indexOf(point: Point): number
}

const spaces = new WeakSet<object>()
export const isSpace = (value: unknown): value is Space =>
  typeof value === 'object' && value !== null && spaces.has(value)

/**
 * A space, of parameters that the factories made or that come from a file; a space is given back as it is.
 *
 * @throws `GRADUS_INVALID_ARGUMENT` naming the place: no parameters, a range that cannot be, a name that is no name
 */
export function checkSpace<const Parameters extends ParameterRecord>(
  given: Parameters | Space<Parameters>,
  place = 'space',
): Space<Parameters> {
  if (isSpace(given)) return given as Space<Parameters>
  const parameters = checkParameters(place, given)
  if (Object.keys(parameters).length === 0) throw invalidArgument(place, 'at least one parameter', given)
  return spaceOf(parameters as Parameters)
}

function spaceOf<Parameters extends ParameterRecord>(parameters: Parameters): Space<Parameters> {
  const nodes = nodesOf(parameters)
  const known = new WeakMap<Params, Point | null>()
  const keys = new WeakMap<Point, string>()
  const space: Space<Parameters> = {
    parameters,
    dimensions: Object.freeze(flat(nodes)),
    size: positions.count(nodes),
    point(params) {
      const point = {}
      const misfit = readParams(nodes, params, 'params', point)
      if (misfit !== null) throw misfit()
      return point
    },
    find(params) {
      const found = known.get(params)
      if (found !== undefined) return found
      const point = {}
      const result = readParams(nodes, params, 'params', point) === null ? Object.freeze(point) : null
      if (isRecord(params)) known.set(params, result)
      if (result !== null) keys.set(result, keyOf(nodes, result))
      return result
    },
    params: (point) => writeParams(nodes, point),
    key: (point) => keys.get(point) ?? keyOf(nodes, point),
    at: (index) => positions.at(nodes, index),
    indexOf: (point) => positions.indexOf(nodes, point),
  }
  spaces.add(space)
  return Object.freeze(space)
}

/** An error that is made only where it is wanted. */
type Misfit = () => GradusError

function readParams(
  nodes: readonly Node[],
  params: unknown,
  place: string,
  point: Record<string, number>,
  ...also: string[]
): Misfit | null {
  if (!isRecord(params)) return () => invalidArgument(place, 'an object of parameters', params)
  const names = Object.keys(params)
  if (names.length > nodes.length + also.length) {
    const known = new Set([...nodes.map(({ name }) => name), ...also])
    const extra = names.find((name) => !known.has(name))
    return () => new GradusError('GRADUS_INVALID_ARGUMENT', `${place}: there is no parameter ${JSON.stringify(extra)}`)
  }
  for (const { name, dimension, branches } of nodes) {
    const value = Object.hasOwn(params, name) ? params[name] : undefined
    const isBranch = branches !== null && isRecord(value) && Object.hasOwn(value, 'name')
    const own = isBranch ? value.name : branches === null ? value : undefined
    if (!dimension.holds(own))
      return () => misfit(`${place}.${name}${isBranch ? '.name' : ''}`, dimension, own ?? value)
    point[dimension.path] = dimension.toUnit(own as Json)
    if (branches === null) continue
    const inner = readParams(branches[point[dimension.path]!]!, value, `${place}.${name}`, point, 'name')
    if (inner !== null) return inner
  }
  return null
}

function misfit(place: string, { parameter, expected }: Dimension, value: unknown): GradusError {
  const asked =
    parameter.kind === 'branches' && !place.endsWith('.name') ? `an object with the name ${expected}` : expected
  return invalidArgument(place, asked, value)
}

function unitOf({ path }: Dimension, point: Point): number {
  const unit = Object.hasOwn(point, path) ? point[path]! : Number.NaN
  if (Number.isNaN(unit))
    throw new GradusError('GRADUS_INTERNAL', `${path}: expected a number, received ${point[path]}`)
  return unit
}

function writeParams(nodes: readonly Node[], point: Point): Params {
  const entries = nodes.map(({ name, dimension, branches }) => {
    const unit = unitOf(dimension, point)
    const value = dimension.fromUnit(unit)
    return [name, branches === null ? value : { name: value, ...writeParams(branches[unit]!, point) }] as const
  })
  return Object.fromEntries(entries)
}

function keyOf(nodes: readonly Node[], point: Point): string {
  const texts = nodes.map(({ dimension, branches }) => {
    const unit = unitOf(dimension, point)
    if (branches !== null) return `${unit}(${keyOf(branches[unit]!, point)})`
    return dimension.kind === 'category'
      ? String(unit)
      : String(dimension.cells?.indexAt(unit) ?? dimension.fromUnit(unit))
  })
  return texts.join()
}
