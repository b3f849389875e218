/** Convolutions, channels last: examples are (height, width, channels), or (length, channels). */
import { callOf } from '../call.js'
import { checkPositiveInteger } from '../checks.js'
import { invalidArgument } from '../errors.js'
import { optionsOf } from '../options.js'
import { defineLayer, type Layer, type LayerDefinition, layerFactory } from './layer.js'
import { type Shape, shapeError } from './shape.js'
import { lowerWeighted, type Weighted, type WeightedOptions, weightedRules } from './weighted.js'
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

interface ConvolutionOptions extends WeightedOptions {
  /** So many parts of the channels, each with its share of the filters; default 1. It divides both. */
  groups?: number | undefined
}

export interface Conv2dOptions extends ConvolutionOptions {
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
}

export interface Conv1dOptions extends ConvolutionOptions {
  /** From one window to the next; default 1. */
  stride?: number | undefined
  /** Elements of zero at both ends: as of {@link conv2d}, or `{ before, after }`. */
  padding?: Padding1d | undefined
  /** From one element that the kernel meets to the next; default 1. */
  dilation?: number | undefined
}

const read2d = optionsOf<Conv2dOptions>()(
  'conv2d',
  {
    stride: [checkSizes, 1],
    padding: [checkPadding, 'valid'],
    dilation: [checkSizes, 1],
    groups: [checkPositiveInteger, 1],
    ...weightedRules,
  },
  ['filters', 'kernel'],
)
const read1d = optionsOf<Conv1dOptions>()(
  'conv1d',
  {
    stride: [checkPositiveInteger, 1],
    padding: [checkPadding1d, 'valid'],
    dilation: [checkPositiveInteger, 1],
    groups: [checkPositiveInteger, 1],
    ...weightedRules,
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
export const conv2d = layerFactory(
  'conv2d',
  3,
  (filters: number, kernel: Size2d, options: Conv2dOptions = {}): Layer => {
    checkPositiveInteger('filters', filters)
    checkSizes('kernel', kernel)
    const resolved = read2d(options)
    return defineLayer({
      call: callOf('conv2d', filters, kernel, resolved),
      name: resolved.name,
      ...convolution({ dimensions: 2, filters, windows: { kernel, ...resolved }, groups: resolved.groups }, resolved),
    })
  },
)

/**
 * {@link conv2d} of one dimension, for sequences and signals: examples of shape [length, channels] become [places, filters].
 * Weights of shape (kernel, channels / groups, filters).
 *
 * @example
 * sequential({ input: [500, 6] }, [conv1d(32, 7, { stride: 2 }), relu(), globalMaxPool(), dense(4)])
 * @function
 */
export const conv1d = layerFactory(
  'conv1d',
  3,
  (filters: number, kernel: number, options: Conv1dOptions = {}): Layer => {
    checkPositiveInteger('filters', filters)
    checkPositiveInteger('kernel', kernel)
    const resolved = read1d(options)
    const windows = ofOneRow({ kernel, ...resolved })
    return defineLayer({
      call: callOf('conv1d', filters, kernel, resolved),
      name: resolved.name,
      ...convolution({ dimensions: 1, filters, windows, groups: resolved.groups }, resolved),
    })
  },
)

interface Convolution {
  readonly dimensions: 1 | 2
  readonly filters: number
  readonly windows: Windows
  readonly groups: number
}

function convolution(of: Convolution, weighted: Weighted): Pick<LayerDefinition, 'outputShape' | 'lower'> {
  const { dimensions, filters, windows, groups } = of
  if (filters % groups) throw invalidArgument('groups', `a divisor of the ${filters} filters`, groups)
  const axesFor = (shape: Shape, label: string): [Axis, Axis] => {
    const axes = axesOf(shape, dimensions, windows, label)
    if (shape.at(-1)! % groups) throw shapeError(label, `a number of channels that ${groups} groups divide`, shape)
    return axes
  }
  return {
    outputShape: ([shape = []], label) => imageLike(dimensions, axesFor(shape, label).map(outputsOf), filters),
    lower(scope, [input]) {
      const axes = axesFor(input!.shape, 'a convolution')
      const taps = axes[0].kernel * axes[1].kernel
      const inputs = input!.shape.at(-1)! / groups
      const shape = imageLike(dimensions, [axes[0].kernel, axes[1].kernel], inputs)
      return lowerWeighted(
        scope,
        {
          ...{ op: 'convolution', input: input!.node, shape: [...shape, filters], outputs: filters },
          fans: [taps * inputs, (taps * filters) / groups],
          groups,
          attributes: { ...lowerAxes(axes), groups },
        },
        weighted,
      )
    },
  }
}
