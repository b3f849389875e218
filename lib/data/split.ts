/** Rows in another order and in two parts; the same seed gives the same rows. */
import { checkBoolean, checkNotNegativeInteger, checkSeed, checkShare } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { anything, optionsOf } from '../options.js'
import { asTable, type ColumnData, elementsPerRow, isFloatArray, openColumn, takeRows } from './column.js'
import { Dataset } from './dataset.js'
import { checkExamples, type Examples, inputColumns } from './examples.js'
import { areNames, numbered } from './labels.js'
import { checkGroups, checkParts, type Groups, groupRows, lastRows, stratified, wholeGroups } from './partition.js'
import { permutation } from './random.js'

export interface SplitOptions {
  /** The share of the rows that goes into `test`, between 0 and 1. Default 0.2. */
  fraction?: number | undefined
  /** 0 to 2⁵³ − 1. Default 0. */
  seed?: number | undefined
  /** Keeps the share of each class (each value of `y`) the same in both parts, to within one row. Default false. */
  stratify?: boolean | undefined
  /**
   * One number or word for each example, such as the patient it is of: examples of one group all go into the same part,
   * which may then be somewhat larger or smaller. Default: each example by itself.
   */
  groupBy?: Groups | undefined
  /** False: the last rows are the test, in their order, as for what is measured over time. Default true. */
  shuffle?: boolean | undefined
  /**
   * With `shuffle: false`, examples that are left out before the first of the test, so that neighbours in time that share
   * measurements do not lie on both sides. For what {@link window} cut with the stride s: `Math.ceil((length + horizon) / s) - 1`.
   * Default 0.
   */
  gap?: number | undefined
  /** How many examples there are; needed only where the shapes do not tell. */
  rows?: number | undefined
}

const readSplit = optionsOf<SplitOptions>()('split', {
  fraction: [checkShare, 0.2],
  seed: [checkSeed, 0],
  stratify: [checkBoolean, false],
  groupBy: anything<Groups>,
  shuffle: [checkBoolean, true],
  gap: [checkNotNegativeInteger, 0],
  rows: checkNotNegativeInteger,
})

/**
 * Splits examples in two, at random unless `shuffle` says otherwise. The arrays are copied, on the calling thread (a gigabyte
 * takes one to two seconds); those given are left as they are. Where `y` holds names, both parts get `classes` with all of
 * them. A dataset gives two datasets.
 *
 * @example const { train, test } = split({ x, y }, { fraction: 0.1, seed: 7, stratify: true })
 * @example const { train, test } = split({ x, y }, { groupBy: patients })
 * @example
 * // Of 48 points in time each, and the 12 after them.
 * const windows = window(series, { length: 48, horizon: 12 })
 * const { train, test } = split(windows, { shuffle: false, gap: 48 + 12 - 1 })
 *
 * @throws `GRADUS_INVALID_ARGUMENT` also when a part would be empty.
 */
export function split(dataset: Dataset, options?: SplitOptions): { train: Dataset; test: Dataset }
export function split<E extends Examples>(examples: E, options?: SplitOptions): { train: E; test: E }
export function split(data: Dataset | Examples, options?: SplitOptions): { train: unknown; test: unknown } {
  const settings = readSplit(options)
  if (data instanceof Dataset) {
    const { train, test } = split(data.examples, options)
    return { train: new Dataset(train), test: new Dataset(test) }
  }
  const whole = withClasses(data)
  const rows = countRows(whole, settings.rows)
  const order = settings.shuffle
    ? permutation(rows, settings.seed)
    : Uint32Array.from({ length: rows }, (_, row) => row)
  const held = new Uint8Array(rows)
  for (const row of testRows(whole, order, settings)) held[row] = 1
  const end = trainingEnd(held, settings)
  const part = (chosen: Uint32Array) => takeExamples(whole, chosen, rows)
  return {
    train: part(order.filter((row) => held[row] === 0 && row < end)),
    test: part(order.filter((row) => held[row] === 1)),
  }
}

