/** Pools, channels last: windows of an image, each channel by itself. */
import { callOf } from '../call.js'
import { checkBoolean, checkPositiveInteger } from '../checks.js'
import { invalidArgument } from '../errors.js'
import { optionsOf } from '../options.js'
import { checkName, defineLayer, type Layer, type LayerDefinition, layerFactory, type Scope } from './layer.js'
import { type Shape, shapeError } from './shape.js'
import {
  type Axis,
  axesOf,
  checkPadding,
  checkPadding1d,
  checkSizes,
  imageLike,
  lowerAxes,
  ofOneRow,
  outputsOf,
  type Padding1d,
  type Padding2d,
  type Size2d,
  type Windows,
} from './windows.js'

interface NamedOptions {
  /** Default the layer's own name with a number, in layer order: `maxPool2d1`, `maxPool2d2`, … */
  name?: string | undefined
}
export interface Pool2dOptions extends NamedOptions {
  /** From one window to the next, in pixels; default `size`: windows that do not overlap. */
  stride?: Size2d | undefined
  /** Pixels around the image, as of {@link conv2d}; default `'valid'`, none. Less than the size of a window. */
  padding?: Padding2d | undefined
}
export interface Pool1dOptions extends NamedOptions {
  /** From one window to the next; default `size`: windows that do not overlap. */
  stride?: number | undefined
  /** Elements at both ends, as of {@link conv1d}; default `'valid'`, none. Less than the size of a window. */
  padding?: Padding1d | undefined
}
interface AverageOptions {
  /** Whether what lies in the padding counts, as zeros. Default false: an average is over what lies in the image. */
  countPadding?: boolean | undefined
}
export interface AveragePool2dOptions extends Pool2dOptions, AverageOptions {}
export interface AveragePool1dOptions extends Pool1dOptions, AverageOptions {}

const rules2d = { stride: checkSizes, padding: [checkPadding, 'valid'], name: checkName } as const
const rules1d = { stride: checkPositiveInteger, padding: [checkPadding1d, 'valid'], name: checkName } as const
const average = { countPadding: [checkBoolean, false] } as const
const readMax2d = optionsOf<Pool2dOptions>()('maxPool2d', rules2d, ['size'])
const readMax1d = optionsOf<Pool1dOptions>()('maxPool1d', rules1d, ['size'])
const readAverage2d = optionsOf<AveragePool2dOptions>()('averagePool2d', { ...rules2d, ...average }, ['size'])
const readAverage1d = optionsOf<AveragePool1dOptions>()('averagePool1d', { ...rules1d, ...average }, ['size'])
const readGlobalMax = optionsOf<NamedOptions>()('globalMaxPool', { name: checkName })
const readGlobalAverage = optionsOf<NamedOptions>()('globalAveragePool', { name: checkName })

/**
 * The largest of each window of `size` pixels, for each channel: examples of shape [height, width, channels] become
 * [rows, columns, channels], where there are ⌊(height + padding − size) / stride⌋ + 1 rows. What lies in the padding never wins;
 * of equal ones the first does, row by row, and gets the whole gradient.
 *
 * @param size - of a window: a number, or [height, width]; up to 256 pixels a side
 * @example
 * sequential({ input: [28, 28, 1] }, [conv2d(16, 5), relu(), maxPool2d(2), flatten(), dense(10)])
 * @function
 */
export const maxPool2d = layerFactory('maxPool2d', 2, (size: Size2d, options: Pool2dOptions = {}): Layer => {
  checkSides(checkSizes('size', size))
  const resolved = readMax2d(options)
  const { stride = size, padding, name } = resolved
  const windows = { kernel: size, stride, padding, dilation: 1 }
  return defineLayer({ call: callOf('maxPool2d', size, resolved), name, ...pool(2, windows, lowerMaximum) })
})

/** {@link maxPool2d} of one dimension: examples of shape [length, channels] become [places, channels]. @function */
export const maxPool1d = layerFactory('maxPool1d', 2, (size: number, options: Pool1dOptions = {}): Layer => {
  checkSides(checkPositiveInteger('size', size))
  const resolved = readMax1d(options)
  const { stride = size, padding, name } = resolved
  const windows = ofOneRow({ kernel: size, stride, padding, dilation: 1 })
  return defineLayer({ call: callOf('maxPool1d', size, resolved), name, ...pool(1, windows, lowerMaximum) })
})

/**
 * The average of each window of `size` pixels, for each channel: shapes as of {@link maxPool2d}. What lies in the padding
 * does not count, unless `countPadding`.
 *
 * @param size - of a window: a number, or [height, width]
 * @function
 */
export const averagePool2d = layerFactory(
  'averagePool2d',
  2,
  (size: Size2d, options: AveragePool2dOptions = {}): Layer => {
    checkSizes('size', size)
    const resolved = readAverage2d(options)
    const { stride = size, padding, countPadding, name } = resolved
    const windows = { kernel: size, stride, padding, dilation: 1 }
    const lower = averaging(countPadding)
    return defineLayer({ call: callOf('averagePool2d', size, resolved), name, ...pool(2, windows, lower) })
  },
)

