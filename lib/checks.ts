/** Checks of single arguments: each gives the value back, or throws one sentence that names the argument. */
import { invalidArgument } from './errors.js'
import { unknownName, unknownOption } from './options.js'

/** An options object: nothing but the known keys, so that a misspelt option is not silently ignored. */
export function checkOptions(argument: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options) || ArrayBuffer.isView(options)) {
    throw invalidArgument(argument, 'an options object', options)
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown !== undefined) throw unknownOption(argument, unknown, known)
}

/** A finite number that `accept` accepts. */
function checkNumber(argument: string, expected: string, value: unknown, accept: (value: number) => boolean): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || !accept(value)) {
    throw invalidArgument(argument, expected, value)
  }
  return value
}

export const checkFinite = (argument: string, value: unknown): number =>
  checkNumber(argument, 'a finite number', value, () => true)

export const checkPositive = (argument: string, value: unknown): number =>
  checkNumber(argument, 'a positive number', value, (number) => number > 0)

export const checkNotNegative = (argument: string, value: unknown): number =>
  checkNumber(argument, 'a number of at least 0', value, (number) => number >= 0)

/** At least 0 and less than 1: a dropout rate, a decay, a momentum. */
export const checkFraction = (argument: string, value: unknown): number =>
  checkNumber(argument, 'a number of at least 0 and less than 1', value, (number) => number >= 0 && number < 1)

/** Over 0 and below 1: a part of a whole. */
export const checkShare = (argument: string, value: unknown): number =>
  checkNumber(argument, 'a number between 0 and 1', value, (number) => number > 0 && number < 1)

/** A part of a whole, or all or none of it. */
export const checkShareOrEnd = (argument: string, value: unknown): number =>
  checkNumber(argument, 'a number from 0 to 1', value, (number) => number >= 0 && number <= 1)

export const checkPositiveInteger = (argument: string, value: unknown): number =>
  checkNumber(argument, 'a positive integer', value, (number) => Number.isSafeInteger(number) && number > 0)

export const checkNotNegativeInteger = (argument: string, value: unknown): number =>
  checkNumber(argument, 'a whole number from 0 up', value, (number) => Number.isSafeInteger(number) && number >= 0)

/** 0 to 2⁵³ − 1. */
export const checkSeed = (argument: string, value: unknown): number =>
  checkNumber(argument, 'an integer from 0 to 2^53 - 1', value, (number) => Number.isSafeInteger(number) && number >= 0)

export function checkBoolean(argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidArgument(argument, 'true or false', value)
  return value
}

export function checkFunction<Function_>(argument: string, value: Function_ | unknown): Function_ {
  if (typeof value !== 'function') throw invalidArgument(argument, 'a function', value)
  return value as Function_
}

export function checkText(argument: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidArgument(argument, 'a string', value)
  return value
}

/** A name that must be there, of what is made: `nameFor('loss')`. */
export const nameFor =
  (made: string) =>
  (argument: string, value: unknown): string => {
    if (typeof value !== 'string' || value === '') throw invalidArgument(argument, `a name for the ${made}`, value)
    return value
  }

export function checkPath(argument: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalidArgument(argument, 'a path', value)
  return value
}

export function checkOneOf<Name extends string>(argument: string, value: unknown, names: readonly Name[]): Name {
  if (!names.includes(value as Name)) {
    throw unknownName(argument, `one of ${names.map((name) => `'${name}'`).join(', ')}`, value, names)
  }
  return value as Name
}

/** As {@link checkOneOf}, of these names, for a list of options. */
export const oneOf =
  <Name extends string>(...names: readonly Name[]) =>
  (argument: string, value: unknown): Name =>
    checkOneOf(argument, value, names)

/** Undefined stays undefined: an option that was not given. */
export function checkOptional<Value, Checked>(
  check: (argument: string, value: Value) => Checked,
  argument: string,
  value: Value | undefined,
): Checked | undefined {
  return value === undefined ? undefined : check(argument, value)
}
