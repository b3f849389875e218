/** Mean 0 and deviation 1 for each channel, by scale and offset where the numbers are bytes. */
import { GradusError, invalidArgument } from '../errors.js'
import { asTable, type ColumnData, isByteArray, type NumberArray, type Table } from './column.js'
import { Moments } from './moments.js'

/**
 * Means and deviations of channels, the last dimension, found by {@link standardize} with `per: 'channel'`. `JSON.stringify` writes
 * them as plain arrays, which {@link standardization} takes.
 */
export interface ChannelStandardization {
  /** One number a channel; of bytes in units of a byte, whatever scale they come with. */
  readonly mean: Float64Array
  /** Likewise; a channel that never changes has the deviation 1. */
  readonly deviation: Float64Array
  /** 1 / deviation and −mean / deviation, as a {@link Table} of bytes takes them. */
  readonly scale: readonly number[]
  readonly offset: readonly number[]
  /** (x − mean) / deviation: of bytes the same bytes, with scale and offset; else a Float64Array for one, or a Float32Array. */
  apply(x: Table): Table & { shape: number[] }
  /** y · deviation + mean, as {@link ChannelStandardization.apply} was given it; of its bytes the same bytes without a scale. */
  invert(y: Table): Table & { shape: number[] }
  toJSON(): { mean: number[]; deviation: number[]; per: 'channel' }
}

const slice = 1 << 16

/** @throws `GRADUS_INVALID_DATA` names the channel of a NaN, an infinity or of numbers too large for their squares */
export function standardizeChannels(x: ColumnData): ChannelStandardization {
  const { data, channels } = channelsOf('x', x)
  if (data.length === 0) throw invalidArgument('x', 'at least one row', x)
  const bad = data.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    const message = `x, channel ${bad % channels}: expected finite numbers, received ${data[bad]}`
    throw new GradusError('GRADUS_INVALID_DATA', message)
  }
  const moments = new Moments(channels)
  const step = Math.max(1, Math.floor(slice / channels)) * channels
  for (let first = 0; first < data.length; first += step) {
    moments.add(Float64Array.from(data.subarray(first, first + step)))
  }
  const { mean, variance } = moments.finish('x')
  return channelStandardization(mean, variance.map(Math.sqrt))
}

export function channelStandardization(mean: Float64Array, deviation: Float64Array): ChannelStandardization {
  const scale = Array.from(deviation, (value) => 1 / value)
  const offset = Array.from(mean, (value, channel) => -value / deviation[channel]!)
  const opened = (argument: string, given: Table) => {
    const found = channelsOf(argument, given)
    if (found.channels === mean.length) return found
    throw invalidArgument(argument, `${mean.length} channels, the last dimension`, found.channels)
  }
  const mapped = (argument: string, given: Table, map: (value: number, channel: number) => number) => {
    const { data, shape, channels } = opened(argument, given)
    const to = data instanceof Float64Array ? new Float64Array(data.length) : new Float32Array(data.length)
    for (let i = 0, channel = 0; i < data.length; i++, channel = channel + 1 === channels ? 0 : channel + 1) {
      to[i] = map(data[i]!, channel)
    }
    return { data: to, shape }
  }
  return {
    ...{ mean, deviation, scale, offset },
    apply(x) {
      const { data, shape } = opened('x', x)
      if (isByteArray(data)) return { data, shape, scale, offset }
      return mapped('x', x, (value, channel) => (value - mean[channel]!) / deviation[channel]!)
    },
    invert(y) {
      const { data, shape } = opened('y', y)
      if (isByteArray(data)) return { data, shape }
      return mapped('y', y, (value, channel) => value * deviation[channel]! + mean[channel]!)
    },
    toJSON: () => ({ mean: [...mean], deviation: [...deviation], per: 'channel' }),
  }
}

function channelsOf(argument: string, given: ColumnData): { data: NumberArray; shape: number[]; channels: number } {
  const { data, shape = [] } = Array.isArray(given) ? { data: new Float64Array() } : asTable(argument, given)
  const channels = shape.at(-1) ?? 0
  if (shape.length >= 2 && channels > 0 && data.length === shape.reduce((size, extent) => size * extent, 1)) {
    return { data, shape: [...shape], channels }
  }
  throw invalidArgument(
    argument,
    'numbers with their shape, as { data, shape: [rows, height, width, channels] }',
    given,
  )
}
