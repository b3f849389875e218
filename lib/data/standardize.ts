/** Mean 0 and deviation 1 for each feature, and back again. */
import { isFloat64Array } from 'node:util/types'
import { checkPositiveInteger, oneOf } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { optionsOf } from '../options.js'
import { asTable, type ColumnData, elementsPerRow, isNumberArray, type NumberArray, openColumn } from './column.js'
import { type ChannelStandardization, channelStandardization, standardizeChannels } from './standardize-channels.js'

export interface StandardizeOptions {
  /**
   * Numbers of one example, for a flat typed array, which else is one column (such as targets of one number each); a shape
   * or nesting tells it.
   */
  features?: number | undefined
  /**
   * One mean and deviation for each feature (default), for each channel, which is the last dimension, or one of each for all numbers.
   */
  per?: 'feature' | 'channel' | 'all' | undefined
}

/** Numbers standardised, or turned back, with the shape they had; nested arrays become (rows, features). */
export interface Standardized {
  data: Float32Array | Float64Array
  /** Undefined for a flat array, which has none. */
  shape?: number[] | undefined
}

/**
 * Means and deviations found by {@link standardize}. `JSON.stringify` writes them as plain arrays, which
 * {@link standardization} takes, so that they can be kept with a model.
 */
export interface Standardization {
  /** One number a feature, or a single one for all. */
  readonly mean: Float64Array
  /** Likewise; a feature that never changes has the deviation 1, so that it becomes 0. */
  readonly deviation: Float64Array
  /**
   * (x − mean) / deviation: Float64Array for Float64Array and nested arrays, else Float32Array; a shape is kept. Works on
   * the calling thread: some seconds for 10⁹ bytes.
   */
  apply(x: ColumnData): Standardized
  /** y · deviation + mean: what {@link apply} was given, such as predictions in the units of the targets. */
  invert(y: ColumnData): Standardized
  toJSON(): { mean: number[]; deviation: number[] }
}

const readOptions = optionsOf<StandardizeOptions>()('standardize', {
  features: checkPositiveInteger,
  per: [oneOf('feature', 'channel', 'all'), 'feature'],
})

/**
 * Finds mean and standard deviation of each feature, to be applied to training and test data alike. Works on the calling
 * thread: some seconds for 10⁹ bytes.
 *
 * @param x the training inputs alone (statistics of test data would leak into training), or the training targets where
 * their numbers are far from 0 and 1
 * @example
 * const scale = standardize(train.x)
 * const [xTrain, xTest] = [scale.apply(train.x), scale.apply(test.x)]
 * @example
 * const price = standardize(train.y)
 * await model.fit({ x, y: price.apply(train.y) })
 * const prices = price.invert(await model.predict(test.x))
 *
 * @example
 * const scale = standardize(train.x, { per: 'channel' }) // images of bytes, [rows, 32, 32, 3]
 * await model.fit({ x: scale.apply(train.x), y }) // the same bytes, with a scale and an offset for each channel
 *
 * @throws `GRADUS_INVALID_DATA` names the row of a NaN or an infinity.
 */
export function standardize(x: ColumnData, options: StandardizeOptions & { per: 'channel' }): ChannelStandardization
export function standardize(
  x: ColumnData,
  options?: StandardizeOptions & { per?: 'feature' | 'all' | undefined },
): Standardization
export function standardize(x: ColumnData, options?: StandardizeOptions): Standardization | ChannelStandardization {
  const { features: given, per } = readOptions(options)
  if (per === 'channel') return standardizeChannels(x)
  const { values, features } = flatten('x', x, given)
  const width = per === 'all' ? 1 : features
  if (values.length === 0) throw invalidArgument('x', 'at least one row', x)
  const bad = values.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    const place = `x, row ${Math.floor(bad / features)}, column ${bad % features}`
    throw new GradusError('GRADUS_INVALID_DATA', `${place}: expected a finite number, received ${values[bad]}`)
  }
  return standardization(statisticsOf(values, width))
}

/**
 * Sums about each column's first value: exactly 0 where nothing changes, and nothing is lost when the mean is large. Then
 * a second pass about the mean (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983).
 */
