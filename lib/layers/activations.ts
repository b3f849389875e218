/** Elementwise activations, softmax and maxout. */
import { type Call, callOf } from '../call.js'
import { checkNotNegative, checkOneOf, checkPositive, checkPositiveInteger } from '../checks.js'
import { optionsOf } from '../options.js'
import { checkName, defineLayer, type Layer, layerFactory, type Scope } from './layer.js'
import { shapeError } from './shape.js'

export interface ActivationOptions {
  /** Default `relu1`, `relu2`, … in layer order, with the activation's own name. */
  name?: string | undefined
}

/** Public name to the core's name; the defaults of parameters lie in native/kernels/activations.def. */
const operations = {
  relu: 'relu',
  leakyRelu: 'leaky_relu',
  elu: 'elu',
  gelu: 'gelu',
  silu: 'silu',
  tanh: 'tanh',
  sigmoid: 'sigmoid',
  softplus: 'softplus',
  softmax: 'softmax',
} as const

export type ActivationName = keyof typeof operations

export const checkActivationName = (argument: string, name: unknown): ActivationName =>
  checkOneOf(argument, name, Object.keys(operations) as ActivationName[])

export function lowerActivation(kind: ActivationName, scope: Scope, node: number, parameter?: number): number {
  if (kind === 'softmax') return scope.node('softmax', [node])
  return scope.node('activation', [node], { kind: operations[kind], parameter })
}

function activation(kind: ActivationName, call: Call, name: string | undefined, parameter?: number): Layer {
  return defineLayer({
    call,
    name,
    outputShape: ([shape]) => shape!,
    lower: (scope, [input]) => lowerActivation(kind, scope, input!.node, parameter),
  })
}

/** An activation without a parameter: a function of its options. */
function plain(kind: ActivationName): (options?: ActivationOptions) => Layer {
  const read = optionsOf<ActivationOptions>()(kind, { name: checkName })
  return layerFactory(kind, 1, (options?: ActivationOptions) => {
    const { name } = read(options)
    return activation(kind, callOf(kind, { name }), name)
  })
}

/** max(0, x). @function */
export const relu = plain('relu')

/** x for x ≥ 0, else slope·x; slope 0.01 unless given (Maas et al. 2013). @function */
export const leakyRelu = layerFactory(
  'leakyRelu',
  1,
  (options: ActivationOptions & { slope?: number | undefined } = {}): Layer => {
    const { slope, name } = readLeakyRelu(options)
    return activation('leakyRelu', callOf('leakyRelu', { slope, name }), name, slope)
  },
)
const readLeakyRelu = optionsOf<ActivationOptions & { slope?: number | undefined }>()('leakyRelu', {
  slope: [checkNotNegative, 0.01],
  name: checkName,
})

/** x for x ≥ 0, else alpha·(eˣ − 1); alpha 1 unless given (Clevert et al. 2016). @function */
export const elu = layerFactory('elu', 1, (options: ActivationOptions & { alpha?: number | undefined } = {}): Layer => {
  const { alpha, name } = readElu(options)
  return activation('elu', callOf('elu', { alpha, name }), name, alpha)
})
const readElu = optionsOf<ActivationOptions & { alpha?: number | undefined }>()('elu', {
  alpha: [checkPositive, 1],
  name: checkName,
})

/** x·Φ(x) with the normal distribution function Φ (Hendrycks and Gimpel 2016). @function */
export const gelu = plain('gelu')

/** x·sigmoid(x), also called swish (Elfwing et al. 2018). @function */
export const silu = plain('silu')

/** The hyperbolic tangent. @function */
export const tanh = plain('tanh')

/** 1 / (1 + e⁻ˣ). @function */
export const sigmoid = plain('sigmoid')

/** log(1 + eˣ). @function */
export const softplus = plain('softplus')

/**
 * eˣ divided by its sum over the last dimension. Not for the end of a classifier trained with
 * {@link softmaxCrossEntropy}, which takes scores and does this itself.
 * @function
 */
export const softmax = plain('softmax')

/**
 * The largest of each `pieces` neighbours of the last dimension (Goodfellow et al. 2013): `dense(64 * 2)`, `maxout(2)`
 * gives 64 outputs.
 * @function
 */
export const maxout = layerFactory('maxout', 2, (pieces: number, options: ActivationOptions = {}): Layer => {
  checkPositiveInteger('pieces', pieces)
  const { name } = readMaxout(options)
  return defineLayer({
    call: callOf('maxout', pieces, { name }),
    name,
    outputShape: ([shape = []], label) => {
      const last = shape.at(-1)
      if (last === undefined || last % pieces) {
        throw shapeError(label, `a last dimension that is a multiple of ${pieces}`, shape)
      }
      return [...shape.slice(0, -1), last / pieces]
    },
    lower: (scope, [input]) => scope.node('maxout', [input!.node], { pieces }),
  })
})
const readMaxout = optionsOf<ActivationOptions>()('maxout', { name: checkName }, ['pieces'])
