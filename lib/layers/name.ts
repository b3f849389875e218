import { invalidArgument } from '../errors.js'

/** Names become parts of weight names, `dense1.weight`, and of file entries. */
export function checkName(argument: string, name: unknown): string | undefined {
  if (name === undefined) return undefined
  if (typeof name !== 'string' || !/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)) {
    throw invalidArgument(argument, 'a letter, then at most 63 letters, digits, "-" or "_"', name)
  }
  return name
}
