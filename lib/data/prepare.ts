/** What is done to data before training: standardise, one-hot, argmax back again. */
import { checkOptions } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { asTable, type ColumnData, elementsPerRow, type NumberArray, openColumn, type Table } from './column.js'

export interface StandardizeOptions {
  /** Numbers of one example; needed for a flat typed array, else known from the shape or the nesting. */
  features?: number
  /** One mean and deviation for each feature (default), or one of each for all numbers, as for images. */
  per?: 'feature' | 'all'
}

/** Means and deviations found by {@link standardize}; plain numbers, so they can be kept with a model. */
export interface Standardization {
  /** One number a feature, or a single one for all. */
  readonly mean: Float64Array
  /** Likewise; a feature that never changes has the deviation 1, so that it becomes 0. */
  readonly deviation: Float64Array
  /** (x − mean) / deviation: Float64Array for Float64Array and nested arrays, else Float32Array; a shape is kept. */
  apply(x: ColumnData): Table & { data: Float32Array | Float64Array }
}

/**
 * Finds mean and standard deviation of each feature, to be applied to training and test data alike.
 *
 * @param x the training inputs alone: statistics of test data would leak into training
 * @example
 * const scale = standardize(train.x)
 * const [xTrain, xTest] = [scale.apply(train.x), scale.apply(test.x)]
 *
 * @throws `GRADUS_INVALID_DATA` names the row of a NaN or an infinity.
 */
export function standardize(x: ColumnData, options: StandardizeOptions = {}): Standardization {
  checkOptions('options', options, ['features', 'per'])
  const { per = 'feature' } = options
  const { values, features } = flatten(x, options.features)
  const width = per === 'all' ? 1 : features
  const count = values.length / width
  if (count === 0) throw invalidArgument('x', 'at least one row', x)
  const bad = values.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    const place = `x, row ${Math.floor(bad / features)}, column ${bad % features}`
    throw new GradusError('GRADUS_INVALID_DATA', `${place}: expected a finite number, received ${values[bad]}`)
  }
  // Two passes: the deviations from the mean lose nothing when the mean is large.
  const mean = columnMeans(values, width, (value) => value)
  const variance = columnMeans(values, width, (value, column) => (value - (mean[column] as number)) ** 2)
  return standardization({ mean, deviation: variance.map((value) => Math.sqrt(value) || 1) })
}

/** A {@link Standardization} from numbers that were kept. */
export function standardization(statistics: {
  mean: ArrayLike<number>
  deviation: ArrayLike<number>
}): Standardization {
  const mean = Float64Array.from(statistics.mean)
  const deviation = Float64Array.from(statistics.deviation)
  const fits = mean.length > 0 && mean.length === deviation.length
  if (!fits || !mean.every(Number.isFinite) || !deviation.every((value) => value > 0 && value < Infinity)) {
    throw invalidArgument('statistics', 'as many finite means as positive deviations', statistics)
  }
  return {
    mean,
    deviation,
    apply(x) {
      const { values, table } = flatten(x, mean.length > 1 ? mean.length : undefined)
      const Type = table === null || table.data instanceof Float64Array ? Float64Array : Float32Array
      const data = new Type(values.length)
      for (let i = 0; i < data.length; i++) {
        const column = i % mean.length
        data[i] = ((values[i] as number) - (mean[column] as number)) / (deviation[column] as number)
      }
      const shape = table === null ? [(x as unknown[]).length, values.length / (x as unknown[]).length] : table.shape
      return shape ? { data, shape } : { data }
    },
  }
}

function columnMeans(values: NumberArray, width: number, of: (value: number, column: number) => number): Float64Array {
  const sums = new Float64Array(width)
  for (let i = 0; i < values.length; i++) {
    const column = i % width
    sums[column] = (sums[column] as number) + of(values[i] as number, column)
  }
  return sums.map((sum) => (sum * width) / values.length)
}

function flatten(x: ColumnData, features: number | undefined) {
  const table = Array.isArray(x) ? null : asTable('x', x)
  const rows = Array.isArray(x) ? x.length : (table?.shape?.[0] ?? 0)
  const found = rows > 0 ? elementsPerRow('x', x, rows) : features
  const perRow = found ?? features
  if (!perRow) {
    if (features === undefined && table && !table.shape) return { values: table.data, features: 1, table }
    throw invalidArgument('x', 'at least one row', x)
  }
  if (features !== undefined && perRow !== features)
    throw invalidArgument('x', `${features} numbers a row`, `${perRow}`)
  const column = openColumn('x', x, perRow, 1)
  return { values: column.read(0, column.rows), features: perRow, table }
}

/**
 * Class numbers as rows with a single 1.
 *
 * @param labels whole numbers from 0 to classes − 1
 * @param classes default: the largest label + 1
 * @returns (labels, classes)
 * @throws `GRADUS_INVALID_DATA` names the row of a label out of range.
 */
export function oneHot(labels: ArrayLike<number>, classes?: number): { data: Float32Array; shape: [number, number] } {
  const numbers = Array.from(labels)
  const width = classes ?? numbers.reduce((most, label) => Math.max(most, label), -1) + 1
  if (!Number.isSafeInteger(width) || width < 0) throw invalidArgument('classes', 'a whole number from 0 up', classes)
  const data = new Float32Array(numbers.length * width)
  numbers.forEach((label, row) => {
    if (!Number.isInteger(label) || label < 0 || label >= width) {
      const expected = `a class number from 0 to ${width - 1}`
      throw new GradusError('GRADUS_INVALID_DATA', `labels, row ${row}: expected ${expected}, received ${label}`)
    }
    data[row * width + label] = 1
  })
  return { data, shape: [numbers.length, width] }
}

/**
 * The number of the largest of each row's numbers; the first of equal ones. Numbers that are not a number are never it.
 *
 * @param predictions (rows, classes): what `predict` gives, or a flat array
 * @param classes numbers of a row; default: as the shape of the predictions says
 */
export function argmax(predictions: NumberArray | Table, classes?: number): Int32Array {
  const { data, shape } = asTable('predictions', predictions)
  const width = classes ?? shape?.at(-1) ?? Number.NaN
  if (!Number.isSafeInteger(width) || width < 1 || data.length % width !== 0) {
    throw invalidArgument('classes', `a whole number that divides ${data.length}`, classes)
  }
  const best = new Int32Array(data.length / width)
  for (let row = 0; row < best.length; row++) {
    const first = row * width
    for (let k = 1; k < width; k++) {
      const leader = data[first + (best[row] as number)] as number
      if ((data[first + k] as number) > leader || Number.isNaN(leader)) best[row] = k
    }
  }
  return best
}
