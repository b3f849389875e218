/** Rows in another order and in two parts; the same seed gives the same rows. */
import { checkOptions, checkSeed } from '../checks.js'
import { invalidArgument } from '../errors.js'
import { asTable, type ColumnData, elementsPerRow, openColumn, takeRows } from './column.js'
import { type Examples, inputColumns } from './examples.js'
import { numbered } from './labels.js'
import { permutation } from './random.js'

export interface SplitOptions {
  /** The share of the rows that goes into `test`, between 0 and 1. Default 0.2. */
  fraction?: number
  /** 0 to 2⁵³ − 1. Default 0. */
  seed?: number
  /** Keeps the share of each class (each value of `y`) the same in both parts. Default false. */
  stratify?: boolean
  /** How many examples there are; needed only where the shapes do not tell. */
  rows?: number
}

/**
 * Splits examples at random in two. The arrays are copied; those given are left as they are.
 *
 * @example const { train, test } = split({ x, y }, { fraction: 0.1, seed: 7, stratify: true })
 */
export function split<E extends Examples>(examples: E, options: SplitOptions = {}): { train: E; test: E } {
  checkOptions('options', options, ['fraction', 'seed', 'stratify', 'rows'])
  const whole = withClasses(examples)
  const { fraction = 0.2, seed = 0, stratify = false } = options
  if (!(fraction > 0 && fraction < 1)) throw invalidArgument('fraction', 'a number between 0 and 1', fraction)
  const rows = countRows(examples, options.rows)
  const order = permutation(rows, checkSeed('seed', seed))
  const held = new Uint8Array(rows)
  for (const group of stratify ? groupByTarget(examples, order) : [order]) {
    for (const row of group.subarray(0, Math.round(group.length * fraction))) held[row] = 1
  }
  const part = (isTest: boolean) => {
    const chosen = order.filter((row) => (held[row] === 1) === isTest)
    return takeExamples(whole, chosen, rows)
  }
  return { train: part(false), test: part(true) }
}

/** Names of classes get the list of all of them: a part may lack some. */
function withClasses<E extends Examples>(examples: E): E {
  const { classes } = numbered(examples)
  return classes ? { ...examples, classes } : examples
}

/** The examples in a random order that depends on the seed alone; a copy. */
export function shuffle<E extends Examples>(examples: E, options: { seed?: number; rows?: number } = {}): E {
  checkOptions('options', options, ['seed', 'rows'])
  const rows = countRows(examples, options.rows)
  return takeExamples(withClasses(examples), permutation(rows, checkSeed('seed', options.seed ?? 0)), rows)
}

/** Name and data of each column there is. Names of classes are a column too: they move with their rows. */
function columnsOf({ x, y, sampleWeights }: Examples): [string, ColumnData][] {
  const named = inputColumns(x)
  if (y !== undefined) named.push(['y', y as ColumnData])
  if (sampleWeights !== undefined) named.push(['sampleWeights', sampleWeights])
  return named
}

/** As the columns say; a flat array says it only where each number is one example: weights, and labels of integers. */
function countRows(examples: Examples, given: number | undefined): number {
  const columns = columnsOf(examples)
  const counts = columns.map(([argument, data]) => {
    if (Array.isArray(data)) return data.length
    const table = asTable(argument, data)
    if (table.shape) return table.shape[0] ?? 0
    const isFloat = table.data instanceof Float32Array || table.data instanceof Float64Array
    const isOneEach = argument === 'sampleWeights' || (argument === 'y' && !isFloat)
    return isOneEach ? table.data.length : null
  })
  const rows = given ?? counts.find((count) => count !== null)
  if (rows === undefined || !Number.isSafeInteger(rows) || rows < 0) {
    throw invalidArgument('rows', 'how many examples there are, which flat arrays do not tell', rows)
  }
  columns.forEach(([argument, data], i) => {
    const count = counts[i] ?? rows
    if (count !== rows) throw invalidArgument(argument, `${rows} rows, as many as the others have`, count)
    elementsPerRow(argument, data, rows)
  })
  return rows
}

/** These of `total` rows, in this order; a copy. */
export function takeExamples<E extends Examples>(examples: E, rows: Uint32Array, total: number): E {
  const taken = new Map(
    columnsOf(examples).map(([argument, data]) => [argument, takeRows(argument, data, rows, total)]),
  )
  const x = taken.get('x') ?? Object.fromEntries(Object.keys(examples.x).map((name) => [name, taken.get(`x.${name}`)]))
  const others = { y: taken.get('y'), sampleWeights: taken.get('sampleWeights') }
  const given = Object.entries(others).filter(([, data]) => data !== undefined)
  return { ...examples, x, ...Object.fromEntries(given) }
}

/** The rows of each value of y, in the order given. */
function groupByTarget(examples: Examples, order: Uint32Array): Uint32Array[] {
  const { y } = numbered(examples)
  if (y === undefined) throw invalidArgument('y', 'class numbers to stratify by', y)
  const labels = openColumn('y', y, elementsPerRow('y', y, order.length) ?? 1, 1)
  if (labels.elements !== 1) throw invalidArgument('y', 'one class number an example to stratify by', y)
  const values = labels.read(0, labels.rows)
  const groups = new Map<number, number[]>()
  for (const row of order) {
    const value = values[row] as number
    const group = groups.get(value)
    if (group) group.push(row)
    else groups.set(value, [row])
  }
  return [...groups.values()].map((group) => Uint32Array.from(group))
}
