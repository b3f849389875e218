import { invalidArgument } from '../errors.js'

export const isName = (name: unknown): name is string =>
  typeof name === 'string' && /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)

/** Names become parts of weight names, `dense1.weight`, and of file entries. */
export function checkName(argument: string, name: unknown): string | undefined {
  if (name === undefined || isName(name)) return name
  throw invalidArgument(argument, 'a letter, then at most 63 letters, digits, "-" or "_"', name)
}
