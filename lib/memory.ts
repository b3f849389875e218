/** What remembers from one epoch to the next, and how its memory is kept: checkpoints write it down and give it back. */
import { GradusError } from './errors.js'
import type { Check } from './options.js'

const unchanging = new WeakSet<object>()

/** Of an array in a memory that nobody writes into any more: it need not be copied to be kept as it is. */
export function neverChanges<Elements extends object>(array: Elements): Elements {
  unchanging.add(array)
  return array
}

export const isUnchanging = (array: object): boolean => unchanging.has(array)

/**
 * A memory as it comes from a file: exactly these entries, each as its check wants it.
 * @throws GRADUS_BAD_FILE
 */
export function readMemory<Memory extends object>(
  owner: string,
  memory: unknown,
  checks: { readonly [Key in keyof Memory]-?: Check<Memory[Key]> },
): Memory {
  const entries = Object.entries(checks) as [string, Check<unknown>][]
  const given = memory as Record<string, unknown>
  try {
    const isRecord = typeof memory === 'object' && memory !== null
    const stranger = isRecord ? Object.keys(given).find((key) => !Object.hasOwn(checks, key)) : undefined
    if (!isRecord || stranger !== undefined) throw new Error(stranger ?? 'no record')
    const read = entries.map(([key, check]) => [key, check(key, given[key])])
    // What is not there is no entry afterwards either.
    return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as Memory
  } catch (cause) {
    const message = `the memory of ${owner} is damaged, or that of another version: ${(cause as Error).message}`
    throw new GradusError('GRADUS_BAD_FILE', message, { cause })
  }
}

/** A check that lets null pass. */
export const orNull =
  <Value>(check: Check<Value>): Check<Value | null> =>
  (argument, value) =>
    value === null ? null : check(argument, value)

/** A check that lets what is not there pass. */
export const orUndefined =
  <Value>(check: Check<Value>): Check<Value | undefined> =>
  (argument, value) =>
    value === undefined ? undefined : check(argument, value)

/** Any number, those that are not finite too. */
export function anyNumber(argument: string, value: unknown): number {
  if (typeof value === 'number') return value
  throw new Error(`${argument} is no number`)
}
