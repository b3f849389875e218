/** What parameters and choices may be called, and what a choice may hold: all of it goes to JSON files and comes back. */
import { isRecord, type Json } from '../../call.js'
import { GradusError, invalidArgument } from '../../errors.js'

/** Levels of objects within objects: a file that has more was made to harm. */
const mostLevels = 32

/**
 * A parameter's or branch's name. Paths are joined by points, and `__proto__` is no ordinary property.
 *
 * @throws `GRADUS_INVALID_ARGUMENT`
 */
export function checkName(place: string, name: string): string {
  const isLegal = name !== '' && name.length <= 100 && name !== '__proto__' && !/[.\p{Cc}]/u.test(name)
  if (isLegal) return name
  throw invalidArgument(place, 'a name of 1 to 100 letters, without points, other than __proto__', name)
}

/**
 * A copy of what JSON can hold, which cannot be changed: null, true, finite numbers, strings, arrays and plain objects.
 *
 * @throws `GRADUS_INVALID_ARGUMENT`
 */
export function checkJson(place: string, value: unknown, level = 0): Json {
  if (level > mostLevels) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `${place}: expected at most ${mostLevels} levels, received more`)
  }
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  // A file would give 0 back for −0.
  if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value
  if (Array.isArray(value))
    return Object.freeze(Array.from(value, (one, i) => checkJson(`${place}[${i}]`, one, level + 1)))
  if (!isRecord(value)) throw invalidArgument(place, 'what JSON can hold', value)
  const entries = Object.entries(value).map(([name, one]) => {
    if (name === '__proto__') throw invalidArgument(place, 'no property of this name', name)
    return [name, checkJson(`${place}.${name}`, one, level + 1)] as const
  })
  return Object.freeze(Object.fromEntries(entries))
}

/** One text for equal values, whatever the order of their properties; what JSON cannot hold has the text of no value. */
export function canonical(value: unknown, level = 0): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return String(value)
  if (level > mostLevels) return 'too deep'
  if (Array.isArray(value)) return `[${Array.from(value, (one) => canonical(one, level + 1)).join()}]`
  if (!isRecord(value)) return typeof value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, one]) => `${JSON.stringify(name)}:${canonical(one, level + 1)}`).join()}}`
}
