/** Layers and regularizers written in JavaScript: slow, since they run on the main thread, but honest. */
import { callOf } from '../call.js'
import { checkBoolean, checkFunction } from '../checks.js'
import { invalidArgument } from '../errors.js'
import type { FloatArray } from '../native.js'
import { needed, optionsOf } from '../options.js'
import type { Arrays, CustomContext, CustomLayer } from './hosted.js'
import { checkInitializer, type Initializer, lowerInitializer } from './initializers.js'
import { checkName, defineLayer, type Layer, layerFactory } from './layer.js'
import { checkRegularizer, type Regularizer } from './regularizers.js'
import { checkShape, type Shape, sizeOf } from './shape.js'

/** One trained array of a custom layer. */
export interface CustomParameter {
  shape: number | readonly number[]
  /** As of {@link DenseOptions}. The fan-in is all dimensions but the last. */
  init: Initializer
  regularizer?: Regularizer | undefined
  /** Default true. */
  trainable?: boolean | undefined
}

/** Arrays are row-major, of the model's dtype, and copies: the layer may keep and change them. */
export interface CustomLayerOptions<Role extends string> {
  name: string
  /** Of one example. Default: the input's. */
  outputShape?: ((inputShape: Shape) => number | readonly number[]) | undefined
  /** Default: none. */
  parameters?: ((inputShape: Shape) => Record<Role, CustomParameter>) | undefined
  /** The output, (batch, ...outputShape) elements, for `x` of (batch, ...inputShape). */
  forward(x: FloatArray, parameters: Arrays<Role>, context: CustomContext): FloatArray
  /**
   * The gradients of the loss: by x, and by each parameter, summed over the batch. `dy` is the one by the output. A
   * parameter without a gradient is taken to have none: zeros.
   */
  backward(
    dy: FloatArray,
    parameters: Arrays<Role>,
    context: CustomContext,
  ): { dx: FloatArray; gradients?: Partial<Arrays<Role>> | undefined }
}

/**
 * A layer of one's own, of any arithmetic, with the parameters it trains. The functions run on the main thread, a call for
 * each pass. {@link gradientCheck} says whether `backward` belongs to `forward`. A saved model has the layer's name alone:
 * give it to `loadModel(file, { layers: { scale } })`.
 *
 * @example
 * const scale = customLayer({
 *   name: 'scale',
 *   parameters: ([size]) => ({ gain: { shape: [size], init: 'ones' } }),
 *   forward(x, { gain }, { cache }) {
 *     cache.x = x
 *     return x.map((value, i) => value * gain[i % gain.length])
 *   },
 *   backward(dy, { gain }, { cache }) {
 *     const dGain = gain.map(() => 0)
 *     dy.forEach((value, i) => (dGain[i % gain.length] += value * cache.x[i]))
 *     return { dx: dy.map((value, i) => value * gain[i % gain.length]), gradients: { gain: dGain } }
 *   },
 * })
 * @function
 */
export const customLayer = layerFactory(
  'customLayer',
  1,
  <Role extends string = never>(options: CustomLayerOptions<Role>): Layer => {
    const { name, outputShape, parameters, forward, backward } = readLayer(
      options as unknown as CustomLayerOptions<string>,
    )
    return defineLayer({
      call: callOf('customLayer', { name }),
      name,
      outputShape: ([shape]) => checkShape(`${name}: outputShape`, outputShape([...shape!])),
      lower(scope, [input]) {
        const declared = parameters([...input!.shape])
        if (typeof declared !== 'object' || declared === null) {
          throw invalidArgument(`${name}: parameters`, 'a record of parameters', declared)
        }
        const roles = Object.keys(declared)
        const operands = roles.map((role) => scope.parameter(role, parameterOf(name, role, declared[role]!)))
        const shape = checkShape(`${name}: outputShape`, outputShape([...input!.shape]))
        return scope.node('custom', [input!.node], { shape, operands }, { name, roles, forward, backward })
      },
    })
  },
)

const readLayer = optionsOf<CustomLayerOptions<string>>()('customLayer', {
  name: needed(checkGivenName),
  outputShape: [checkFunction<(inputShape: Shape) => Shape>, (shape: Shape) => shape],
  parameters: [checkFunction<() => Record<string, CustomParameter>>, () => ({})],
  forward: needed(checkFunction<CustomLayer['forward']>),
  backward: needed(checkFunction<CustomLayer['backward']>),
})
const readParameter = optionsOf<CustomParameter>()('parameters', {
  shape: needed(checkShape),
  init: needed(checkInitializer),
  regularizer: checkRegularizer,
  trainable: [checkBoolean, true],
})

function checkGivenName(argument: string, value: unknown): string {
  const name = checkName(argument, value)
  if (name === undefined) throw invalidArgument(argument, 'a name for the layer', name)
  return name
}

function parameterOf(layer: string, role: string, parameter: CustomParameter) {
  const argument = `${layer}: parameters.${role}`
  checkName(argument, role)
  const { init, regularizer, trainable, ...read } = readParameter(parameter, argument)
  const shape = checkShape(`${argument}.shape`, read.shape)
  const fanOut = shape.at(-1) ?? 1
  const fanIn = shape.length > 1 ? sizeOf(shape) / fanOut : fanOut
  return {
    shape,
    trainable,
    initializer: lowerInitializer(init, fanIn, fanOut),
    ...regularizer,
  }
}
