/** Layers that give the same elements another shape. */
import { callOf } from '../call.js'
import { checkOptions } from '../checks.js'
import { checkName, defineLayer, type Layer } from './layer.js'
import { checkShape, formatShape, shapeError, sizeOf } from './shape.js'

/** All elements of an example in one dimension, in row-major order. */
export function flatten(options: { name?: string } = {}): Layer {
  checkOptions('options', options, ['name'])
  return defineLayer({
    call: callOf('flatten', { name: options.name }),
    name: checkName('name', options.name),
    outputShape: ([shape]) => [sizeOf(shape!)],
    lower: (scope, [input]) => scope.node('reshape', [input!.node], { shape: [sizeOf(input!.shape)] }),
  })
}

/** The same elements in row-major order, in this shape of one example. */
export function reshape(shape: number | readonly number[], options: { name?: string } = {}): Layer {
  const target = checkShape('shape', shape)
  checkOptions('options', options, ['name'])
  return defineLayer({
    call: callOf('reshape', target, { name: options.name }),
    name: checkName('name', options.name),
    outputShape: ([from], label) => {
      if (sizeOf(from!) !== sizeOf(target)) {
        throw shapeError(label, `the ${sizeOf(target)} elements of ${formatShape(target)}`, from!)
      }
      return target
    },
    lower: (scope, [input]) => scope.node('reshape', [input!.node], { shape: target }),
  })
}