/** The row that training must not reach: where a gap is to be left before the test. */
function trainingEnd(held: Uint8Array, { gap, shuffle, groupBy }: ReturnType<typeof readSplit>): number {
  if (gap === 0) return held.length
  if (shuffle || groupBy !== undefined) {
    const message = `gap: expected ${shuffle ? 'shuffle: false' : 'no groupBy'} beside it, for examples in the order of time`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const end = held.indexOf(1) - gap
  if (end > 0) return end
  const message = `gap: expected fewer than the ${held.indexOf(1)} rows before the test, received ${gap}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
}

function testRows(examples: Examples, order: Uint32Array, settings: ReturnType<typeof readSplit>): Uint32Array {
  const { fraction, seed, stratify, groupBy, shuffle } = settings
  const rows = order.length
  const count = Math.round(rows * fraction)
  if (stratify && (groupBy !== undefined || !shuffle)) {
    const other = groupBy !== undefined ? 'groupBy' : 'shuffle: false'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `stratify: expected no ${other} beside it, received both`)
  }
  if (groupBy !== undefined) {
    const groups = groupRows(checkGroups('groupBy', groupBy, rows), order)
    if (groups.length < 2) throw invalidArgument('groupBy', 'at least two groups, one for each part', groups.length)
    return wholeGroups(groups, count, !shuffle)
  }
  checkParts(fraction, count, rows)
  return stratify ? stratified(groupRows(classesOf(examples, rows), order), count, seed) : lastRows(order, count)
}

/** Names of classes get the list of all of them: a part may lack some. */
export function withClasses<E extends Examples>(examples: E): E {
  checkExamples('data', examples)
  const { classes } = numbered(examples)
  return classes ? { ...examples, classes } : examples
}

const readShuffle = optionsOf<Pick<SplitOptions, 'seed' | 'rows'>>()('shuffle', {
  seed: [checkSeed, 0],
  rows: checkNotNegativeInteger,
})

/**
 * The examples in a random order that depends on the seed alone; a copy, made on the calling thread. A dataset gives a
 * dataset.
 */
export function shuffle(dataset: Dataset, options?: Pick<SplitOptions, 'seed' | 'rows'>): Dataset
export function shuffle<E extends Examples>(examples: E, options?: Pick<SplitOptions, 'seed' | 'rows'>): E
export function shuffle(data: Dataset | Examples, options?: Pick<SplitOptions, 'seed' | 'rows'>): unknown {
  const { seed, rows: given } = readShuffle(options)
  if (data instanceof Dataset) return new Dataset(shuffle(data.examples, options))
  const whole = withClasses(data)
  const rows = countRows(whole, given)
  return takeExamples(whole, permutation(rows, seed), rows)
}

/** Name and data of each column there is. Names of classes are a column too: they move with their rows. */
function columnsOf({ x, y, sampleWeights }: Examples): [string, ColumnData][] {
  const named = inputColumns(x)
  if (y !== undefined) named.push(['y', y as ColumnData])
  if (sampleWeights !== undefined) named.push(['sampleWeights', sampleWeights])
  return named
}

/** As the columns say; a flat array says it only where each number is one example: weights, and labels of integers. */
export function countRows(examples: Examples, given: number | undefined): number {
  const columns = columnsOf(examples)
  const counts = columns.map(([argument, data]) => countOf(argument, data))
  const rows = given ?? counts.find((count) => count !== null)
  if (rows === undefined) {
    const [argument = 'x'] = columns[0] ?? []
    const advice = `give the option rows, or ${argument} as { data, shape: [rows, …] }`
    const message = `rows: expected how many examples there are, which the flat ${argument} does not tell; ${advice}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  columns.forEach(([argument, data], i) => {
    const count = counts[i] ?? rows
    if (count !== rows) throw invalidArgument(argument, `${rows} rows, as many as the others have`, count)
    if (rows === 0 || areNames(data)) return
    const elements = elementsPerRow(argument, data, rows)
    if (!elements) throw invalidArgument(argument, `numbers for ${rows} rows`, data)
    openColumn(argument, data, elements, 1)
  })
  return rows
}

function countOf(argument: string, data: ColumnData): number | null {
  if (Array.isArray(data)) return data.length
  const table = asTable(argument, data)
  if (table.shape) return table.shape[0] ?? 0
  const isOneEach = argument === 'sampleWeights' || (argument === 'y' && !isFloatArray(table.data))
  return isOneEach ? table.data.length : null
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

/** The class of each row, to stratify by. */
export function classesOf(examples: Examples, rows: number): ArrayLike<number> {
  const { y } = numbered(examples)
  if (y === undefined) throw invalidArgument('y', 'class numbers to stratify by', y)
  const elements = elementsPerRow('y', y, rows) ?? 1
  if (elements !== 1) throw invalidArgument('y', 'one class number an example to stratify by', elements)
  return openColumn('y', y, elements, 1).read(0, rows)
}
