/** Names of classes as targets, and the numbers that stand for them. */
import { describe, GradusError, invalidArgument } from '../errors.js'
import { didYouMean } from '../suggest.js'
import type { OpenColumn } from './column.js'
import type { Examples, NumberedExamples } from './examples.js'

/** Names, one an example; the first tells. */
export function areNames(y: unknown): y is readonly string[] {
  return Array.isArray(y) && typeof y[0] === 'string'
}

/** Examples with names as targets get numbers, and `classes` that tell what they mean; others are given back. */
export function numbered(examples: Examples, argument = 'y'): NumberedExamples {
  const { y } = examples
  if (examples.classes !== undefined) checkClasses('classes', examples.classes)
  if (!areNames(y)) return examples as NumberedExamples
  y.forEach((name, row) => {
    if (isName(name)) return
    throw badLabel(argument, row, `expected the name of a class, as in the first row, received ${describe(name)}`)
  })
  const classes = examples.classes ?? namesIn(y)
  return { ...examples, y: numbersOf(y, classes, (row, problem) => badLabel(argument, row, problem)), classes }
}

/** The names that occur, sorted by their UTF-16 codes: the same order in every country. */
export const namesIn = (labels: Iterable<string>): string[] => [...new Set(labels)].sort()

/** The class number of each name. Throws what `fail` makes of a name that is no class's. */
export function numbersOf(
  labels: readonly string[],
  classes: readonly string[],
  fail: (row: number, problem: string) => Error,
): Int32Array {
  const numbers = new Map(classes.map((name, number) => [name, number]))
  return Int32Array.from(labels, (name, row) => {
    const number = numbers.get(name)
    if (number === undefined) throw fail(row, unknownName(name, classes))
    return number
  })
}

/** Different names, in the order of their numbers. */
export function checkClasses(argument: string, classes: unknown): readonly string[] {
  if (!Array.isArray(classes) || classes.length === 0) {
    throw invalidArgument(argument, 'the names of the classes, in order', classes)
  }
  const seen = new Set<string>()
  for (const [i, name] of classes.entries()) {
    if (!isName(name)) throw invalidArgument(`${argument}[${i}]`, 'the name of a class', name)
    if (seen.has(name)) throw invalidArgument(`${argument}[${i}]`, 'different names', name)
    seen.add(name)
  }
  return classes
}

/** A column of class numbers whose names have other numbers in `wanted`. */
export function renumbered(column: OpenColumn, own: readonly string[], wanted: readonly string[]): OpenColumn {
  if (own.length === wanted.length && own.every((name, number) => name === wanted[number])) return column
  const numbers = own.map((name) => wanted.indexOf(name))
  return {
    ...column,
    isFlat: false,
    bytes: null,
    read(first, count) {
      return Float64Array.from(column.read(first, count), (number, i) => {
        const [row, name] = [first + Math.floor(i / column.elements), own[number]]
        if (name === undefined) {
          const expected = `a class number from 0 to ${own.length - 1}`
          throw badLabel(column.argument, row, `expected ${expected}, received ${number}`)
        }
        if (numbers[number] === -1) throw badLabel(column.argument, row, unknownName(name, wanted))
        return numbers[number] as number
      })
    },
  }
}

const isName = (name: unknown): boolean => typeof name === 'string' && name.trim() !== ''

const badLabel = (argument: string, row: number, problem: string): GradusError =>
  new GradusError('GRADUS_INVALID_DATA', `${argument}, row ${row}: ${problem}`)

function unknownName(name: string, classes: readonly string[]): string {
  const expected = classes.length > 1 ? `one of the classes ${someOf(classes)}` : `the only class, ${someOf(classes)}`
  return `expected ${expected}, received ${describe(name)}${didYouMean(name, classes.slice(0, 1000))}`
}

/** The first few names, as a sentence has room for. */
export function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => (name.length > 24 ? `${name.slice(0, 23)}…` : name))
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ')
}
