/** Examples from a series of measurements: a stretch of it, and what came next. */
import { isFloat32Array, isFloat64Array } from 'node:util/types'
import { checkPositiveInteger } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { needed, optionsOf } from '../options.js'
import { asTable, type ColumnData, elementsPerRow, openColumn, product, scalesOf } from './column.js'

export interface WindowOptions {
  /** Points in time that the model looks back on. */
  length: number
  /** Points in time, right after those, that it predicts. Default 1. */
  horizon?: number | undefined
  /** Points in time from the begin of one example to that of the next. Default 1. */
  stride?: number | undefined
  /** The feature that is predicted, by its number from 0; negative numbers count from the end. Default: all of them. */
  target?: number | undefined
}

/** Examples made of a series. */
export interface Windows {
  /** (windows, length), or (windows, length, features) for a series of several features. */
  x: { data: Float32Array | Float64Array; shape: number[] }
  /** (windows, horizon), or (windows, horizon, features) where several features are predicted. */
  y: { data: Float32Array | Float64Array; shape: number[] }
}

const readOptions = optionsOf<WindowOptions>()('window', {
  length: needed(checkPositiveInteger),
  horizon: [checkPositiveInteger, 1],
  stride: [checkPositiveInteger, 1],
  target: checkFeature,
})

function checkFeature(argument: string, value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number
  throw invalidArgument(argument, 'the number of a feature', value)
}

/**
 * Cuts a series into windows, each with the points that follow it as its target. Windows overlap where `stride` is less than
 * `length + horizon`: split the series before it is cut, or the windows by {@link split} with `shuffle: false` and a `gap`; at
 * random, training has seen what it is tested on. Copies on the calling thread: the result has `length + horizon` numbers for each number of a series cut with the stride 1.
 *
 * @param series (time) or (time, features), oldest first: a typed array or numbers for one feature, rows or
 * `{ data, shape }` for several
 * @returns Float32Array for a Float32Array and for integers of up to 16 bits, else Float64Array
 * @example
 * const days = Math.floor(0.8 * temperatures.length)
 * const train = window(temperatures.subarray(0, days), { length: 48, horizon: 12 })
 * const test = window(temperatures.subarray(days), { length: 48, horizon: 12 })
 */
export function window(series: ColumnData, options: WindowOptions): Windows {
  const { length, horizon, stride, target } = readOptions(options)
  const { values, features, isFlat } = open(series)
  const time = values.length / features
  if (time < length + horizon) {
    const needs = `at least length + horizon = ${length + horizon} points in time`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `series: expected ${needs}, received ${time}`)
  }
  const windows = Math.floor((time - length - horizon) / stride) + 1
  const wanted = target === undefined ? null : featureNumber(target, features)
  const x = zeros(values, windows * length * features)
  const y = zeros(values, windows * horizon * (wanted === null ? features : 1))
  for (let i = 0; i < windows; i++) {
    const [from, next] = [i * stride * features, (i * stride + length) * features]
    x.set(values.subarray(from, next), i * length * features)
    if (wanted === null) y.set(values.subarray(next, next + horizon * features), i * horizon * features)
    else for (let step = 0; step < horizon; step++) y[i * horizon + step] = values[next + step * features + wanted]!
  }
  const ofEach = (steps: number, isOne: boolean) => (isOne ? [windows, steps] : [windows, steps, features])
  return {
    x: { data: x, shape: ofEach(length, isFlat) },
    y: { data: y, shape: ofEach(horizon, isFlat || wanted !== null) },
  }
}

/** The numbers of a series by their points in time, with scale and offset of bytes applied. */
function open(series: ColumnData): { values: Float32Array | Float64Array; features: number; isFlat: boolean } {
  if (Array.isArray(series)) {
    const features = elementsPerRow('series', series, series.length) ?? 1
    const values = openColumn('series', series, features, 1).read(0, series.length)
    return { values: values as Float64Array, features, isFlat: ['number', 'boolean'].includes(typeof series[0]) }
  }
  const { data, shape = [data.length] } = asTable('series', series)
  if (shape.length > 2 || product(shape) !== data.length || data.length === 0) {
    const message = `series: expected numbers of shape [time] or [time, features], received [${shape}]`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const { rows, elements, bytes, read } = openColumn('series', series, product(shape.slice(1)), 1)
  const found = read(0, rows)
  const isSmall = found.BYTES_PER_ELEMENT < 4
  const values =
    isFloat32Array(found) || isFloat64Array(found)
      ? found
      : isSmall
        ? Float32Array.from(found)
        : Float64Array.from(found)
  const { scales, offsets } = scalesOf(bytes, elements)
  const isPlain = bytes === null || (bytes.scale === 1 && bytes.offset === 0)
  const scaled = isPlain ? values : values.map((v, i) => v * scales[i % elements]! + offsets[i % elements]!)
  return {
    values: scaled as Float32Array | Float64Array,
    features: product(shape.slice(1)),
    isFlat: shape.length === 1,
  }
}

function featureNumber(target: number, features: number): number {
  const at = target < 0 ? features + target : target
  if (at >= 0 && at < features) return at
  throw invalidArgument('target', `the number of a feature from 0 to ${features - 1}`, target)
}

function zeros(like: Float32Array | Float64Array, length: number): Float32Array | Float64Array {
  try {
    return isFloat32Array(like) ? new Float32Array(length) : new Float64Array(length)
  } catch (error) {
    const message = `window: no memory for ${length * like.BYTES_PER_ELEMENT} bytes; a larger stride needs less`
    throw new GradusError('GRADUS_OUT_OF_MEMORY', message, { cause: error })
  }
}
