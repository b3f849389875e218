import { checkBoolean, checkOptions } from '../checks.js'
import { checkClasses } from './labels.js'
import { type InputMeaning, restoreMeanings } from './meaning.js'

/** What a model's data mean: settled by the first data that it trains on, then kept with it and in its file. */
export interface Conventions {
  /** Class c is `classes[c]`. */
  classes?: readonly string[] | undefined
  /** By names of inputs of numbers. */
  inputs?: Readonly<Record<string, InputMeaning>> | undefined
  /** Whether the normalization layers have the mean and variance of data. */
  isAdapted?: boolean | undefined
}

/** From what a file holds. Throws on what is none. */
export function restoreConventions(conventions: unknown): Conventions {
  checkOptions('conventions', conventions, ['classes', 'inputs', 'isAdapted'])
  const { classes, inputs, isAdapted } = conventions as Record<string, unknown>
  return {
    ...(classes !== undefined && { classes: checkClasses('classes', classes) }),
    ...(inputs !== undefined && { inputs: restoreMeanings('inputs', inputs) }),
    ...(isAdapted !== undefined && { isAdapted: checkBoolean('isAdapted', isAdapted) }),
  }
}

/** Whether two lists name the same classes in the same order. */
export const sameClasses = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, number) => name === b[number])
