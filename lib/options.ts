/**
 * A function's options in one list: of each its name, its check and its default. The compiler holds the list against the
 * documented interface, so that neither has a name that the other lacks.
 */
import { describe, GradusError } from './errors.js'
import { didYouMean, nearest } from './suggest.js'

/** Gives the value back, or throws one sentence that names the argument. */
export type Check<Value> = (argument: string, value: unknown) => Value

interface Needed<Value> {
  readonly needed: Check<Value>
}
/** An option that must be given. */
export const needed = <Value>(check: Check<Value>): Needed<Value> => ({ needed: check })

/** For options that are looked at elsewhere. */
export const anything = <Value>(_: string, value: unknown): Value => value as Value

/** A check alone: the option may be left out and is undefined then. With a default beside it, it never is. */
type OptionalRule<Value> = Check<Value | undefined> | readonly [check: Check<Value>, fallback: Value]
type Rule<Options, Key extends keyof Options> =
  Record<never, never> extends Pick<Options, Key>
    ? OptionalRule<Exclude<Options[Key], undefined>>
    : Needed<Options[Key]> | readonly [check: Check<Options[Key]>, fallback: Options[Key]]
export type Rules<Options> = { readonly [Key in keyof Required<Options>]: Rule<Options, Key & keyof Options> }

/** The options as read: those with a default, or that are needed, are there. */
export type Read<Options, Given> = {
  [Key in keyof Required<Options>]: Key extends keyof Given
    ? Given[Key] extends Needed<unknown> | readonly unknown[]
      ? Exclude<Options[Key & keyof Options], undefined>
      : Options[Key & keyof Options] | undefined
    : never
}

type AnyRule = Check<unknown> | readonly [Check<unknown>, unknown] | Needed<unknown>

/** Option → the functions that have it, to tell who gives one to the wrong function. */
const owners = new Map<string, string[]>()

/**
 * A reader of the options of `owner`. What is not in the list is refused with what was probably meant; `place` names options
 * that lie within others: `groups[0]`.
 *
 * @param positional names of the arguments before the options, which other libraries have among them
 */
export const optionsOf =
  <Options>() =>
  <const Given extends Rules<Options>>(owner: string, rules: Given, positional: readonly string[] = []) => {
    const list = Object.entries(rules) as [string, AnyRule][]
    const known = list.map(([name]) => name)
    for (const [name] of list.filter(([name]) => name !== 'name'))
      owners.set(name, [...(owners.get(name) ?? []), owner])
    return (options: Options | undefined, place?: string): Read<Options, Given> => {
      const given = (options === undefined ? {} : options) as Record<string, unknown>
      checkObject(place ?? owner, given, list, positional)
      for (const name of Object.keys(given)) {
        if (!known.includes(name)) throw unknownOption(place ?? owner, name, known, positional)
      }
      const read: Record<string, unknown> = {}
      for (const [name, rule] of list) read[name] = resolved(rule, place ? `${place}.${name}` : name, given[name])
      return read as Read<Options, Given>
    }
  }

const checkOf = (rule: AnyRule): Check<unknown> =>
  typeof rule === 'function' ? rule : 'needed' in rule ? rule.needed : rule[0]

function resolved(rule: AnyRule, argument: string, value: unknown): unknown {
  if (value !== undefined || 'needed' in rule) return checkOf(rule)(argument, value)
  return typeof rule === 'function' ? undefined : rule[1]
}

function checkObject(
  owner: string,
  options: unknown,
  list: readonly [string, AnyRule][],
  positional: readonly string[],
): void {
  const isObject = typeof options === 'object' && options !== null
  if (isObject && !Array.isArray(options) && !ArrayBuffer.isView(options)) return
  const meant = list.find(([name, rule]) => name !== 'name' && accepts(checkOf(rule), options))
  // Whoever counts inputs and outputs gives a number too many, and no option.
  const isExtra = typeof options === 'number' && positional.length > 0
  const call = `; ${owner}(${positional.join(', ')}, { … }) takes no more numbers`
  const option = meant && isPlain(options) ? `; did you mean { ${meant[0]}: ${describe(options)} }?` : ''
  const hint = isExtra ? call : option
  throw new GradusError(
    'GRADUS_INVALID_ARGUMENT',
    `${owner}: expected an options object, received ${describe(options)}${hint}`,
  )
}

const isPlain = (value: unknown) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

function accepts(check: Check<unknown>, value: unknown): boolean {
  try {
    return check !== anything && check('', value) !== undefined
  } catch {
    return false
  }
}

/** The sentence about a name that the options do not have. */
export function unknownOption(
  owner: string,
  name: string,
  known: readonly string[],
  positional: readonly string[] = [],
): GradusError {
  const shown = JSON.stringify(name.length > 40 ? `${name.slice(0, 39)}…` : name)
  return new GradusError('GRADUS_INVALID_ARGUMENT', `${owner}: there is no option ${shown}${advice()}`)

  function advice(): string {
    const place = positional.indexOf(name)
    if (place >= 0) return `; it comes before the options: ${owner}(${positional.join(', ')}, { … })`
    const meant = nearest(name, known)
    if (meant !== undefined) return `; did you mean ${meant}?`
    const others = (owners.get(name) ?? []).filter((other) => !other.startsWith('custom'))
    const sorted = `known are ${[...known].sort().join(', ')}`
    return others.length > 0 ? `, which ${listed(others)} takes; ${sorted}` : `; ${sorted}`
  }
}

/** As {@link invalidArgument} for a name that is none of those there are. */
export function unknownName(
  argument: string,
  expected: string,
  received: unknown,
  known: readonly string[],
): GradusError {
  const advice = typeof received === 'string' ? didYouMean(received, known) : ''
  return new GradusError(
    'GRADUS_INVALID_ARGUMENT',
    `${argument}: expected ${expected}, received ${describe(received)}${advice}`,
  )
}

function listed(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} or another` : names.join(' or ')
}
