/** The space of a stage: where the best trials of the one before are. */
import { isRecord, type Json } from '../../call.js'
import { numberText, valueText } from '../display/numbers.js'
import type { BranchesParameter, ChoiceParameter, Parameter, ParameterRecord } from '../space/parameter.js'
import type { Params } from '../space/space.js'
import { canonical } from '../space/values.js'
import { borderOf, type NumberParameter, narrowedRange } from './ranges.js'

export interface Narrowed {
  readonly parameters: ParameterRecord
  /** What is looked at now, a text a parameter that has changed. */
  readonly changes: readonly string[]
  readonly borders: readonly BorderFound[]
}

/** The best value of a parameter lies at an end of its range. */
export interface BorderFound {
  readonly path: string
  readonly value: number
  readonly low: number
  readonly high: number
  /** Where the range goes on to. */
  readonly to: number
}

/** @param best the best trials' parameters, the best first; one at least */
export function narrow(parameters: ParameterRecord, best: readonly Params[], prefix = ''): Narrowed {
  const changes: string[] = []
  const borders: BorderFound[] = []
  const entries = Object.entries(parameters).map(([name, parameter]) => {
    const path = prefix + name
    const values = best.map((params) => params[name]!)
    if (parameter.kind === 'choice') return [name, narrowedChoice(path, parameter, values, changes)]
    if (parameter.kind !== 'branches') {
      const found = borderOf(parameter, values[0] as number)
      const after = narrowedRange(parameter, values as number[], found)
      if (after.low !== parameter.low || after.high !== parameter.high)
        changes.push(`${path} ${rangeText(after)} (was ${rangeText(parameter)})`)
      if (found)
        borders.push({ path, value: values[0] as number, low: parameter.low, high: parameter.high, to: found.to })
      return [name, after]
    }
    const inner = narrowedBranches(path, parameter, values)
    changes.push(...inner.changes)
    borders.push(...inner.borders)
    return [name, inner.parameter]
  })
  return { parameters: Object.fromEntries(entries) as ParameterRecord, changes, borders }
}

export const rangeText = ({ low, high }: Pick<NumberParameter, 'low' | 'high'>): string =>
  `${numberText(low)} … ${numberText(high)}`

/** Choices that none of the best has go. */
function narrowedChoice(path: string, parameter: ChoiceParameter, values: readonly Json[], changes: string[]) {
  const taken = new Set(values.map((value) => canonical(value)))
  const left = parameter.values.filter((value) => taken.has(canonical(value)))
  if (left.length < parameter.values.length) changes.push(`${path} ${left.map((value) => valueText(value)).join(', ')}`)
  return { ...parameter, values: left }
}

function narrowedBranches(path: string, parameter: BranchesParameter, values: readonly Json[]) {
  const taken = values.filter(isRecord) as unknown as readonly Params[]
  const before = Object.entries(parameter.branches)
  const left = before.filter(([branch]) => taken.some(({ name }) => name === branch))
  const changes: string[] = []
  const borders: BorderFound[] = []
  if (left.length < before.length) changes.push(`${path} ${left.map(([branch]) => branch).join(', ')}`)
  const branches = left.map(([branch, inner]) => {
    const ofBranch = taken.filter(({ name }) => name === branch)
    const narrowed = narrow(inner, ofBranch, `${path}.${branch}.`)
    changes.push(...narrowed.changes)
    // The best of all says where to go on; that of another branch is not the best.
    if (taken[0]!.name === branch) borders.push(...narrowed.borders)
    return [branch, narrowed.parameters] as const
  })
  return { parameter: { ...parameter, branches: Object.fromEntries(branches) } as Parameter, changes, borders }
}

/** Where the best parameters lie at the border of their ranges. */
export const bordersOf = (parameters: ParameterRecord, best: Params): readonly BorderFound[] =>
  narrow(parameters, [best]).borders
