/** What users keep in a model's file beside the model: anything that JSON can say, exactly. */
import { GradusError, invalidArgument } from '../errors.js'

/** Lists in lists, or objects in objects. A circle has no end. */
const deepest = 50

/** A copy as it will come back from the file. What has a `toJSON` says itself what is kept of it. */
export function checkMetadata(argument: string, value: unknown, depth = 0): unknown {
  if (depth > deepest) {
    const message = `${shortPath(argument)}: expected lists and objects at most ${deepest} deep, and no circle`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return value
  if (typeof value !== 'object' || ArrayBuffer.isView(value)) throw refused(argument, value)
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return checkMetadata(argument, value.toJSON(), depth + 1)
  }
  if (Array.isArray(value)) {
    return Array.from(value, (item, i) => checkMetadata(`${argument}[${i}]`, item, depth + 1))
  }
  if (Object.prototype.toString.call(value) !== '[object Object]') throw refused(argument, value)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(entries.map(([key, item]) => [key, checkMetadata(`${argument}.${key}`, item, depth + 1)]))
}

function refused(argument: string, value: unknown): GradusError {
  const advice = ArrayBuffer.isView(value) ? '; Array.from() makes a list of it' : ''
  const { message } = invalidArgument(shortPath(argument), 'what JSON can say', value)
  return new GradusError('GRADUS_INVALID_ARGUMENT', message + advice)
}

const shortPath = (path: string): string => (path.length > 80 ? `${path.slice(0, 79)}…` : path)
