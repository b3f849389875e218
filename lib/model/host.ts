/** Answers a program that asks for custom layers, losses, metrics and regularizers. */
import { isFloat32Array, isFloat64Array } from 'node:util/types'
import { invalidArgument } from '../errors.js'
import type { CustomContext, CustomLayer } from '../layers/hosted.js'
import { distinctSums, type Metric } from '../metrics/metric.js'
import type { FloatArray, Host } from '../native.js'
import type { CustomOptimizer } from '../optimizers/optimizer.js'
import type { Compiled } from './compile.js'
import type { Lowered } from './lower.js'

type Answer = ReturnType<Host>
type Info = Parameters<Host>[2]

/** Undefined for a model that is all native. */
export function hostOf(
  { descriptor: { parameters }, custom }: Lowered,
  compiled?: Partial<Compiled>,
): Host | undefined {
  const { layers, regularizers } = custom
  const { loss, optimizer, metrics = [] } = compiled ?? {}
  const hasFunctions = loss?.custom || optimizer?.custom || metrics.some(({ addUp }) => addUp)
  if (!layers.size && !regularizers.size && !hasFunctions) return undefined
  const addedUp = distinctSums(metrics)
  const contexts = new Map<number, Context>()
  let lossContext = new Context({ batch: 0, training: false, seed: 0, learningRate: 0, step: 0 })
  return (kind, number, info, inputs, wanted) => {
    const arrays = inputs as FloatArray[]
    if (kind === 'forward') {
      const context = new Context(info)
      contexts.set(number, context)
      return forward(layers.get(number)!, arrays, context, wanted)
    }
    if (kind === 'backward') return backward(layers.get(number)!, arrays, contexts.get(number)!, wanted)
    if (kind === 'update') return update(optimizer!.custom!, parameters[number]!.name, arrays, info)
    if (kind === 'metric') return addUp(addedUp[number]!, arrays, info)
    if (kind === 'regularizer') {
      const { loss: penalty, gradient } = regularizers.get(number)!
      return regularize(penalty, gradient, arrays[0]!, wanted)
    }
    const { name, forward: losses, backward: slopes } = loss!.custom!
    const [output, targets] = arrays as [FloatArray, FloatArray & Int32Array]
    if (kind === 'loss') lossContext = new Context(info)
    const values = kind === 'loss' ? losses(output, targets, lossContext) : slopes(output, targets, lossContext)
    const argument = `${name}: the result of ${kind === 'loss' ? 'forward' : 'backward'}`
    return { outputs: [check(argument, values, output, wanted[0]!)], fingerprint: lossContext.fingerprint }
  }
}

class Context implements CustomContext {
  readonly batch: number
  readonly training: boolean
  readonly seed: number
  readonly cache = {}
  /** 32 bits of the choices told by `decide`. */
  fingerprint = 0

  constructor({ batch, training, seed }: Info) {
    this.batch = batch
    this.training = training
    this.seed = seed
  }

  // A property, so that it can be taken out of the context: `forward(x, parameters, { decide })`.
  readonly decide = (values: ArrayLike<number>): void => {
    let hash = this.fingerprint
    for (let i = 0; i < values.length; i++) {
      hash = Math.imul(hash ^ (values[i]! > 0 ? 0x9e3779b9 : 0x85ebca6b), 0xcc9e2d51)
      hash ^= hash >>> 15
    }
    this.fingerprint = hash >>> 0
  }
}

function forward(layer: CustomLayer, [x, ...rest]: FloatArray[], context: Context, wanted: (number | null)[]): Answer {
  const y = layer.forward(x!, byRole(layer, rest), context)
  return {
    outputs: [check(`${layer.name}: the result of forward`, y, x!, wanted[0]!)],
    fingerprint: context.fingerprint,
  }
}

function backward(
  layer: CustomLayer,
  [dy, ...rest]: FloatArray[],
  context: Context,
  wanted: (number | null)[],
): Answer {
  const result = layer.backward(dy!, byRole(layer, rest), context)
  if (typeof result !== 'object' || result === null) {
    throw invalidArgument(`${layer.name}: the result of backward`, '{ dx, gradients }', result)
  }
  const { dx, gradients = {} } = result
  const [inputs, ...lengths] = wanted
  const outputs = layer.roles.map((role, i) => {
    const length = lengths[i]!
    if (length === null) return null
    const gradient = gradients[role] ?? new (dy!.constructor as Float64ArrayConstructor)(length)
    return check(`${layer.name}: gradients.${role} of backward`, gradient, dy!, length)
  })
  return {
    outputs: [inputs == null ? null : check(`${layer.name}: dx of backward`, dx, dy!, inputs), ...outputs],
    fingerprint: 0,
  }
}

function regularize(
  loss: (weights: FloatArray) => number,
  gradient: (weights: FloatArray) => FloatArray,
  weights: FloatArray,
  [, length]: (number | null)[],
): Answer {
  const penalty = loss(weights)
  if (typeof penalty !== 'number') throw invalidArgument('regularizer: the result of loss', 'a number', penalty)
  const value = new (weights.constructor as Float64ArrayConstructor)([penalty])
  if (length == null) return { outputs: [value, null], fingerprint: 0 }
  const slopes = check('regularizer: the result of gradient', gradient(weights), weights, length)
  return { outputs: [value, slopes], fingerprint: 0 }
}

function update(
  { name, slots, update: changeOf }: CustomOptimizer,
  parameter: string,
  [gradient, weights, ...kept]: FloatArray[],
  { learningRate, step }: Info,
): Answer {
  const record = Object.fromEntries(slots.map((slot, i) => [slot, kept[i]!]))
  const { length } = gradient!
  const change = changeOf(gradient!, { name: parameter, weights: weights!, slots: record, learningRate, step })
  const checked = check(`${name}: the result of update`, change, weights!, length)
  const outputs = slots.map((slot) => check(`${name}: slots.${slot}`, record[slot], weights!, length))
  return { outputs: [checked, ...outputs], fingerprint: 0 }
}

/** Without weights each example counts 1. */
function addUp(metric: Metric, [predictions, targets, weights]: FloatArray[], { batch }: Info): Answer {
  const Type = predictions!.constructor as Float64ArrayConstructor
  const sums = metric.addUp!(predictions!, targets!, weights!.length > 0 ? weights! : new Type(batch).fill(1))
  return { outputs: [Float64Array.from(sums)], fingerprint: 0 }
}

const byRole = ({ roles }: CustomLayer, arrays: FloatArray[]): Record<string, FloatArray> =>
  Object.fromEntries(roles.map((role, i) => [role, arrays[i]!]))

/** The array, if it is of the type of `like` and of this length; of any realm. */
function check(argument: string, array: unknown, like: FloatArray, length: number): FloatArray {
  const isAlike = (value: unknown) => (isFloat64Array(like) ? isFloat64Array(value) : isFloat32Array(value))
  if (isAlike(array) && (array as FloatArray).length === length) return array as FloatArray
  throw invalidArgument(argument, `a ${like.constructor.name} of length ${length}`, array)
}
