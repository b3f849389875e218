/** Choosing parameters by their names. */
import { GradusError, invalidArgument } from '../errors.js'

/** Names as in `getWeights`, or of whole layers; `*` stands for any letters: `'*.bias'`, `['layerNorm*', 'dense1']`. */
export type NamePatterns = string | readonly string[]

export function checkPatterns(argument: string, value: unknown): string[] {
  const patterns: unknown[] = typeof value === 'string' ? [value] : Array.isArray(value) ? [...value] : []
  if (patterns.length && patterns.every((pattern) => typeof pattern === 'string')) return patterns
  throw invalidArgument(argument, "a pattern such as '*.bias', or an array of them", value)
}

/** Those of the names that one of the patterns names. @throws when a pattern names none */
export function namesMatching(argument: string, patterns: NamePatterns, names: readonly string[]): Set<string> {
  const chosen = [patterns].flat().flatMap((pattern) => {
    const matches = matcher(pattern)
    const named = names.filter((name) => matches(name) || matches(name.slice(0, name.indexOf('.'))))
    if (named.length > 0) return named
    const message = `${argument}: "${pattern}" names none of ${names.join(', ')}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  })
  return new Set(chosen)
}

function matcher(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.\\+^$()[\]{}|?]/g, '\\$&'))
  const expression = new RegExp(`^${parts.join('.*')}$`)
  return (name) => expression.test(name)
}
