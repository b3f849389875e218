/** Trained layers for other models, and weights out of files. */
import type { Call } from '../call.js'
import { describe, GradusError, invalidArgument } from '../errors.js'
import type { FileSource } from '../files.js'
import { defineLayer, type Layer } from '../layers/layer.js'
import type { FloatArray, NativeProgram } from '../native.js'
import { checkPatterns, type NamePatterns, namesMatching } from '../optimizers/patterns.js'
import { optionsOf } from '../options.js'
import { didYouMean } from '../suggest.js'
import type { Lowered } from './lower.js'
import { checkEntry, checkFinite, withTensors } from './tensors.js'

/**
 * The layer of this name, with the weights that it has now: where it is put, it begins with those. A normalization that has
 * seen no data brings nothing.
 */
export function layerWithWeights(
  { steps, descriptor }: Lowered,
  program: NativeProgram,
  name: unknown,
  isAdapted: boolean,
): Layer {
  if (typeof name !== 'string') throw invalidArgument('layer', 'the name of a layer', name)
  const layer = steps.find((step) => step.name === name && step.node.layer)?.node.layer
  if (!layer) {
    const names = steps.filter(({ node }) => node.layer).map((step) => step.name)
    const hint = didYouMean(name, names) || `; there are ${names.join(', ')}`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', `layer: the model has no layer ${describe(name)}${hint}`)
  }
  const prefix = `${name}.`
  const weights = new Map(
    descriptor.parameters.flatMap((parameter, i) =>
      parameter.name.startsWith(prefix)
        ? [[parameter.name.slice(prefix.length), { shape: parameter.shape, data: program.read('parameters', i) }]]
        : [],
    ),
  )
  const { adapts, call } = layer.definition
  const brought = adapts && !isAdapted ? undefined : weights
  return defineLayer({ ...layer.definition, name, call: named(call, name), weights: brought })
}

/** The call of a layer with this name among its options, which come last. */
function named(call: Call, name: string): Call {
  const last = call.at(-1)
  const hasOptions = call.length > 1 && typeof last === 'object' && last !== null && !Array.isArray(last)
  const [factory, ...rest] = hasOptions ? call.slice(0, -1) : call
  return [factory as string, ...rest, { ...(hasOptions ? (last as object) : {}), name }] as Call
}

export interface LoadWeightsOptions {
  /** Which of the model's weights are read. Default: all of them. */
  names?: NamePatterns | undefined
}
const readOptions = optionsOf<LoadWeightsOptions>()('loadWeights', { names: checkPatterns })

/** By number of the parameter, in the model's dtype; nothing has been written yet. */
export async function readWeightsOf(
  { descriptor: { parameters, dtype } }: Lowered,
  file: FileSource | ArrayBuffer,
  options: LoadWeightsOptions,
): Promise<Map<number, FloatArray>> {
  const { names } = readOptions(options)
  const all = parameters.map(({ name }) => name)
  const chosen = names === undefined ? new Set(all) : namesMatching('names', names, all)
  return withTensors(file, async (tensors) => {
    const wanted = parameters.map((parameter, i) => ({ ...parameter, i })).filter(({ name }) => chosen.has(name))
    for (const { name, shape } of wanted) checkEntry(tensors.header, name, shape)
    const read = new Map<number, FloatArray>()
    for (const { name, shape, i } of wanted) {
      const size = shape.reduce((product, length) => product * length, 1)
      const values = dtype === 'float32' ? new Float32Array(size) : new Float64Array(size)
      for await (const { first, data } of tensors.pieces(name)) {
        values.set(data, first)
        checkFinite(name, values.subarray(first, first + data.length), first, dtype)
      }
      read.set(i, values)
    }
    return read
  })
}
