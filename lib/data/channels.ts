/** Images and lines as this library has them: channels last. */
import { GradusError } from '../errors.js'
import { asTable, type NumberArray, product, type Table } from './column.js'

/**
 * Images of shape [rows, channels, height, width], or lines of [rows, channels, length], with their channels last, as all layers take
 * them. On the calling thread: about a second for 10⁸ numbers.
 *
 * @throws `GRADUS_INVALID_ARGUMENT` for numbers without such a shape
 * @example const x = toChannelsLast({ data, shape: [50000, 3, 32, 32] }) // [50000, 32, 32, 3]
 */
export function toChannelsLast(x: Table): Table & { shape: number[] } {
  const table = asTable('x', x)
  const { data, shape = [] } = table
  if (shape.length < 3 || product(shape) !== data.length) {
    const received = shape.length === 0 ? 'no shape' : `${data.length} numbers of the shape [${shape.join(', ')}]`
    const message = `x: expected numbers of the shape [rows, channels, height, width], received ${received}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  const [rows, channels, ...places] = shape as [number, number, ...number[]]
  const all = data.slice()
  for (let row = 0; row < rows; row++) moveChannels(data, all, row * product(shape.slice(1)), channels, product(places))
  return { ...table, data: all, shape: [rows, ...places, channels] }
}

/** One example's, from `first` on. */
function moveChannels(from: NumberArray, to: NumberArray, first: number, channels: number, places: number): void {
  for (let channel = 0; channel < channels; channel++) {
    const plane = first + channel * places
    for (let place = 0; place < places; place++) to[first + place * channels + channel] = from[plane + place]!
  }
}
