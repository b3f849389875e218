/** Images framed with zeros, cropped, and made larger. */
import { callOf } from '../call.js'
import { oneOf } from '../checks.js'
import { optionsOf } from '../options.js'
import { checkName, defineLayer, type Layer, layerFactory } from './layer.js'
import { type Shape, shapeError } from './shape.js'
import { checkSides, checkSizes, imageOf, type Padding2d, type Size2d, sidesOf, sizeAt } from './windows.js'

interface NamedOptions {
  /** Default the layer's own name with a number, in layer order: `upsample2d1`, `upsample2d2`, … */
  name?: string | undefined
}
export interface Upsample2dOptions extends NamedOptions {
  /** `'nearest'`, each pixel again (default), or `'bilinear'`, on the lines between the pixels' centres. */
  interpolation?: 'nearest' | 'bilinear' | undefined
}

/** Pixels at each side: of all alike, of height and width, or by name. */
export type Sides2d = Exclude<Padding2d, string>

const readZeroPadding = optionsOf<NamedOptions>()('zeroPadding2d', { name: checkName }, ['padding'])
const readCropping = optionsOf<NamedOptions>()('cropping2d', { name: checkName }, ['cropping'])
const readUpsample = optionsOf<Upsample2dOptions>()(
  'upsample2d',
  { interpolation: [oneOf('nearest', 'bilinear'), 'nearest'], name: checkName },
  ['factor'],
)

/**
 * Zeros around an image: [height, width, channels] grows by `padding` pixels on each side.
 *
 * @param padding - a number, [height, width], or { top, bottom, left, right }
 * @function
 */
export const zeroPadding2d = layerFactory('zeroPadding2d', 2, (padding: Sides2d, options: NamedOptions = {}): Layer => {
  const sides = sidesOf(checkSides('padding', padding))
  const { name } = readZeroPadding(options)
  return defineLayer({
    call: callOf('zeroPadding2d', padding, { name }),
    name,
    outputShape: ([shape = []], label) => framed(shape, sides, 1, label),
    lower: (scope, [input]) => scope.node('frame', [input!.node], { added: sides.flat(), taken: [0, 0, 0, 0] }),
  })
})

/**
 * An image without its outermost pixels: [height, width, channels] shrinks by `cropping` pixels on each side.
 *
 * @param cropping - a number, [height, width], or { top, bottom, left, right }
 * @function
 */
export const cropping2d = layerFactory('cropping2d', 2, (cropping: Sides2d, options: NamedOptions = {}): Layer => {
  const sides = sidesOf(checkSides('cropping', cropping))
  const { name } = readCropping(options)
  return defineLayer({
    call: callOf('cropping2d', cropping, { name }),
    name,
    outputShape: ([shape = []], label) => framed(shape, sides, -1, label),
    lower: (scope, [input]) => scope.node('frame', [input!.node], { added: [0, 0, 0, 0], taken: sides.flat() }),
  })
})

/**
 * An image made larger by a whole factor: [height, width, channels] becomes [height · factor, width · factor, channels].
 * Bilinear ones have half-pixel centres, as PyTorch without `align_corners` and Keras.
 *
 * @param factor - a number, or [height, width]
 * @function
 */
export const upsample2d = layerFactory('upsample2d', 2, (factor: Size2d, options: Upsample2dOptions = {}): Layer => {
  checkSizes('factor', factor)
  const resolved = readUpsample(options)
  const factors = [0, 1].map((i) => sizeAt(factor, i))
  return defineLayer({
    call: callOf('upsample2d', factor, resolved),
    name: resolved.name,
    outputShape: ([shape = []], label) => {
      const [height, width, channels] = imageOf(shape, 2, label)
      return [height * factors[0]!, width * factors[1]!, channels]
    },
    lower: (scope, [input]) =>
      scope.node('upsample', [input!.node], { factor: factors, bilinear: resolved.interpolation === 'bilinear' }),
  })
})

function framed(shape: Shape, sides: readonly (readonly number[])[], sign: 1 | -1, label: string): number[] {
  const [height, width, channels] = imageOf(shape, 2, label)
  const all = sides.map(([before, after]) => before! + after!)
  const [rows, columns] = [height + sign * all[0]!, width + sign * all[1]!]
  if (rows >= 1 && columns >= 1) return [rows, columns, channels]
  throw shapeError(label, `an input of at least ${all.map((taken) => taken + 1).join('×')}`, shape)
}
