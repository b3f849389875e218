/** Which tensor of a file each weight of a model is read from. */
import { describe, GradusError } from '../../errors.js'
import { formatShape, type Shape, sameShape } from '../../layers/shape.js'
import { didYouMean } from '../../suggest.js'
import { badFile, type Header } from '../safetensors.js'
import type { Origin, Unit, Wanted } from './conventions.js'
import { type Module, type Modules, modulesOf, withoutNumbers } from './modules.js'

/** Our layer or weight → their module or tensor. */
export type Names = Readonly<Record<string, string>>

export interface Match {
  readonly wanted: Wanted
  readonly tensor: string
}

/** Before anything is read. @throws GRADUS_INVALID_ARGUMENT for names that the model does not have */
export function checkNames(names: Names, units: readonly Unit[]): void {
  const known = units.flatMap(({ layer, wanted }) => [layer, ...wanted.map(({ name }) => name)])
  const unknown = Object.keys(names).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const message = `names: the model has no layer or weight ${describe(unknown)} to import${didYouMean(unknown, known)}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  for (const { wanted } of units) {
    const named = wanted.filter(({ name }) => Object.hasOwn(names, name))
    const other = wanted.find(({ name }) => !named.some((one) => one.name === name))
    if (named.length === 0 || !other) continue
    const message = `names: "${other.name}" is not among them, and "${named[0]!.name}" of the same layer is; say both`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
}

export function match(units: readonly Unit[], header: Header, names: Names, from: Origin): Match[] {
  const modules = modulesOf(header)
  const found = new Map<Unit, Match[]>()
  const used = new Set<Module>()
  for (const unit of units) {
    const named = byName(unit, units, header, modules.list, names, from)
    if (!named) continue
    found.set(unit, named.matches)
    if (named.module) used.add(named.module)
    for (const { tensor } of named.matches) {
      const module = modules.list.find(({ tensors }) => [...tensors.values()].some(({ name }) => name === tensor))
      if (module) used.add(module)
    }
  }
  const left = { ...modules, list: modules.list.filter((module) => !used.has(module)) }
  const open = units.filter((unit) => !found.has(unit))
  for (const unit of open) {
    if (found.has(unit)) continue
    const fitting = left.list.filter((module) => fits(unit, module))
    if (fitting.length === 0) throw nothingFits(unit, left.list, from)
    const alike = open.filter((other) => fits(other, fitting[0]!))
    checkOrder(alike, fitting, left)
    for (const [i, other] of alike.entries()) found.set(other, matchesOf(other, fitting[i]!))
  }
  return units.flatMap((unit) => found.get(unit)!)
}

function byName(
  unit: Unit,
  units: readonly Unit[],
  header: Header,
  modules: readonly Module[],
  names: Names,
  from: Origin,
): { matches: Match[]; module: Module | null } | null {
  if (Object.hasOwn(names, unit.wanted[0]!.name)) {
    return {
      matches: unit.wanted.map((wanted) => ({
        wanted,
        tensor: tensorNamed(names[wanted.name]!, wanted, header, from),
      })),
      module: null,
    }
  }
  const name = Object.hasOwn(names, unit.layer) ? names[unit.layer] : undefined
  if (name === undefined) return null
  if (units.filter(({ layer }) => layer === unit.layer).length > 1) {
    const all = units.flatMap(({ layer, wanted }) => (layer === unit.layer ? wanted.map((one) => `"${one.name}"`) : []))
    const message = `names: ${unit.layer} is made of several of their layers: name its weights, ${all.join(', ')}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const module = modules.find((one) => one.name === name)
  if (!module) {
    const hint = didYouMean(
      name,
      modules.map((one) => one.name),
    )
    throw badFile(`there is no layer "${name}", which names says is ${unit.layer}${hint}`)
  }
  if (!fits(unit, module)) throw nothingFits(unit, [module], from)
  return { matches: matchesOf(unit, module), module }
}

