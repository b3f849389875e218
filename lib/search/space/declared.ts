/** Parameters as they were declared, by a call or in a file: both go through these checks. */
import { isRecord, plain } from '../../call.js'
import { checkBoolean, checkFinite } from '../../checks.js'
import { describe, GradusError, invalidArgument } from '../../errors.js'
import { optionsOf } from '../../options.js'
import { settled } from '../../settled.js'
import { decimalGrid } from './decimals.js'
import type {
  BranchesParameter,
  ChoiceParameter,
  IntegerOptions,
  IntegerParameter,
  Limits,
  LogUniformParameter,
  Parameter,
  ParameterRecord,
  Range,
  UniformOptions,
  UniformParameter,
} from './parameter.js'
import { canonical, checkJson, checkName } from './values.js'

const advice = 'make another parameter'
const readUniform = optionsOf<UniformOptions>()(
  'uniform',
  { step: checkFinite, least: checkFinite, most: checkFinite },
  ['low', 'high'],
)
const limitRules = { least: checkFinite, most: checkFinite }
const readLogUniform = optionsOf<Limits>()('logUniform', limitRules, ['low', 'high'])
const integerRules = { ...limitRules, step: checkFinite, log: checkBoolean }
const readInteger = optionsOf<IntegerOptions>()('integer', integerRules, ['low', 'high'])

const order = (place: string, low: number, high: number): void => {
  if (!(low < high)) throw invalidArgument(`${place}: high`, `a number above low, which is ${low}`, high)
}

function checkLimits(place: string, { low, high, least, most }: Range, check: typeof checkFinite): void {
  if (least !== undefined && check(`${place}: least`, least) > low)
    throw invalidArgument(`${place}: least`, `at most low, which is ${low}`, least)
  if (most !== undefined && check(`${place}: most`, most) < high)
    throw invalidArgument(`${place}: most`, `at least high, which is ${high}`, most)
}

function checkStep(place: string, low: number, high: number, step: number): void {
  if (!(step > 0)) throw invalidArgument(`${place}: step`, 'a positive number', step)
  const { steps, fits, value } = decimalGrid(low, high, step)
  if (steps > Number.MAX_SAFE_INTEGER) throw invalidArgument(`${place}: step`, 'at most 2^53 - 1 steps', step)
  if (fits) return
  const near = steps === 0 ? `${value(1)}` : `${value(steps)} or ${value(steps + 1)}`
  throw invalidArgument(`${place}: high`, `a whole number of steps of ${step} from ${low}, such as ${near}`, high)
}

export function makeUniform(place: string, low: number, high: number, options?: UniformOptions): UniformParameter {
  const { step, ...limits } = readUniform(options, place)
  order(place, checkFinite(`${place}: low`, low), checkFinite(`${place}: high`, high))
  if (!Number.isFinite(high - low)) throw invalidArgument(`${place}: high`, 'a finite distance from low', high)
  if (step !== undefined) checkStep(place, low, high, step)
  checkLimits(place, { low, high, ...limits } as Range, checkFinite)
  return settled(plain({ kind: 'uniform', low, high, step, ...limits }) as UniformParameter, advice)
}

function checkAboveZero(argument: string, value: unknown): number {
  if (checkFinite(argument, value) > 0) return value as number
  throw invalidArgument(argument, 'a number above 0, as there is no logarithm of others', value)
}

export function makeLogUniform(place: string, low: number, high: number, options?: Limits): LogUniformParameter {
  const limits = readLogUniform(options, place)
  order(place, checkAboveZero(`${place}: low`, low), checkFinite(`${place}: high`, high))
  checkLimits(place, { low, high, ...limits } as Range, checkAboveZero)
  return settled(plain({ kind: 'logUniform', low, high, ...limits }) as LogUniformParameter, advice)
}

function checkWhole(argument: string, value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number
  throw invalidArgument(argument, 'a whole number', value)
}

function checkWholeFromOne(argument: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number
  throw invalidArgument(argument, 'a whole number from 1 up, as log is true', value)
}

