/** Weights by name, as copies. */
import { isFloat32Array, isFloat64Array } from 'node:util/types'
import { checkBoolean } from '../checks.js'
import { describe, GradusError, invalidArgument } from '../errors.js'
import { formatShape, sameShape, sizeOf } from '../layers/shape.js'
import type { DataType, FloatArray, NativeProgram } from '../native.js'
import { optionsOf } from '../options.js'
import { didYouMean } from '../suggest.js'
import type { TrainTarget } from '../train/target.js'

/** Of one weight: its shape and its elements in row-major order. */
export interface Weight {
  shape: number[]
  data: FloatArray
}

/** What `getWeights` takes. */
export const readGet = optionsOf<{ average?: boolean | undefined }>()('getWeights', { average: [checkBoolean, false] })

/** `dense1.weight`, `dense1.bias`, `dense2.weight`, … in layer order. */
export type Weights = Record<string, Weight>

type Parameters = readonly { readonly name: string; readonly shape: readonly number[] }[]

export function readWeights(program: NativeProgram, parameters: Parameters, arena = 'parameters'): Weights {
  return Object.fromEntries(
    parameters.map(({ name, shape }, i) => [name, { shape: [...shape], data: program.read(arena, i) }]),
  )
}

/** All weights, or the average of them. */
export function currentWeights(program: NativeProgram, parameters: Parameters, average: boolean): Weights {
  if (average) checkAverage('average', program)
  return readWeights(program, parameters, average ? 'average' : 'parameters')
}

/** @throws GRADUS_INVALID_ARGUMENT */
export function checkAverage(argument: string, program: NativeProgram): void {
  if (program.arenas.includes('average')) return
  const remedy = 'compile it with an optimizer that keeps one, as adam({ average: averagedWeights() })'
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `${argument}: the model has no average of its weights; ${remedy}`)
}

/** Writes what a program begins with, from element `first` on: the average of its weights does too. */
export function beginWith(program: NativeProgram, parameter: number, data: FloatArray, first = 0): void {
  program.write('parameters', parameter, data, first)
  if (program.arenas.includes('average')) program.write('average', parameter, data, first)
}

/** All weights. Before the first update their average begins there; later it is the optimizer's, and stays. */
export function writeWeights(program: NativeProgram, weights: readonly FloatArray[]): void {
  for (const [i, data] of weights.entries()) {
    if (program.step === 0) beginWith(program, i, data)
    else program.write('parameters', i, data)
  }
}

/** Private copies of the data for each parameter, in order; throws before anything is changed. */
export function checkWeights(
  weights: unknown,
  parameters: Parameters,
  dtype: DataType,
  record = 'weights',
): FloatArray[] {
  if (typeof weights !== 'object' || weights === null) throw invalidArgument(record, 'a record of weights', weights)
  const unknown = Object.keys(weights).find((name) => !parameters.some((parameter) => parameter.name === name))
  if (unknown !== undefined) {
    const names = parameters.map(({ name }) => name)
    const message = `${record}: the model has no ${describe(unknown)}${didYouMean(unknown, names)}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  return parameters.map(({ name, shape }) => {
    const argument = `${record}["${name}"]`
    const weight: Partial<Weight> = (weights as Weights)[name] ?? {}
    const { data } = weight
    if (!(isFloat32Array(data) || isFloat64Array(data))) {
      throw invalidArgument(`${argument}.data`, 'a Float32Array or Float64Array', data)
    }
    if (!Array.isArray(weight.shape) || !sameShape(weight.shape, shape)) {
      const received = Array.isArray(weight.shape) ? formatShape(weight.shape) : describe(weight.shape)
      const message = `${argument}.shape: expected ${formatShape(shape)}, received ${received}`
      throw new GradusError('GRADUS_SHAPE_MISMATCH', message)
    }
    if (data.length !== sizeOf(shape)) throw invalidArgument(`${argument}.data`, `${sizeOf(shape)} elements`, data)
    const copy = dtype === 'float32' ? new Float32Array(data) : new Float64Array(data)
    const bad = copy.findIndex((value) => !Number.isFinite(value))
    if (bad < 0) return copy
    throw invalidArgument(`${argument}.data[${bad}]`, `a finite ${dtype}`, data[bad])
  })
}

/** Normalization layers that were given their numbers take none from the data. */
export function noteNumbers(
  { normalizations, conventions }: Pick<TrainTarget, 'normalizations' | 'conventions'>,
  written: ReadonlyMap<number, unknown>,
): void {
  const all = normalizations.every(({ mean, variance }) => written.has(mean) && written.has(variance))
  if (normalizations.length > 0 && all) conventions.isAdapted = true
}
