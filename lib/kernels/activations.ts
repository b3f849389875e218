import { checkFinite, checkOneOf, checkOptions } from '../checks.js'
import type { FloatArray } from '../native.js'
import { type Activation, activations, call } from './call.js'

export type { Activation } from './call.js'

export interface ActivationOptions {
  /** The slope of `leakyRelu` (default 0.01) or alpha of `elu` (default 1). */
  parameter?: number | undefined
}

/** The core's name, and the parameter or its default. */
function resolve(activation: Activation, options: ActivationOptions): [string, number] {
  checkOptions('options', options, ['parameter'])
  const known = checkOneOf('activation', activation, [...activations.keys()])
  const [name, defaultParameter] = activations.get(known)!
  return [name, checkFinite('parameter', options.parameter ?? defaultParameter)]
}

/** y = f(x), elementwise; `y` may be `x`. exp, log, tanh and sigmoid are within 3 units in the last place. */
export function activationForward<A extends FloatArray>(
  activation: Activation,
  x: A,
  y: A,
  options: ActivationOptions = {},
): A {
  call.activation_forward!(...resolve(activation, options), x, y)
  return y
}

/**
 * dx = f′(x)·dy, elementwise; `dx` may be `dy`.
 *
 * @param x what the forward pass took
 * @param y what it gave
 * @param dy gradient with respect to y
 */
export function activationBackward<A extends FloatArray>(
  activation: Activation,
  x: A,
  y: A,
  dy: A,
  dx: A,
  options: ActivationOptions = {},
): A {
  call.activation_backward!(...resolve(activation, options), x, y, dy, dx)
  return dx
}

/** Sizes of maxout: each unit takes the largest of its pieces (Goodfellow et al. 2013). */
export interface MaxoutOptions {
  rows: number
  units: number
  pieces: number
}

/**
 * @param x (rows, units, pieces)
 * @param y (rows, units), written: the largest piece
 * @param winners (rows, units), written: its number, the first of equal ones
 */
export function maxoutForward<A extends FloatArray>(x: A, y: A, winners: Int32Array, options: MaxoutOptions): A {
  checkOptions('maxoutForward', options, ['rows', 'units', 'pieces'])
  call.maxout_forward!(options.rows, options.units, options.pieces, x, y, winners)
  return y
}

/**
 * @param dy (rows, units)
 * @param winners (rows, units), from the forward pass
 * @param dx (rows, units, pieces), written: dy where the winner was, else 0
 */
export function maxoutBackward<A extends FloatArray>(dy: A, winners: Int32Array, dx: A, options: MaxoutOptions): A {
  checkOptions('maxoutBackward', options, ['rows', 'units', 'pieces'])
  call.maxout_backward!(options.rows, options.units, options.pieces, dy, winners, dx)
  return dx
}

/** y = softmax of each row of x; both (rows, columns), columns from 1 up. */
export function softmax<A extends FloatArray>(x: A, y: A, options: { rows: number; columns: number }): A {
  checkOptions('softmax', options, ['rows', 'columns'])
  call.softmax!(options.rows, options.columns, x, y)
  return y
}

/** y = eˣ, elementwise; `y` may be `x`. Within 1.5 units in the last place. */
export function exp<A extends FloatArray>(x: A, y: A): A {
  call.exp!(x, y)
  return y
}

/** y = ln x, elementwise; `y` may be `x`. Within 1.5 units in the last place. */
export function log<A extends FloatArray>(x: A, y: A): A {
  call.log!(x, y)
  return y
}