function statisticsOf(values: NumberArray, width: number) {
  const start = Float64Array.from(values.subarray(0, width))
  const count = values.length / width
  const [shift, squares, largest] = [new Float64Array(width), new Float64Array(width), new Float64Array(width)]
  forEachColumn(values, width, (value, column) => {
    shift[column]! += value - start[column]!
    largest[column] = Math.max(largest[column]!, Math.abs(value))
  })
  for (let column = 0; column < width; column++) shift[column]! /= count
  forEachColumn(values, width, (value, column) => {
    squares[column]! += (value - start[column]! - shift[column]!) ** 2
  })
  const mean = start.map((value, column) => value + shift[column]!)
  const deviation = squares.map((square, column) => {
    const found = Math.sqrt(square / count)
    if (found === Infinity || !Number.isFinite(mean[column])) throw tooLarge(column)
    return found > roundings * Number.EPSILON * largest[column]! ? found : 1
  })
  return { mean, deviation }
}

/** A deviation of so many units in the last place is no more than how the numbers were rounded. */
const roundings = 4

function tooLarge(column: number): GradusError {
  const message = `x, column ${column}: expected numbers whose squares are finite, received larger ones`
  return new GradusError('GRADUS_INVALID_DATA', message)
}

function forEachColumn(values: NumberArray, width: number, each: (value: number, column: number) => void): void {
  for (let i = 0, column = 0; i < values.length; i++) {
    each(values[i]!, column)
    if (++column === width) column = 0
  }
}

interface Statistics {
  mean: ArrayLike<number>
  deviation: ArrayLike<number>
}

/**
 * A {@link Standardization} from numbers that were kept, as `JSON.parse` gives them back.
 *
 * @example const scale = standardization(JSON.parse(await readFile('scale.json', 'utf8')))
 */
export function standardization(statistics: Statistics & { per: 'channel' }): ChannelStandardization
export function standardization(statistics: Statistics): Standardization
export function standardization(
  statistics: Statistics & { per?: 'channel' | undefined },
): Standardization | ChannelStandardization {
  const [mean, deviation] = [numbersOf(statistics?.mean), numbersOf(statistics?.deviation)]
  const fits = mean && deviation && mean.length > 0 && mean.length === deviation.length
  if (!fits || !mean.every(Number.isFinite) || !deviation.every((value) => value > 0 && value < Infinity)) {
    const expected = '{ mean, deviation }, arrays of as many finite means as positive deviations'
    throw invalidArgument('statistics', expected, statistics)
  }
  if (statistics.per === 'channel') return channelStandardization(mean, deviation)
  return {
    mean,
    deviation,
    apply: (x: ColumnData) =>
      mapped('x', x, mean.length, (value, column) => (value - mean[column]!) / deviation[column]!),
    invert: (y: ColumnData) =>
      mapped('y', y, mean.length, (value, column) => value * deviation[column]! + mean[column]!),
    toJSON: () => ({ mean: [...mean], deviation: [...deviation] }),
  }
}

function numbersOf(value: unknown): Float64Array | null {
  const isNumbers = isNumberArray(value) || (Array.isArray(value) && value.every((item) => typeof item === 'number'))
  return isNumbers ? Float64Array.from(value as ArrayLike<number>) : null
}

function mapped(
  argument: string,
  given: ColumnData,
  width: number,
  map: (value: number, column: number) => number,
): Standardized {
  const { values, shape, isDouble } = flatten(argument, given, width > 1 ? width : undefined)
  const data = isDouble ? new Float64Array(values.length) : new Float32Array(values.length)
  let i = 0
  forEachColumn(values, width, (value, column) => {
    data[i++] = map(value, column)
  })
  return shape ? { data, shape } : { data }
}

interface Flat {
  values: NumberArray
  features: number
  shape: number[] | undefined
  isDouble: boolean
}

/** All numbers of a column; `features` is what a row must have, where that is known. */
function flatten(argument: string, given: ColumnData, features: number | undefined): Flat {
  if (Array.isArray(given)) {
    const width = elementsPerRow(argument, given, given.length) ?? features ?? 1
    checkWidth(argument, width, features)
    const values = openColumn(argument, given, width, 1).read(0, given.length)
    return { values, features: width, shape: [given.length, width], isDouble: true }
  }
  const { data, shape } = asTable(argument, given)
  const width = shape ? shape.slice(1).reduce((size, dimension) => size * dimension, 1) : (features ?? 1)
  checkWidth(argument, width, features)
  const { rows, read } = openColumn(argument, shape ? { data, shape } : data, width, 1)
  return { values: read(0, rows), features: width, shape: shape && [...shape], isDouble: isFloat64Array(data) }
}

function checkWidth(argument: string, width: number, features: number | undefined): void {
  if (features === undefined || width === features) return
  throw invalidArgument(argument, `${features} numbers a row`, width)
}
