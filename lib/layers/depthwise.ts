/** Convolutions that look at each channel by itself, and those made of them. */
import { callOf } from '../call.js'
import { checkPositiveInteger } from '../checks.js'
import { optionsOf } from '../options.js'
import { defineLayer, type Layer, layerFactory, type Scope } from './layer.js'
import type { Shape } from './shape.js'
import { lowerWeighted, type WeightedOptions, weightedRules } from './weighted.js'
import {
  type Axis,
  axesOf,
  checkPadding,
  checkSizes,
  lowerAxes,
  outputsOf,
  type Padding2d,
  type Size2d,
  type Windows,
} from './windows.js'

interface WindowOptions {
  /** From one window to the next, in pixels; default 1. */
  stride?: Size2d | undefined
  /** Pixels of zero around the image, as of {@link conv2d}; default `'valid'`, none. */
  padding?: Padding2d | undefined
  /** From one pixel that the kernel meets to the next; default 1. */
  dilation?: Size2d | undefined
  /** So many filters for each channel; default 1. */
  multiplier?: number | undefined
}
export interface DepthwiseConv2dOptions extends WeightedOptions, WindowOptions {}
/** The bias and the activation are those of the result; `init` and the rest hold for both parts. */
export interface SeparableConv2dOptions extends WeightedOptions, WindowOptions {}

const windowRules = {
  stride: [checkSizes, 1],
  padding: [checkPadding, 'valid'],
  dilation: [checkSizes, 1],
  multiplier: [checkPositiveInteger, 1],
} as const
const readDepthwise = optionsOf<DepthwiseConv2dOptions>()('depthwiseConv2d', { ...windowRules, ...weightedRules }, [
  'kernel',
])
const readSeparable = optionsOf<SeparableConv2dOptions>()('separableConv2d', { ...windowRules, ...weightedRules }, [
  'filters',
  'kernel',
])

/**
 * Each channel has `multiplier` filters of its own: examples of shape [height, width, channels] become
 * [rows, columns, channels · multiplier], rows as of {@link conv2d}; filter m of channel c gives channel c · multiplier + m.
 * Weights of shape (kernel height, kernel width, 1, channels · multiplier).
 * @function
 */
export const depthwiseConv2d = layerFactory(
  'depthwiseConv2d',
  2,
  (kernel: Size2d, options: DepthwiseConv2dOptions = {}): Layer => {
    checkSizes('kernel', kernel)
    const resolved = readDepthwise(options)
    const windows = { kernel, ...resolved }
    return defineLayer({
      call: callOf('depthwiseConv2d', kernel, resolved),
      name: resolved.name,
      outputShape: ([shape = []], label) => outputShapeOf(shape, windows, label),
      lower: (scope, [input]) => lowerWeighted(scope, depthwiseOf(input!, windows), resolved),
    })
  },
)

/**
 * A {@link depthwiseConv2d} without bias and then a {@link conv2d} of 1×1 that mixes the channels (Chollet 2017): the parts
 * of a convolution at a share of its cost. Weights `depthwise` of (kernel height, kernel width, 1, channels · multiplier) and
 * `weight` of (1, 1, channels · multiplier, filters).
 * @function
 */
export const separableConv2d = layerFactory(
  'separableConv2d',
  3,
  (filters: number, kernel: Size2d, options: SeparableConv2dOptions = {}): Layer => {
    checkPositiveInteger('filters', filters)
    checkSizes('kernel', kernel)
    const resolved = readSeparable(options)
    const windows = { kernel, ...resolved }
    return defineLayer({
      call: callOf('separableConv2d', filters, kernel, resolved),
      name: resolved.name,
      outputShape: ([shape = []], label) => outputShapeOf(shape, windows, label).with(2, filters),
      lower(scope, [input]) {
        const first = { ...resolved, bias: false, activation: undefined }
        const spread = lowerWeighted(inRole(scope, 'depthwise'), depthwiseOf(input!, windows), first)
        const channels = input!.shape[2]! * resolved.multiplier
        const mix = { op: 'convolution', input: spread, shape: [1, 1, channels, filters], outputs: filters }
        const attributes = { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0], groups: 1 }
        return lowerWeighted(scope, { ...mix, fans: [channels, filters], attributes }, resolved)
      },
    })
  },
)

/** Its weight has this role. */
const inRole = (scope: Scope, role: string): Scope => ({
  ...scope,
  parameter: (_, parameter) => scope.parameter(role, parameter),
})

type DepthwiseWindows = Windows & { readonly multiplier: number }

const outputShapeOf = (shape: Shape, windows: DepthwiseWindows, label: string): number[] => {
  const [rows, columns] = axesOf(shape, 2, windows, label).map(outputsOf)
  return [rows!, columns!, shape[2]! * windows.multiplier]
}

function depthwiseOf(input: { node: number; shape: Shape }, windows: DepthwiseWindows) {
  const axes: Axis[] = axesOf(input.shape, 2, windows, 'a depthwise convolution')
  const channels = input.shape[2]!
  const outputs = channels * windows.multiplier
  const [height, width] = axes.map(({ kernel }) => kernel) as [number, number]
  return {
    ...{ op: 'convolution', input: input.node, shape: [height, width, 1, outputs], outputs },
    fans: [height * width, height * width * windows.multiplier] as const,
    groups: channels,
    attributes: { ...lowerAxes(axes), groups: channels },
  }
}
