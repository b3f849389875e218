/** Convolutions, channels last: examples are (height, width, channels). */
import { callOf, factory } from '../call.js'
import { checkBoolean, checkNotNegativeInteger, checkOptions, checkPositiveInteger } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import { optionsOf } from '../options.js'
import { type ActivationName, checkActivationName, lowerActivation } from './activations.js'
import { checkInitializer, type Initializer, lowerInitializer } from './initializers.js'
import { checkName, defineLayer, type Layer } from './layer.js'
import { checkRegularizer, type Regularizer } from './regularizers.js'
import { type Shape, shapeError } from './shape.js'

/** Of height and width alike, or of each. */
export type Size2d = number | readonly [height: number, width: number]
/** Pixels of zero around an image. */
export type Padding2d =
  | 'valid'
  | 'same'
  | Size2d
  | {
      readonly top?: number | undefined
      readonly bottom?: number | undefined
      readonly left?: number | undefined
      readonly right?: number | undefined
    }

export interface Conv2dOptions {
  /** From one window to the next, in pixels; default 1. */
  stride?: Size2d | undefined
  /**
   * Pixels of zero around the image: `'valid'`, none, unless stated; `'same'`: as many as give ⌈pixels / stride⌉ outputs, of an
   * odd number one more at bottom and right, as in Keras (PyTorch's `padding: 1` with a stride of 2 differs: say the
   * number); a number, `[height, width]`, or `{ top, bottom, left, right }`. Less than the kernel's extent.
   */
  padding?: Padding2d | undefined
  /** From one pixel that the kernel meets to the next; default 1. */
  dilation?: Size2d | undefined
  /** So many parts of the channels, each with its share of the filters; default 1. It divides both. */
  groups?: number | undefined
  /** How the weights start; default `'he'`. `fanIn` and `fanOut` count a group's elements of the kernel. */
  init?: Initializer | undefined
  /** Whether there is a bias; default true. */
  bias?: boolean | undefined
  /** How the bias starts; default `'zeros'`. */
  biasInit?: Initializer | undefined
  /** Keeps the weights small: {@link l1}, {@link l2} or {@link elastic}. */
  regularizer?: Regularizer | undefined
  /** Likewise for the bias, which usually needs none. */
  biasRegularizer?: Regularizer | undefined
  /** Follows the layer directly, as `relu()` in the list would. */
  activation?: ActivationName | undefined
  /** False: the weights stay as they are. Default true. */
  trainable?: boolean | undefined
  /** Default `conv2d1`, `conv2d2`, … in layer order. */
  name?: string | undefined
}

const readOptions = optionsOf<Conv2dOptions>()(
  'conv2d',
  {
    stride: [checkSizes, 1],
    padding: [checkPadding, 'valid'],
    dilation: [checkSizes, 1],
    groups: [checkPositiveInteger, 1],
    init: [checkInitializer, 'he'],
    bias: [checkBoolean, true],
    biasInit: [checkInitializer, 'zeros'],
    regularizer: checkRegularizer,
    biasRegularizer: checkRegularizer,
    activation: checkActivationName,
    trainable: [checkBoolean, true],
    name: checkName,
  },
  ['filters', 'kernel'],
)

/**
 * A layer of `filters` filters that each see a window of `kernel` pixels of all channels, at each place of the image:
 * examples of shape [height, width, channels] become [rows, columns, filters], where there are
 * ⌊(height + padding − extent) / stride⌋ + 1 rows, extent = (kernel − 1) · dilation + 1. As everywhere in deep learning, the
 * kernel is not turned. Weights of shape (kernel height, kernel width, channels / groups, filters), bias of (filters).
 *
 * @example
 * sequential({ input: [28, 28, 1] }, [conv2d(16, 5, { padding: 'same' }), relu(), flatten(), dense(10)])
 * @function
 */
export const conv2d = factory('conv2d', 3, (filters: number, kernel: Size2d, options: Conv2dOptions = {}): Layer => {
  checkPositiveInteger('filters', filters)
  checkSizes('kernel', kernel)
  const resolved = readOptions(options)
  if (filters % resolved.groups) {
    throw invalidArgument('groups', `a divisor of the ${filters} filters`, resolved.groups)
  }
  return defineLayer({
    call: callOf('conv2d', filters, kernel, resolved),
    name: resolved.name,
    outputShape: ([shape = []], label) => [...axesOf(shape, kernel, resolved, label).map(outputsOf), filters],
    lower(scope, [input]) {
      const { init, bias, biasInit, regularizer, biasRegularizer, activation, trainable, groups } = resolved
      const axes = axesOf(input!.shape, kernel, resolved, 'conv2d')
      const taps = axes[0]!.kernel * axes[1]!.kernel
      const channels = input!.shape[2]! / groups
      const fans = [taps * channels, (taps * filters) / groups] as const
      const weight = scope.parameter('weight', {
        shape: [axes[0]!.kernel, axes[1]!.kernel, channels, filters],
        trainable,
        initializer: lowerInitializer(init, ...fans),
        ...regularizer,
      })
      const parameters: Record<string, number> = { weight }
      if (bias) {
        const initializer = lowerInitializer(biasInit, ...fans)
        parameters.bias = scope.parameter('bias', { shape: [filters], trainable, initializer, ...biasRegularizer })
      }
      const node = scope.node('convolution', [input!.node], {
        parameters,
        stride: axes.map(({ stride }) => stride),
        dilation: axes.map(({ dilation }) => dilation),
        padding: axes.flatMap(({ padding }) => padding),
        groups,
      })
      return activation ? lowerActivation(activation, scope, node) : node
    },
  })
})

