/** What stands in a study's files: JSON of unknown origin, looked through before anything relies on it. */
import { badFile } from '../files.js'
import { parseObject } from '../json.js'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

/** What this version writes, and the newest that it reads. */
export const studyFormat = 1

/** Nothing that is written here lies deeper; who walks through what is read needs no more stack. */
const deepest = 64

/** The longest that is read of a record, in bytes. */
export const mostOfRecord = 1 << 20

/** Fields of one record; a wrong one is an error that names the file and the field. */
export class Fields {
  readonly #where: string
  readonly #fields: JsonObject
  readonly #place: string

  constructor(where: string, fields: JsonObject, place = '') {
    this.#where = where
    this.#fields = fields
    this.#place = place
  }

  /** @throws `GRADUS_BAD_FILE` for what is no record, has `__proto__` in it, or was written by a newer Gradus */
  static parse(text: string, where: string): Fields {
    return Fields.of(parseObject(text, where) as JsonObject, where)
  }

  /** Likewise, of what has been parsed without `__proto__`. `but`: fields whose depth is looked at by who reads them. */
  static of(record: JsonObject, where: string, but: readonly string[] = []): Fields {
    for (const field in record)
      if (!but.includes(field) && isDeeper(record[field]!, deepest - 1))
        throw badFile(where, `expected no more than ${deepest} levels`)
    const { format } = record
    if (format === studyFormat) return new Fields(where, record)
    const problem = Number(format) > studyFormat ? 'a newer Gradus wrote it' : 'its format is unknown'
    throw badFile(where, `${problem}: format ${JSON.stringify(format) ?? 'none'}, and this one reads ${studyFormat}`)
  }

  /** Those of an object in a field of this one. */
  within(field: string, fields: JsonObject): Fields {
    return new Fields(this.#where, fields, `${this.#place}${field}.`)
  }

  fail(field: string, expected: string): never {
    throw badFile(this.#where, `${this.#place}${field}: expected ${expected}`)
  }

  get(field: string): Json | undefined {
    return Object.hasOwn(this.#fields, field) ? this.#fields[field] : undefined
  }

  text(field: string): string {
    const value = this.get(field)
    return typeof value === 'string' ? value : this.fail(field, 'a string')
  }

  textOrNull(field: string): string | null {
    return (this.get(field) ?? null) === null ? null : this.text(field)
  }

  /** One of these, in the type of the list. */
  oneOf<Name extends string>(field: string, names: readonly Name[]): Name {
    const value = this.get(field)
    return names.includes(value as Name) ? (value as Name) : this.fail(field, `one of ${names.join(', ')}`)
  }

  whole(field: string, least = 0): number {
    const value = this.get(field)
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
    return this.fail(field, `a whole number from ${least} up`)
  }

  wholeOrNull(field: string): number | null {
    return (this.get(field) ?? null) === null ? null : this.whole(field)
  }

  /** Any number, as {@link fromNumber} writes it. */
  number(field: string): number {
    const number = toNumber(this.get(field))
    return number === null ? this.fail(field, 'a number') : number
  }

  numberOrNull(field: string): number | null {
    return (this.get(field) ?? null) === null ? null : this.number(field)
  }

  object(field: string): JsonObject {
    const value = this.get(field)
    return isObject(value) ? value : this.fail(field, 'an object')
  }

  objectOrNull(field: string): JsonObject | null {
    return (this.get(field) ?? null) === null ? null : this.object(field)
  }

  list(field: string): readonly Json[] {
    const value = this.get(field)
    return Array.isArray(value) ? value : this.fail(field, 'a list')
  }
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const named = ['NaN', 'Infinity', '-Infinity']

/** A number as JSON: those that JSON does not know, by name. */
export const fromNumber = (value: number): number | string => (Number.isFinite(value) ? value : String(value))

/** Null of what is no number. */
export function toNumber(value: unknown): number | null {
  if (typeof value === 'number') return value
  return named.includes(value as string) ? Number(value) : null
}

/** Looks no deeper than that itself: what is read may be deeper than the stack. */
function isDeeper(value: Json, most: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (most < 0) return true
  // By index: most of what is read are long lists of numbers.
  const within: readonly Json[] = Array.isArray(value) ? value : Object.values(value)
  for (let i = 0; i < within.length; i++) {
    const one = within[i]!
    if (typeof one === 'object' && isDeeper(one, most - 1)) return true
  }
  return false
}
