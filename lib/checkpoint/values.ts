/**
 * Plain values and typed arrays as JSON and tensors, and back exactly: JSON knows neither NaN, nor infinities, nor −0, and
 * arrays belong among the tensors. What it cannot say becomes `{ $: … }`.
 */
import { describe, GradusError } from '../errors.js'
import { isUnchanging } from '../memory.js'
import type { Tensor, TensorData } from '../model/safetensors.js'

/** Lists in lists, or objects in objects. A circle has no end. */
const deepest = 50

const specialNumbers: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
}

/** @param path - of the tensors: `callback/earlyStopping` */
export function encodeValue(path: string, value: unknown, tensors: Tensor[], depth = 0): unknown {
  if (depth > deepest) throw refused(path, `lists and objects at most ${deepest} deep, and no circle`, value)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return encodeNumber(value)
  if (isTensorData(value)) {
    // It is written while training goes on, and may go on in the same array.
    const data = isUnchanging(value) ? value : value.slice()
    tensors.push({ name: path, shape: [value.length], data })
    return { $: 'tensor', name: path }
  }
  const encode = (key: string | number, item: unknown) => encodeValue(`${path}/${key}`, item, tensors, depth + 1)
  if (Array.isArray(value)) return Array.from(value, (item, i) => encode(i, item === undefined ? null : item))
  if (typeof value !== 'object' || Object.prototype.toString.call(value) !== '[object Object]') {
    throw refused(path, 'plain values and typed arrays', value)
  }
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => [key, encode(key, item)])
  return Object.hasOwn(value, '$') ? { $: 'object', entries } : Object.fromEntries(entries)
}

const encodeNumber = (value: number): unknown =>
  Number.isFinite(value) && !Object.is(value, -0) ? value : { $: Object.is(value, -0) ? '-0' : String(value) }

const isTensorData = (value: unknown): value is TensorData =>
  [Float32Array, Float64Array, Int32Array, Uint8Array].some((array) => value instanceof array)

function refused(path: string, expected: string, value: unknown): GradusError {
  const message = `${path}: expected ${expected} as what is to be remembered, received ${describe(value)}`
  return new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

/** @throws GRADUS_BAD_FILE on what {@link encodeValue} would not give */
export function decodeValue(value: unknown, tensors: ReadonlyMap<string, TensorData>, depth = 0): unknown {
  if (depth > 2 * deepest) throw damaged('it is too deep')
  if (typeof value !== 'object' || value === null) return value
  const decode = (item: unknown) => decodeValue(item, tensors, depth + 1)
  if (Array.isArray(value)) return value.map(decode)
  if (Object.hasOwn(value, '$')) return decodeSpecial(value as Special, tensors, decode)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]))
}

interface Special {
  readonly $: unknown
  readonly name?: unknown
  readonly entries?: unknown
}

function decodeSpecial(
  { $, name, entries }: Special,
  tensors: ReadonlyMap<string, TensorData>,
  decode: (item: unknown) => unknown,
): unknown {
  if (typeof $ === 'string' && Object.hasOwn(specialNumbers, $)) return specialNumbers[$]
  if ($ === 'tensor') return tensors.get(String(name)) ?? fail(`there is no tensor ${describe(name)}`)
  if ($ !== 'object' || !Array.isArray(entries))
    return fail(`it has ${describe($)} where a number or a tensor should be`)
  return Object.fromEntries(
    entries.map((entry) => {
      if (!Array.isArray(entry) || entry.length !== 2 || typeof entry[0] !== 'string') return fail('an entry is none')
      return [entry[0], decode(entry[1])]
    }),
  )
}

const damaged = (what: string): GradusError => new GradusError('GRADUS_BAD_FILE', `its entry "run" is damaged: ${what}`)

function fail(what: string): never {
  throw damaged(what)
}