/** One dimension of an image. */
interface Axis {
  readonly pixels: number
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly padding: readonly [before: number, after: number]
}

const extentOf = ({ kernel, dilation }: Axis): number => (kernel - 1) * dilation + 1
const paddedOf = ({ pixels, padding }: Axis): number => pixels + padding[0] + padding[1]
const outputsOf = (axis: Axis): number => Math.floor((paddedOf(axis) - extentOf(axis)) / axis.stride) + 1

type Window = {
  readonly stride: Size2d
  readonly dilation: Size2d
  readonly padding: Padding2d
  readonly groups: number
}

function axesOf(shape: Shape, kernel: Size2d, { stride, dilation, padding, groups }: Window, label: string): Axis[] {
  if (shape.length !== 3) {
    const advice = shape.length === 2 ? `put reshape([${shape.join(', ')}, 1]) before it` : undefined
    throw shapeError(label, 'height, width and channels', shape, advice)
  }
  const channels = shape[2]!
  if (channels % groups) throw shapeError(label, `a number of channels that ${groups} groups divide`, shape)
  const axes = [0, 1].map((i): Axis => {
    const one = {
      pixels: shape[i]!,
      kernel: sizeAt(kernel, i),
      stride: sizeAt(stride, i),
      dilation: sizeAt(dilation, i),
    }
    return { ...one, padding: paddingAt(padding, i, { ...one, padding: [0, 0] }, label) }
  })
  if (axes.some((axis) => paddedOf(axis) < extentOf(axis))) {
    const least = axes.map((axis) => Math.max(1, extentOf(axis) - axis.padding[0] - axis.padding[1]))
    throw shapeError(label, `an input of at least ${least.join('×')}`, shape)
  }
  return axes
}

const sizeAt = (size: Size2d, i: number): number => (typeof size === 'number' ? size : size[i]!)

function paddingAt(padding: Padding2d, i: number, axis: Axis, label: string): [before: number, after: number] {
  if (padding === 'valid') return [0, 0]
  if (padding === 'same') {
    const outputs = Math.ceil(axis.pixels / axis.stride)
    const all = Math.max(0, (outputs - 1) * axis.stride + extentOf(axis) - axis.pixels)
    return [Math.floor(all / 2), Math.ceil(all / 2)]
  }
  const both = asSides(padding)[i]!
  if (Math.max(...both) >= extentOf(axis)) {
    const sentence = `${label}: padding: expected less than the kernel's extent of ${extentOf(axis)}, received ${Math.max(...both)}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', sentence)
  }
  return both
}

function asSides(padding: Exclude<Padding2d, string>): [before: number, after: number][] {
  if (typeof padding === 'number') return [0, 1].map(() => [padding, padding])
  if (isPair(padding)) return padding.map((one) => [one, one])
  const { top = 0, bottom = 0, left = 0, right = 0 } = padding
  return [
    [top, bottom],
    [left, right],
  ]
}

const isPair = (value: unknown): value is readonly [number, number] => Array.isArray(value)

function checkSizes(argument: string, value: unknown): Size2d {
  if (!isPair(value)) return checkPositiveInteger(argument, value)
  if (value.length !== 2) throw invalidArgument(argument, 'a positive integer or [height, width]', value)
  for (const [i, one] of value.entries()) checkPositiveInteger(`${argument}[${i}]`, one)
  return value
}

function checkPadding(argument: string, value: unknown): Padding2d {
  if (value === 'valid' || value === 'same') return value
  const expected = "'valid', 'same', a whole number, [height, width] or { top, bottom, left, right }"
  if (typeof value === 'number') return checkNotNegativeInteger(argument, value)
  if (isPair(value)) {
    if (value.length !== 2) throw invalidArgument(argument, expected, value)
    for (const [i, one] of value.entries()) checkNotNegativeInteger(`${argument}[${i}]`, one)
    return value
  }
  if (typeof value !== 'object' || value === null) throw invalidArgument(argument, expected, value)
  checkOptions(argument, value, ['top', 'bottom', 'left', 'right'])
  for (const [side, one] of Object.entries(value))
    if (one !== undefined) checkNotNegativeInteger(`${argument}.${side}`, one)
  return value
}