export function makeInteger(place: string, low: number, high: number, options?: IntegerOptions): IntegerParameter {
  const { step, log, ...limits } = readInteger(options, place)
  const check = log ? checkWholeFromOne : checkWhole
  order(place, check(`${place}: low`, low), check(`${place}: high`, high))
  if (!Number.isSafeInteger(high - low)) throw invalidArgument(`${place}: high`, 'at most 2^53 - 1 above low', high)
  if (log && step !== undefined) throw invalidArgument(`${place}: step`, 'none, as log is true', step)
  if (step !== undefined) checkStep(place, low, high, checkWhole(`${place}: step`, step))
  checkLimits(place, { low, high, ...limits } as Range, check)
  return settled(
    plain({ kind: 'integer', low, high, step, log: log || undefined, ...limits }) as IntegerParameter,
    advice,
  )
}

export function makeChoice(place: string, given: readonly unknown[]): ChoiceParameter {
  const values = given.map((value, i) => checkJson(`${place}[${i}]`, value))
  if (values.length === 0) throw invalidArgument(place, 'at least one value', given)
  const indices = new Map<string, number>()
  for (const [i, value] of values.entries()) {
    const same = indices.get(canonical(value))
    if (same !== undefined)
      throw new GradusError(
        'GRADUS_INVALID_ARGUMENT',
        `${place}: expected different values, received ${describe(value)} at ${same} and ${i}`,
      )
    indices.set(canonical(value), i)
  }
  return settled({ kind: 'choice', values: Object.freeze(values) }, advice)
}

export function makeBranches(place: string, given: unknown): BranchesParameter {
  if (!isRecord(given) || Object.keys(given).length === 0)
    throw invalidArgument(place, 'a list of values, or an object of branches', given)
  const branches = Object.entries(given).map(([name, parameters]) => {
    const branch = `${place}.${checkName(`${place}: name of a branch`, name)}`
    if (isRecord(parameters) && Object.hasOwn(parameters, 'name'))
      throw new GradusError(
        'GRADUS_INVALID_ARGUMENT',
        `${branch}.name: expected another name, as a trial finds the branch's own there`,
      )
    return [name, checkParameters(branch, parameters)] as const
  })
  return settled({ kind: 'branches', branches: Object.freeze(Object.fromEntries(branches)) }, advice)
}

/** Branches within branches: a file that has more was made to harm. */
const mostLevels = 16

/**
 * Parameters by their names, as the factories or a file give them: each is made again, through the same checks.
 *
 * @throws `GRADUS_INVALID_ARGUMENT`
 */
export function checkParameters(place: string, given: unknown): ParameterRecord {
  if (place.split('.').length > 2 * mostLevels)
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `${place}: expected at most ${mostLevels} branches in one another`)
  if (!isRecord(given) || typeof given.kind === 'string')
    throw invalidArgument(place, 'an object of parameters by their names', given)
  const parameters = Object.entries(given).map(([name, parameter]) => [
    name,
    checkParameter(`${place}.${checkName(`${place}: name of a parameter`, name)}`, parameter),
  ])
  return Object.freeze(Object.fromEntries(parameters))
}

/** Before it is checked. */
interface Given extends UniformOptions {
  kind?: unknown
  low: number
  high: number
  values?: unknown
  branches?: unknown
}

function checkParameter(place: string, given: unknown): Parameter {
  const { kind, low, high, ...rest } = (isRecord(given) ? given : {}) as unknown as Given
  if (kind === 'uniform') return makeUniform(place, low, high, rest)
  if (kind === 'logUniform') return makeLogUniform(place, low, high, rest)
  if (kind === 'integer') return makeInteger(place, low, high, rest)
  const { values, branches } = rest
  if (kind === 'choice' && Array.isArray(values)) return makeChoice(place, values)
  if (kind === 'branches') return makeBranches(place, branches)
  const meant = Array.isArray(given) ? '; did you mean choice([ … ])?' : ''
  const expected = 'a parameter, made by uniform, logUniform, integer or choice'
  throw new GradusError(
    'GRADUS_INVALID_ARGUMENT',
    `${place}: expected ${expected}, received ${describe(given)}${meant}`,
  )
}
