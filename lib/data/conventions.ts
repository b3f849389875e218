import { checkOptions } from '../checks.js'
import { checkClasses } from './labels.js'

/** What a model's data mean: settled by the first data that it trains on, then kept with it and in its file. */
export interface Conventions {
  /** Class c is `classes[c]`. */
  classes?: readonly string[]
}

/** From what a file holds. Throws on what is none. */
export function restoreConventions(conventions: unknown): Conventions {
  checkOptions('conventions', conventions, ['classes'])
  const { classes } = conventions as Record<string, unknown>
  return classes === undefined ? {} : { classes: checkClasses('classes', classes) }
}

/** Whether two lists name the same classes in the same order. */
export const sameClasses = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, number) => name === b[number])
