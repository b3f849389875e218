/**
 * How layers, losses, optimizers and metrics are written down: as the call that makes them, in plain data. A saved model
 * is made of such calls, and loading it makes them again through the same checks as a user's own call.
 */
import { describe, GradusError } from './errors.js'
import { nearest } from './suggest.js'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** `['dense', 10, { init: 'he' }]` stands for `dense(10, { init: 'he' })`. */
export type Call = readonly [factory: string, ...arguments_: Json[]]

export const callOf = (factory: string, ...arguments_: unknown[]): Call => plain([factory, ...arguments_]) as Call

/** A copy without the entries that are undefined: options that were not given. */
export const plain = <Data>(data: Data): Data => JSON.parse(JSON.stringify(data))

/**
 * A factory that refuses arguments beyond its last: JavaScript would drop them without a word.
 *
 * @param most how many arguments it takes; the last of them are options where it has any
 */
export function factory<Factory extends (...given: never[]) => unknown>(
  name: string,
  most: number,
  make: Factory,
): Factory {
  const checked = (...given: never[]) => {
    if (given.slice(most).some((extra) => extra !== undefined)) throw tooMany(name, most, given)
    return make(...given)
  }
  // What is given without being called is named in the error.
  return Object.defineProperty(checked, 'name', { value: name }) as unknown as Factory
}

function tooMany(name: string, most: number, given: readonly unknown[]): GradusError {
  const options = given.slice(Math.max(0, most - 1)).flatMap((value) => (isRecord(value) ? Object.keys(value) : []))
  const advice = most > 0 && options.length > 0 ? `; options stand in one object: { ${options.join(', ')} }` : ''
  const expected = most === 0 ? 'no argument' : `no more than ${most} argument${most === 1 ? '' : 's'}`
  const message = `${name}: expected ${expected}, received ${given.length}${advice}`
  return new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** An ordinary object, of this realm or another: a Map or a promise says otherwise. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  Object.prototype.toString.call(value) === '[object Object]'

/** Makes what a call stands for, out of the factories that a module exports. */
export function restore<Made>(factories: object, call: unknown, isMade: (value: unknown) => value is Made): Made {
  const [name, ...arguments_] = Array.isArray(call) ? call : []
  const factory = typeof name === 'string' && Object.hasOwn(factories, name) && (factories as Factories)[name]
  if (typeof factory !== 'function') throw new GradusError('GRADUS_BAD_FILE', `there is no ${JSON.stringify(name)}`)
  const made = factory(...arguments_)
  if (!isMade(made)) throw new GradusError('GRADUS_BAD_FILE', `${name} does not belong here`)
  return made
}

/**
 * What one of the factories made, as in `loss: meanSquaredError()`. Who gives a name, or the factory itself, is told of the
 * call.
 */
export function checkMade<Made>(
  argument: string,
  expected: string,
  value: unknown,
  isMade: (value: unknown) => value is Made,
  factories: object,
): Made {
  if (isMade(value)) return value
  const name = typeof value === 'string' ? value : typeof value === 'function' ? value.name : undefined
  const meant = name === undefined ? undefined : nearest(name, Object.keys(factories))
  const advice = meant === undefined ? '' : `; did you mean ${meant}()?`
  throw new GradusError(
    'GRADUS_INVALID_ARGUMENT',
    `${argument}: expected ${expected}, received ${describe(value)}${advice}`,
  )
}

type Factories = Record<string, (...arguments_: unknown[]) => unknown>
