/** The transposed convolution, which makes images larger. */
import { callOf } from '../call.js'
import { checkNotNegativeInteger, checkPositiveInteger } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { optionsOf } from '../options.js'
import { defineLayer, type Layer, layerFactory } from './layer.js'
import { type Shape, shapeError } from './shape.js'
import { lowerWeighted, type WeightedOptions, weightedRules } from './weighted.js'
import {
  type Axis,
  checkPadding,
  checkSizes,
  extentOf,
  imageOf,
  lowerAxes,
  type Padding2d,
  type Size2d,
  sidesAt,
  sizeAt,
} from './windows.js'

export interface Conv2dTransposeOptions extends WeightedOptions {
  /** From the window of one pixel to that of the next, in pixels of the output; default 1. */
  stride?: Size2d | undefined
  /**
   * What is cut off at each side: `'valid'`, nothing, unless stated; `'same'`: as much as gives pixels · stride outputs, of an odd
   * number one more at bottom and right; or numbers, as of {@link conv2d}. Less than the kernel's extent.
   */
  padding?: Padding2d | undefined
  /** Pixels more at bottom and right, less than the stride; default 0. */
  outputPadding?: Size2d | undefined
  /** From one pixel that the kernel gives to to the next; default 1. */
  dilation?: Size2d | undefined
  /** So many parts of the channels, each with its share of the filters; default 1. It divides both. */
  groups?: number | undefined
}

const readOptions = optionsOf<Conv2dTransposeOptions>()(
  'conv2dTranspose',
  {
    stride: [checkSizes, 1],
    padding: [checkPadding, 'valid'],
    outputPadding: [checkLeast, 0],
    dilation: [checkSizes, 1],
    groups: [checkPositiveInteger, 1],
    ...weightedRules,
  },
  ['filters', 'kernel'],
)

/**
 * The way back of a {@link conv2d} from its outputs to its inputs: each pixel gives to a window of `kernel` pixels. Examples
 * of shape [height, width, channels] become [rows, columns, filters], where there are
 * (height − 1) · stride + dilation · (kernel − 1) + 1 − padding + outputPadding rows. Weights of shape (kernel height,
 * kernel width, filters / groups, channels): those of the convolution whose way back it is. Bias of (filters).
 *
 * @example
 * sequential({ input: [7, 7, 64] }, [conv2dTranspose(32, 3, { stride: 2, padding: 'same' }), relu()]) // [14, 14, 32]
 * @function
 */
export const conv2dTranspose = layerFactory(
  'conv2dTranspose',
  3,
  (filters: number, kernel: Size2d, options: Conv2dTransposeOptions = {}): Layer => {
    checkPositiveInteger('filters', filters)
    checkSizes('kernel', kernel)
    const resolved = readOptions(options)
    const { groups, outputPadding } = resolved
    if (filters % groups) throw invalidArgument('groups', `a divisor of the ${filters} filters`, groups)
    const of = { kernel, ...resolved }
    return defineLayer({
      call: callOf('conv2dTranspose', filters, kernel, resolved),
      name: resolved.name,
      outputShape: ([shape = []], label) => [...axesOf(shape, of, label).map(pixelsOf), filters],
      lower(scope, [input]) {
        const axes = axesOf(input!.shape, of, 'a transposed convolution')
        const [height, width] = axes.map((axis) => axis.kernel) as [number, number]
        const channels = input!.shape[2]!
        // Of the kernel's taps a pixel of the output meets about one in stride².
        const meeting = Math.max(1, (height * width) / (axes[0]!.stride * axes[1]!.stride))
        return lowerWeighted(
          scope,
          {
            ...{ op: 'convolution', input: input!.node, outputs: filters },
            shape: [height, width, filters / groups, channels],
            fans: [(meeting * channels) / groups, (height * width * filters) / groups],
            groups,
            attributes: { ...lowerAxes(axes), groups, outputPadding: [0, 1].map((i) => sizeAt(outputPadding, i)) },
          },
          resolved,
        )
      },
    })
  },
)

interface Transposed {
  readonly kernel: Size2d
  readonly stride: Size2d
  readonly padding: Padding2d
  readonly outputPadding: Size2d
  readonly dilation: Size2d
  readonly groups: number
}
/** `pixels` are the input's. */
interface TransposedAxis extends Axis {
  readonly beyond: number
}

const pixelsOf = (axis: TransposedAxis): number =>
  (axis.pixels - 1) * axis.stride + extentOf(axis) - axis.padding[0] - axis.padding[1] + axis.beyond

function axesOf(shape: Shape, of: Transposed, label: string): TransposedAxis[] {
  const image = imageOf(shape, 2, label)
  if (image[2] % of.groups) throw shapeError(label, `a number of channels that ${of.groups} groups divide`, shape)
  const axes = [0, 1].map((i): TransposedAxis => {
    const none = {
      ...{ pixels: image[i]!, kernel: sizeAt(of.kernel, i), stride: sizeAt(of.stride, i) },
      ...{ dilation: sizeAt(of.dilation, i), padding: [0, 0] as const, beyond: sizeAt(of.outputPadding, i) },
    }
    if (none.beyond >= none.stride) {
      const sentence = `${label}: outputPadding: expected less than the stride of ${none.stride}, received ${none.beyond}`
      throw new GradusError('GRADUS_INVALID_ARGUMENT', sentence)
    }
    return of.padding === 'same' ? cutToStride(none) : { ...none, padding: sidesAt(of.padding, i, none, label) }
  })
  if (axes.some((axis) => pixelsOf(axis) < 1)) {
    const least = axes.map((axis) => axis.pixels + Math.max(0, Math.ceil((1 - pixelsOf(axis)) / axis.stride)))
    throw shapeError(label, `an input of at least ${least.join('×')}`, shape)
  }
  return axes
}

/** With pixels · stride outputs; a kernel that is shorter than the stride is given pixels beyond. */
function cutToStride(axis: TransposedAxis): TransposedAxis {
  const over = extentOf(axis) - axis.stride + axis.beyond
  if (over < 0) return { ...axis, beyond: axis.beyond - over }
  return { ...axis, padding: [Math.floor(over / 2), Math.ceil(over / 2)] }
}

function checkLeast(argument: string, value: unknown): Size2d {
  if (!Array.isArray(value)) return checkNotNegativeInteger(argument, value)
  if (value.length !== 2) throw invalidArgument(argument, 'a whole number or [height, width]', value)
  return value.map((one, i) => checkNotNegativeInteger(`${argument}[${i}]`, one)) as [number, number]
}