function tensorNamed(tensor: string, wanted: Wanted, { tensors }: Header, from: Origin): string {
  const place = tensors.get(tensor)
  if (!place) throw badFile(`there is no tensor "${tensor}", which names says is ${wanted.name}`)
  if (hasShape(wanted, place.shape)) return tensor
  throw badFile(misfit(wanted, tensor, place.shape, from))
}

const hasShape = ({ shapes }: Wanted, shape: Shape): boolean => shapes.some((one) => sameShape(one, shape))

/** All that the unit wants is there in its shape, and nothing else. */
function fits({ wanted }: Unit, { tensors }: Module): boolean {
  return (
    wanted.length === tensors.size &&
    wanted.every((one) => {
      const tensor = tensorOf(one, tensors)
      return tensor !== undefined && hasShape(one, tensor.shape)
    })
  )
}

const tensorOf = ({ roles }: Wanted, tensors: Module['tensors']) =>
  roles.map((role) => tensors.get(role)).find((tensor) => tensor !== undefined)

const matchesOf = ({ wanted }: Unit, { tensors }: Module): Match[] =>
  wanted.map((one) => ({ wanted: one, tensor: tensorOf(one, tensors)!.name }))

/** Several layers of one kind and shape go by their order, where the file has one. */
function checkOrder(units: readonly Unit[], modules: readonly Module[], { areSorted }: Modules): void {
  const layers = units.map(({ layer }) => layer).join(', ')
  const there = modules.map(({ name }) => `"${name}"`).join(', ')
  const advice = 'say with names which is which'
  if (modules.length !== units.length) {
    throw badFile(`${there} fit ${layers}, which ${units.length === 1 ? 'is one' : `are ${units.length}`}: ${advice}`)
  }
  if (units.length > 1 && areSorted && new Set(modules.map(withoutNumbers)).size > 1) {
    throw badFile(`${there} all fit ${layers}, and the file has them by name, not by their order: ${advice}`)
  }
}

function nothingFits(unit: Unit, modules: readonly Module[], from: Origin): GradusError {
  const { layer, wanted } = unit
  for (const { tensors } of modules) {
    if (tensors.size !== wanted.length) continue
    const pairs = wanted.map((one) => ({ one, tensor: tensorOf(one, tensors) }))
    const odd = pairs.find(({ one, tensor }) => tensor && !hasShape(one, tensor.shape))
    const isNear = pairs.every(
      ({ one, tensor }) => tensor && (hasShape(one, tensor.shape) || isTurned(one, tensor.shape)),
    )
    if (odd && (isNear || modules.length === 1))
      return badFile(misfit(odd.one, odd.tensor!.name, odd.tensor!.shape, from))
  }
  const parts = wanted.map(({ roles, shapes }) => `${roles.join(' or ')} ${formatShape(shapes[0]!)}`)
  const there = modules.map(({ name, tensors }) => {
    return `"${name}" (${[...tensors].map(([role, { shape }]) => `${role} ${formatShape(shape)}`).join(', ')})`
  })
  const few = there.length > 8 ? [...there.slice(0, 8), `${there.length - 8} more`] : there
  return badFile(
    `${layer}: there is nothing with ${parts.join(', ')} alone; there are ${few.join(', ') || 'no others'}`,
  )
}

/** The same lengths in another order. */
const isTurned = ({ shapes }: Wanted, shape: Shape): boolean =>
  shapes.some((one) => !sameShape(one, shape) && sameShape(one.toSorted(), shape.toSorted()))

function misfit(wanted: Wanted, tensor: string, shape: Shape, from: Origin): string {
  const expected = `${wanted.name}: expected a tensor of shape ${formatShape(wanted.shapes[0]!)}`
  const received = `${expected}, received "${tensor}" of shape ${formatShape(shape)}`
  if (!isTurned(wanted, shape)) return received
  return `${received}, which fits only transposed: is it not from '${from}'?`
}