/** {@link averagePool2d} of one dimension: examples of shape [length, channels] become [places, channels]. @function */
export const averagePool1d = layerFactory(
  'averagePool1d',
  2,
  (size: number, options: AveragePool1dOptions = {}): Layer => {
    checkPositiveInteger('size', size)
    const resolved = readAverage1d(options)
    const { stride = size, padding, countPadding, name } = resolved
    const windows = ofOneRow({ kernel: size, stride, padding, dilation: 1 })
    const lower = averaging(countPadding)
    return defineLayer({ call: callOf('averagePool1d', size, resolved), name, ...pool(1, windows, lower) })
  },
)

/**
 * The largest of each channel over the whole image: [height, width, channels] or [length, channels] become [channels].
 * @function
 */
export const globalMaxPool = layerFactory('globalMaxPool', 1, (options: NamedOptions = {}): Layer => {
  const { name } = readGlobalMax(options)
  return defineLayer({ call: callOf('globalMaxPool', { name }), name, ...globalPool(lowerWholeMaximum) })
})

/**
 * The average of each channel over the whole image: [height, width, channels] or [length, channels] become [channels]
 * (Lin et al. 2013).
 *
 * @example
 * sequential({ input: [32, 32, 3] }, [conv2d(64, 3), relu(), globalAveragePool(), dense(10)])
 * @function
 */
export const globalAveragePool = layerFactory('globalAveragePool', 1, (options: NamedOptions = {}): Layer => {
  const { name } = readGlobalAverage(options)
  return defineLayer({ call: callOf('globalAveragePool', { name }), name, ...globalPool(averaging(false)) })
})

/** Adds the nodes of a pool over these windows; returns the one that holds the output. */
type LowerPool = (scope: Scope, node: number, axes: readonly Axis[]) => number
type Lowered = Pick<LayerDefinition, 'outputShape' | 'lower'>

function pool(dimensions: 1 | 2, windows: Windows, lowerPool: LowerPool): Lowered {
  const axesFor = (shape: Shape, label: string) => axesOf(shape, dimensions, windows, label)
  return {
    outputShape: ([shape = []], label) => imageLike(dimensions, axesFor(shape, label).map(outputsOf), shape.at(-1)!),
    lower: (scope, [input]) => lowerPool(scope, input!.node, axesFor(input!.shape, 'a pool')),
  }
}

function globalPool(lowerPool: LowerPool): Lowered {
  return {
    outputShape: ([shape = []], label) => {
      if (shape.length === 2 || shape.length === 3) return [shape.at(-1)!]
      throw shapeError(label, 'height, width and channels, or length and channels', shape)
    },
    lower(scope, [input]) {
      const { shape, node } = input!
      const axes = [shape.at(-3) ?? 1, shape.at(-2)!].map(wholeAxis)
      return scope.node('reshape', [lowerPool(scope, node, axes)], { shape: [shape.at(-1)!] })
    },
  }
}

const axisOf = (pixels: number, kernel: number, after = 0): Axis => ({
  ...{ pixels, kernel, stride: kernel, dilation: 1, padding: [0, after] },
})
const wholeAxis = (pixels: number): Axis => axisOf(pixels, pixels)

function lowerPool(scope: Scope, op: string, node: number, axes: readonly Axis[], more: object = {}): number {
  const { stride, padding } = lowerAxes(axes)
  return scope.node(op, [node], { kernel: axes.map(({ kernel }) => kernel), stride, padding, ...more })
}

const averaging =
  (countPadding: boolean): LowerPool =>
  (scope, node, axes) =>
    lowerPool(scope, 'average_pool', node, axes, { countPadding })

/** Which of a window won is kept in a byte. */
const largestWindow = 256

/** Of larger windows the maximum of each row first, then of those: the same, and the first of equal ones too. */
const lowerMaximum: LowerPool = (scope, node, [height, width]) => {
  if (height!.kernel * width!.kernel <= largestWindow) return lowerPool(scope, 'max_pool', node, [height!, width!])
  const row = axisOf(height!.pixels, 1)
  const of = lowerPool(scope, 'max_pool', node, [row, width!])
  return lowerPool(scope, 'max_pool', of, [height!, axisOf(outputsOf(width!), 1)])
}

const lowerWholeMaximum: LowerPool = (scope, node, [height, width]) => {
  if (height!.pixels * width!.pixels <= largestWindow) return lowerPool(scope, 'max_pool', node, [height!, width!])
  const none = (pixels: number) => axisOf(pixels, 1)
  let last = node
  for (let columns = width!.pixels; columns > 1; ) {
    const axis = partOf(columns)
    last = lowerPool(scope, 'max_pool', last, [none(height!.pixels), axis])
    columns = outputsOf(axis)
  }
  for (let rows = height!.pixels; rows > 1; ) {
    const axis = partOf(rows)
    last = lowerPool(scope, 'max_pool', last, [axis, none(1)])
    rows = outputsOf(axis)
  }
  return last
}

/** Windows that a byte can count, the last of them partly beyond the end. */
function partOf(pixels: number): Axis {
  const kernel = Math.min(pixels, largestWindow)
  return axisOf(pixels, kernel, Math.ceil(pixels / kernel) * kernel - pixels)
}

function checkSides(size: Size2d): void {
  const sides = typeof size === 'number' ? [size] : size
  if (Math.max(...sides) > largestWindow) {
    throw invalidArgument('size', `windows of up to ${largestWindow} pixels a side; globalMaxPool() takes all`, size)
  }
}
