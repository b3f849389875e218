import type { Descriptor, FloatArray, NativeProgram, NodeDescriptor } from '../../native.js'
import type { ImageShape, Latest } from '../recording/latest.js'

/** Smaller flat inputs are hardly pictures. */
const leastSide = 8
const mostUnits = 64

/** What an input would look like: (height, width), (height, width, 1 or 3), or as many numbers as a square has. */
export function imageShape(shape: readonly number[]): ImageShape | null {
  const [height = 0, width = 0, channels = 1] = shape
  const isGrid = shape.length === 2 || (shape.length === 3 && (channels === 1 || channels === 3))
  if (isGrid) return height >= 2 && width >= 2 ? { height, width, channels } : null
  const side = Math.sqrt(height)
  return shape.length === 1 && Number.isInteger(side) && side >= leastSide
    ? { height: side, width: side, channels: 1 }
    : null
}

export const pixelsOf = ({ height, width, channels }: ImageShape): number => height * width * channels

/** Values from `least` to `most` as bytes. */
export function toBytes(values: ArrayLike<number>, least: number, most: number): Uint8Array {
  const scale = most > least ? 255 / (most - least) : 0
  const bytes = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i++) bytes[i] = Math.round((values[i]! - least) * scale)
  return bytes
}

/** An example as it is, when it lies between 0 and 1, else stretched to that. */
export function exampleImage(values: FloatArray): string {
  const [least, most] = rangeOf(values)
  const isUnit = least >= 0 && most <= 1
  return Buffer.from(isUnit ? toBytes(values, 0, 1) : toBytes(values, least, most)).toString('base64')
}

function rangeOf(values: ArrayLike<number>): [number, number] {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value < least) least = value
    if (value > most) most = value
  }
  return [least, most]
}

/** From the least of the values to the largest. */
export function stretched(values: ArrayLike<number>): { least: number; most: number; pixels: string } {
  const [least, most] = rangeOf(values)
  return { least, most, pixels: Buffer.from(toBytes(values, least, most)).toString('base64') }
}

/**
 * The weights of the first layer, one image a unit or filter, if it takes the images of the input as they are: those of
 * a dense layer are as large as these, those of a convolution as its kernel.
 */
export function firstLayer(program: NativeProgram, descriptor: Descriptor, image: ImageShape): Latest['firstLayer'] {
  const node = descriptor.nodes.find(({ op }) => op === 'dense' || op === 'convolution')
  const parameter = node?.parameters?.weight
  if (!node || parameter === undefined) return undefined
  const isConvolution = node.op === 'convolution'
  const { shape } = descriptor.parameters[parameter]!
  const seen = isConvolution ? kernelOf(node, shape, image) : image
  const [inputs, units] = [shape.slice(0, -1).reduce((product, length) => product * length, 1), shape.at(-1)!]
  if (!seen || inputs !== pixelsOf(seen)) return undefined
  const weights = program.read('parameters', parameter)
  const shown = Math.min(units, mostUnits)
  const pixels = new Float64Array(shown * inputs)
  for (let unit = 0; unit < shown; unit++) {
    for (let i = 0; i < inputs; i++) pixels[unit * inputs + i] = weights[i * units + unit]!
  }
  if (!pixels.every(Number.isFinite)) return undefined
  return { ...seen, layer: node.name, units: shown, isConvolution, ...stretched(pixels) }
}

/** As a picture of the same channels; a pixel alone is none. */
function kernelOf(node: NodeDescriptor, shape: readonly number[], { channels }: ImageShape): ImageShape | null {
  const [height = 0, width = 0, inputs] = shape
  const isPicture = shape.length === 4 && inputs === channels && height * width > 1
  return isPicture && node.outputPadding === undefined ? { height, width, channels } : null
}
