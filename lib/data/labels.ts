/** Names of classes as targets, and the numbers that stand for them. */
import { describe, GradusError, invalidArgument } from '../errors.js'
import type { OpenColumn } from './column.js'
import type { Examples, NumberedExamples } from './examples.js'

/** Names, one an example; the first tells. */
export function areNames(y: unknown): y is readonly string[] {
  return Array.isArray(y) && typeof y[0] === 'string'
}

/** Examples with names as targets get numbers, and `classes` that tell what they mean; others are given back. */
export function numbered(examples: Examples): NumberedExamples {
  const { y } = examples
  if (examples.classes !== undefined) checkClasses('classes', examples.classes)
  if (!areNames(y)) return examples as NumberedExamples
  y.forEach((name, row) => {
    if (!isName(name)) throw badLabel('y', row, 'the name of a class, as in the first row', name)
  })
  const classes = examples.classes ?? namesIn(y)
  return { ...examples, y: numbersOf('y', y, classes), classes }
}

/** The names that occur, sorted by their UTF-16 codes: the same order in every country. */
export const namesIn = (labels: Iterable<string>): string[] => [...new Set(labels)].sort()

/** The class number of each name. Error: `GRADUS_INVALID_DATA` with the row of a name that is no class's. */
export function numbersOf(argument: string, labels: readonly string[], classes: readonly string[]): Int32Array {
  const numbers = new Map(classes.map((name, number) => [name, number]))
  return Int32Array.from(labels, (name, row) => {
    const number = numbers.get(name)
    if (number === undefined) throw unknownName(argument, row, name, classes)
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
          throw badLabel(column.argument, row, `a class number from 0 to ${own.length - 1}`, number)
        }
        if (numbers[number] === -1) throw unknownName(column.argument, row, name, wanted)
        return numbers[number] as number
      })
    },
  }
}

const isName = (name: unknown): boolean => typeof name === 'string' && name.trim() !== ''

function badLabel(argument: string, row: number, expected: string, received: unknown): GradusError {
  const message = `${argument}, row ${row}: expected ${expected}, received ${describe(received)}`
  return new GradusError('GRADUS_INVALID_DATA', message)
}

function unknownName(argument: string, row: number, name: string, classes: readonly string[]): GradusError {
  const expected = classes.length > 1 ? `one of the classes ${someOf(classes)}` : `the only class, ${someOf(classes)}`
  const error = badLabel(argument, row, expected, name)
  const near = nearest(name, classes)
  return near === null ? error : new GradusError(error.code, `${error.message}; did you mean ${JSON.stringify(near)}?`)
}

/** The first few names, as a sentence has room for. */
export function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => (name.length > 24 ? `${name.slice(0, 23)}…` : name))
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ')
}

/** The name that differs least, when it is by no more than a third of its letters. */
function nearest(name: string, names: readonly string[]): string | null {
  let [best, least] = [null as string | null, Infinity]
  for (const other of names.slice(0, 1000)) {
    const distance = editDistance(name.toLowerCase().slice(0, 64), other.toLowerCase().slice(0, 64))
    if (distance < least && distance <= Math.max(1, other.length / 3)) [best, least] = [other, distance]
  }
  return best
}

/** Letters to be put in, left out or changed (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(changed, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
