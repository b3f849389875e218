import { product } from '../data/column.js'
import { Dataset } from '../data/dataset.js'
import type { Examples } from '../data/examples.js'
import { areFinite } from '../data/fill.js'
import { inputRows } from '../data/rows.js'
import type { DataType, FloatArray, PredictCall, TypedArray } from '../native.js'
import { optionsOf } from '../options.js'
import { unlessAborted } from '../signals.js'
import { checkAveraged, checkMirrored, evaluateRules, passBatchSize, resolveThreads } from './calls.js'
import type { ModelEvaluateOptions } from './evaluate.js'
import { besideTraining } from './in-training.js'
import { Predictions } from './predictions.js'
import { inputRequirements, type PredictTarget } from './source.js'
import { callInTurn, whileAwaited } from './turn.js'

const readOptions = optionsOf<ModelEvaluateOptions>()('predict', evaluateRules, ['x'])

/** What a prediction makes of each example's scores: probabilities. */
export type Link = 'softmax' | 'sigmoid'

/**
 * The model's outputs, computed off the main thread, or at once where that takes less than the way there; with dropout off.
 *
 * @param x the inputs as in {@link Examples}, or a {@link Dataset}; an array of one example's numbers is one row
 * @param link what is made of each example's scores, there as well
 * @throws those of the data; rejects with the signal's reason when it fires.
 */
export async function predict(
  target: PredictTarget,
  x: Dataset | Examples['x'],
  options: ModelEvaluateOptions = {},
  link?: Link,
): Promise<Predictions> {
  const { program } = target
  const call = async (settings: PredictCall) => [await program.predict({ ...settings, link })]
  const [predictions] = await predictEach(target, x, () => readOptions(options), call, 1)
  return predictions!
}

/**
 * What a call makes of the rows: `count` arrays, each of the predictions' shape.
 *
 * @param read gives the options, checked
 */
export async function predictEach(
  target: PredictTarget,
  x: Dataset | Examples['x'],
  read: () => ModelEvaluateOptions & { batchSize: number },
  call: (settings: PredictCall) => Promise<FloatArray[]>,
  count: number,
): Promise<Predictions[]> {
  const { program, outputShape } = target
  const work = async () => {
    const { batchSize, signal, weights, views, ...rest } = read()
    const threads = resolveThreads(rest.threads)
    const averaged = checkAveraged(program, weights)
    const mirrored = checkMirrored(target.inputs, views)
    signal?.throwIfAborted()
    const examples = x instanceof Dataset ? x : new Dataset({ x }, { temporary: true })
    try {
      const dataset = await unlessAborted(examples.resident(inputRequirements(target)), signal)
      const { size } = dataset
      const none = () => Array.from({ length: count }, () => new types[program.dtype](0))
      const settings = { dataset, batchSize, threads, averaged, ...(mirrored && { mirrored }) }
      const results = size === 0 ? none() : await callInTurn(program, signal, () => call(settings))
      signal?.throwIfAborted()
      return results!.map((data) => new Predictions(data, [size, ...outputShape]))
    } finally {
      if (examples !== x) examples.dispose()
    }
  }
  return besideTraining(program, 'predict()', () => whileAwaited(program, work))
}

/** The same at once, on the calling thread. Throws what {@link predict} rejects with. */
export function predictSync(target: PredictTarget & { dtype: DataType }, x: Examples['x']): Predictions {
  const { inputs, dtype, conventions } = target
  const [input] = inputs
  // What most calls bring goes straight through; all else goes the long way, which also says what is wrong with it.
  if (
    inputs.length === 1 &&
    input?.kind === 'real' &&
    x instanceof types[dtype] &&
    x.buffer instanceof ArrayBuffer &&
    conventions.inputs?.[input.name]?.kind !== 'bytes'
  ) {
    const rows = x.length / product(input.shape)
    if (Number.isInteger(rows) && areFinite(x)) return outputs(target, rows, [x])
  }
  return outputs(target, ...inputRows(x, inputRequirements(target)))
}

const types = { float32: Float32Array, float64: Float64Array }

/**
 * V8 keeps arrays of at most 64 bytes in its own heap, and to move one's memory out of it, where native code may write,
 * takes as long as half a small network. So short results are copied from these, which lie outside already.
 */
const shortResults = { float32: new Float32Array(32), float64: new Float64Array(32) }

function outputs(
  { program, outputShape, dtype }: PredictTarget & { dtype: DataType },
  rows: number,
  inputs: (TypedArray | number)[],
): Predictions {
  const shape = [rows, ...outputShape]
  if (rows === 0) return new Predictions(new types[dtype](0), shape)
  const length = product(shape)
  const short = shortResults[dtype]
  const to = length <= short.length ? short : new types[dtype](length)
  program.predictRows(rows, passBatchSize, to, ...inputs)
  return new Predictions(to === short ? short.slice(0, length) : to, shape)
}
