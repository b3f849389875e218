/** Layers that give the same elements another shape. */
import { callOf } from '../call.js'
import { optionsOf } from '../options.js'
import { checkName, defineLayer, type Layer, layerFactory } from './layer.js'
import { checkShape, formatShape, shapeError, sizeOf } from './shape.js'

const readFlatten = optionsOf<{ name?: string | undefined }>()('flatten', { name: checkName })
const readReshape = optionsOf<{ name?: string | undefined }>()('reshape', { name: checkName }, ['shape'])

/** All elements of an example in one dimension, in row-major order. @function */
export const flatten = layerFactory('flatten', 1, (options: { name?: string | undefined } = {}): Layer => {
  const { name } = readFlatten(options)
  return defineLayer({
    call: callOf('flatten', { name }),
    name,
    outputShape: ([shape]) => [sizeOf(shape!)],
    lower: (scope, [input]) => scope.node('reshape', [input!.node], { shape: [sizeOf(input!.shape)] }),
  })
})

/** The same elements in row-major order, in this shape of one example. @function */
export const reshape = layerFactory(
  'reshape',
  2,
  (shape: number | readonly number[], options: { name?: string | undefined } = {}): Layer => {
    const target = checkShape('shape', shape)
    const { name } = readReshape(options)
    return defineLayer({
      call: callOf('reshape', target, { name }),
      name,
      outputShape: ([from], label) => {
        if (sizeOf(from!) !== sizeOf(target)) {
          throw shapeError(label, `the ${sizeOf(target)} elements of ${formatShape(target)}`, from!)
        }
        return target
      },
      lower: (scope, [input]) => scope.node('reshape', [input!.node], { shape: target }),
    })
  },
)
