/** What a study's space says of its parameters, for who shows them: read as it stands in a file, and never trusted. */
import { isObject, type Json, type JsonObject } from './values.js'

/** A parameter, or which branch a choice of branches takes, laid flat. */
export interface StudyParameter {
  /** `learningRate`, `optimizer`, `optimizer.adam.beta1`. */
  readonly path: string
  readonly kind: 'number' | 'category'
  /** Of a category 0 and the number of its last choice. */
  readonly low: number
  readonly high: number
  readonly isLog: boolean
  /** Values that there are; Infinity of real numbers. */
  readonly size: number
  /** Texts of the choices; null of a number. */
  readonly choices: readonly string[] | null
  /** A number, or of a category that of the choice; NaN where the parameters have none, or one that does not fit. */
  read(params: JsonObject): number
}

/** More of them, or deeper ones, no study has that was not made to harm. */
const mostParameters = 256
const mostChoices = 1024
const mostLevels = 16
const longestText = 100

/** In the order of declaration, a branch's behind that which picks it. What is no parameter is left out. */
export function parametersOf(space: JsonObject): StudyParameter[] {
  const found: StudyParameter[] = []
  collect(space, [], found)
  return found
}

/** How to come to the object that holds a parameter: names of choices, and the branch that must be taken there. */
type Way = readonly (readonly [name: string, branch: string])[]

function collect(space: JsonObject, way: Way, found: StudyParameter[]): void {
  if (way.length > mostLevels) return
  for (const [name, declared] of Object.entries(space)) {
    if (found.length >= mostParameters) return
    if (!isObject(declared)) continue
    const path = shortened([...way.flat(), name].join('.'))
    const get = (params: JsonObject) => valueAt(params, way, name)
    if (isObject(declared.branches)) {
      const branches = Object.entries(declared.branches).slice(0, mostChoices)
      const names = branches.map(([branch]) => branch)
      found.push(category(path, names, (params) => fieldOf(get(params), 'name')))
      for (const [branch, inner] of branches) if (isObject(inner)) collect(inner, [...way, [name, branch]], found)
    } else if (Array.isArray(declared.values)) {
      found.push(category(path, declared.values.slice(0, mostChoices), get))
    } else {
      const made = number(path, declared, get)
      if (made) found.push(made)
    }
  }
}

function number(path: string, declared: JsonObject, get: (params: JsonObject) => unknown): StudyParameter | null {
  const { kind, low, high, log, step } = declared
  if (typeof low !== 'number' || typeof high !== 'number' || !(low < high)) return null
  const isLog = (kind === 'logUniform' || log === true) && low > 0
  const apart = typeof step === 'number' && step > 0 ? step : kind === 'integer' ? 1 : 0
  const size = apart > 0 ? Math.round((high - low) / apart) + 1 : Number.POSITIVE_INFINITY
  const read = (params: JsonObject) => {
    const value = get(params)
    return typeof value === 'number' && Number.isFinite(value) && !(isLog && value <= 0) ? value : Number.NaN
  }
  return { path, kind: 'number', low, high, isLog, size, choices: null, read }
}

function category(path: string, values: readonly Json[], get: (params: JsonObject) => unknown): StudyParameter {
  const numbers = new Map(values.map((value, i) => [JSON.stringify(value), i]))
  const choices = values.map((value) => shortened(typeof value === 'string' ? value : JSON.stringify(value)))
  const read = (params: JsonObject) => numbers.get(JSON.stringify(get(params)) ?? '') ?? Number.NaN
  const size = values.length
  return { path, kind: 'category', low: 0, high: size - 1, isLog: false, size, choices, read }
}

function valueAt(params: JsonObject, way: Way, name: string): unknown {
  let at: unknown = params
  for (const [choice, branch] of way) {
    at = fieldOf(at, choice)
    if (fieldOf(at, 'name') !== branch) return undefined
  }
  return fieldOf(at, name)
}

const fieldOf = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined

const shortened = (text: string): string => (text.length > longestText ? `${text.slice(0, longestText - 1)}…` : text)
