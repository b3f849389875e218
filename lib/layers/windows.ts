/** Windows over images, channels last: sizes, padding, and how many of them there are. */
import { checkNotNegativeInteger, checkOptions, checkPositiveInteger } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
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
/** Elements of zero before and after a line. */
export type Padding1d =
  | 'valid'
  | 'same'
  | number
  | { readonly before?: number | undefined; readonly after?: number | undefined }

/** What windows are, of images and of lines: a line of [length, channels] is an image of one row. */
export interface Windows {
  readonly kernel: Size2d
  readonly stride: Size2d
  readonly dilation: Size2d
  readonly padding: Padding2d
}

/** One dimension of an image. */
export interface Axis {
  readonly pixels: number
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly padding: readonly [before: number, after: number]
}

export const extentOf = ({ kernel, dilation }: Axis): number => (kernel - 1) * dilation + 1
export const paddedOf = ({ pixels, padding }: Axis): number => pixels + padding[0] + padding[1]
export const outputsOf = (axis: Axis): number => Math.floor((paddedOf(axis) - extentOf(axis)) / axis.stride) + 1

/** As the ops of windows read them. */
export const lowerAxes = (axes: readonly Axis[]) => ({
  stride: axes.map(({ stride }) => stride),
  dilation: axes.map(({ dilation }) => dilation),
  padding: axes.flatMap(({ padding }) => padding),
})

/** Height, width and channels of an input that is an image, or where `dimensions` is 1 a line. */
export function imageOf(
  shape: Shape,
  dimensions: 1 | 2,
  label: string,
): [height: number, width: number, channels: number] {
  if (shape.length === dimensions + 1) return [shape.at(-3) ?? 1, shape.at(-2)!, shape.at(-1)!]
  const advice = shape.length === dimensions ? `put reshape([${shape.join(', ')}, 1]) before it` : undefined
  throw shapeError(label, dimensions === 2 ? 'height, width and channels' : 'length and channels', shape, advice)
}

/** A shape of so many rows, columns and channels, as the input is an image or a line. */
export const imageLike = (dimensions: 1 | 2, [height, width]: readonly number[], channels: number): number[] =>
  dimensions === 2 ? [height!, width!, channels] : [width!, channels]

/** @throws GRADUS_SHAPE_MISMATCH where no window fits; GRADUS_INVALID_ARGUMENT where one would lie in the padding alone */
export function axesOf(shape: Shape, dimensions: 1 | 2, windows: Windows, label: string): [Axis, Axis] {
  const image = imageOf(shape, dimensions, label)
  const axes = [0, 1].map((i): Axis => {
    const one = {
      pixels: image[i]!,
      kernel: sizeAt(windows.kernel, i),
      stride: sizeAt(windows.stride, i),
      dilation: sizeAt(windows.dilation, i),
    }
    return { ...one, padding: paddingAt(windows.padding, i, { ...one, padding: [0, 0] }, label) }
  }) as [Axis, Axis]
  if (axes.some((axis) => paddedOf(axis) < extentOf(axis))) {
    const least = axes.map((axis) => Math.max(1, extentOf(axis) - axis.padding[0] - axis.padding[1]))
    throw shapeError(label, `an input of at least ${least.slice(2 - dimensions).join('×')}`, shape)
  }
  return axes
}

export const sizeAt = (size: Size2d, i: number): number => (typeof size === 'number' ? size : size[i]!)

function paddingAt(padding: Padding2d, i: number, axis: Axis, label: string): Axis['padding'] {
  if (padding === 'same') {
    const outputs = Math.ceil(axis.pixels / axis.stride)
    const all = Math.max(0, (outputs - 1) * axis.stride + extentOf(axis) - axis.pixels)
    return [Math.floor(all / 2), Math.ceil(all / 2)]
  }
  return sidesAt(padding, i, axis, label)
}

/** Numbers of pixels that are given, below the kernel's extent. */
export function sidesAt(
  padding: Exclude<Padding2d, 'same'>,
  i: number,
  axis: Axis,
  label: string,
): readonly [before: number, after: number] {
  const both = padding === 'valid' ? ([0, 0] as const) : sidesOf(padding)[i]!
  if (Math.max(...both) >= extentOf(axis)) {
    const sentence = `${label}: padding: expected less than the kernel's extent of ${extentOf(axis)}, received ${Math.max(...both)}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', sentence)
  }
  return both
}

export function sidesOf(padding: Exclude<Padding2d, string>): [before: number, after: number][] {
  if (typeof padding === 'number') return [0, 1].map(() => [padding, padding])
  if (isPair(padding)) return padding.map((one) => [one, one])
  const { top = 0, bottom = 0, left = 0, right = 0 } = padding
  return [
    [top, bottom],
    [left, right],
  ]
}

/** Windows of a line, as those of an image of one row. */
export function ofOneRow(windows: { kernel: number; stride: number; dilation: number; padding: Padding1d }): Windows {
  const { kernel, stride, dilation, padding } = windows
  const sides = (): Padding2d => {
    if (typeof padding === 'string') return padding
    if (typeof padding === 'number') return { left: padding, right: padding }
    return { left: padding.before, right: padding.after }
  }
  return { kernel: [1, kernel], stride: [1, stride], dilation: [1, dilation], padding: sides() }
}

const isPair = (value: unknown): value is readonly [number, number] => Array.isArray(value)

export function checkSizes(argument: string, value: unknown): Size2d {
  if (!isPair(value)) return checkPositiveInteger(argument, value)
  if (value.length !== 2) throw invalidArgument(argument, 'a positive integer or [height, width]', value)
  for (const [i, one] of value.entries()) checkPositiveInteger(`${argument}[${i}]`, one)
  return value
}

const sides2d = ['top', 'bottom', 'left', 'right']
const sides1d = ['before', 'after']

/** Numbers for each side, or the same for two or all of them. */
export function checkSides(argument: string, value: unknown, names = ''): Exclude<Padding2d, string> {
  if (typeof value === 'number') return checkNotNegativeInteger(argument, value)
  const expected = `${names}a whole number, [height, width] or { top, bottom, left, right }`
  if (isPair(value)) {
    if (value.length !== 2) throw invalidArgument(argument, expected, value)
    for (const [i, one] of value.entries()) checkNotNegativeInteger(`${argument}[${i}]`, one)
    return value
  }
  return checkNamedSides(argument, value, sides2d, expected)
}

export function checkPadding(argument: string, value: unknown): Padding2d {
  return value === 'valid' || value === 'same' ? value : checkSides(argument, value, "'valid', 'same', ")
}

export function checkPadding1d(argument: string, value: unknown): Padding1d {
  if (value === 'valid' || value === 'same') return value
  if (typeof value === 'number') return checkNotNegativeInteger(argument, value)
  return checkNamedSides(argument, value, sides1d, "'valid', 'same', a whole number or { before, after }")
}

function checkNamedSides<Sides extends object>(
  argument: string,
  value: unknown,
  names: string[],
  expected: string,
): Sides {
  if (typeof value !== 'object' || value === null) throw invalidArgument(argument, expected, value)
  checkOptions(argument, value, names)
  for (const [side, one] of Object.entries(value))
    if (one !== undefined) checkNotNegativeInteger(`${argument}.${side}`, one)
  return value as Sides
}
