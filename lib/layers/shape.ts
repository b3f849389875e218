/** Shapes are of one example: the batch is not part of them. */
import { GradusError, invalidArgument } from '../errors.js'

export type Shape = readonly number[]

/** `[28, 28]`, or a number for one dimension. Each dimension is a positive integer; the product stays below 2⁵³. */
export function checkShape(argument: string, shape: unknown): number[] {
  const dimensions: unknown = typeof shape === 'number' ? [shape] : shape
  if (!Array.isArray(dimensions)) throw invalidArgument(argument, 'a shape such as [28, 28]', shape)
  if (dimensions.length > 8) throw invalidArgument(argument, 'at most 8 dimensions', shape)
  dimensions.forEach((dimension, i) => {
    if (!Number.isSafeInteger(dimension) || dimension < 1) {
      throw invalidArgument(`${argument}[${i}]`, 'a positive integer', dimension)
    }
  })
  return [...checkSize(argument, dimensions)]
}

export function checkSize(argument: string, shape: Shape): Shape {
  if (Number.isSafeInteger(sizeOf(shape))) return shape
  throw new GradusError('GRADUS_TOO_LARGE', `${argument}: ${formatShape(shape)} has more than 2^53 elements`)
}

export const sizeOf = (shape: Shape): number => shape.reduce((product, dimension) => product * dimension, 1)

export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((dimension, i) => dimension === b[i])

/** What a layer throws when an input does not fit it: `dense2: expected …, received an input of shape [28, 28]`. */
export function shapeError(layer: string, expected: string, received: Shape, advice?: string): GradusError {
  const sentence = `${layer}: expected ${expected}, received an input of shape ${formatShape(received)}`
  return new GradusError('GRADUS_SHAPE_MISMATCH', advice ? `${sentence}; ${advice}` : sentence)
}
