import { checkPositiveInteger } from '../checks.js'
import { product } from '../data/column.js'
import { Dataset, type Examples } from '../data/dataset.js'
import { isFinite } from '../data/fill.js'
import { inputRows } from '../data/rows.js'
import type { DataType, FloatArray } from '../native.js'
import type { EvaluateOptions } from './evaluate.js'
import { checkPassOptions, passBatchSize, resolveThreads } from './options.js'
import { inputRequirements, type PredictTarget } from './source.js'
import { callInTurn } from './turn.js'

/**
 * The model's outputs, computed off the main thread, with dropout off.
 *
 * @param x the inputs as in {@link Examples}, or a {@link Dataset}
 * @returns (rows, ...outputShape), flat, of the model's dtype; {@link argmax} makes class numbers of it
 * @throws those of the data; rejects with the signal's reason when it fires.
 */
export async function predict(
  target: PredictTarget,
  x: Dataset | Examples['x'],
  options: EvaluateOptions = {},
): Promise<FloatArray> {
  checkPassOptions(options)
  const { batchSize = passBatchSize, signal } = options
  checkPositiveInteger('batchSize', batchSize)
  const threads = resolveThreads(options.threads)
  signal?.throwIfAborted()
  const { program } = target
  const examples = x instanceof Dataset ? x : new Dataset({ x })
  try {
    const dataset = await examples.resident(inputRequirements(target))
    if (dataset.size === 0) return program.dtype === 'float32' ? new Float32Array(0) : new Float64Array(0)
    const result = await callInTurn(program, signal, () => program.predict({ dataset, batchSize, threads }))
    signal?.throwIfAborted()
    return result as FloatArray
  } finally {
    if (examples !== x) examples.dispose()
  }
}

/** The same at once, on the calling thread. Throws what {@link predict} rejects with. */
export function predictSync(target: PredictTarget & { dtype: DataType }, x: Examples['x']): FloatArray {
  const { program, inputs, dtype } = target
  const [input] = inputs
  const Type = dtype === 'float32' ? Float32Array : Float64Array
  // What most calls bring goes straight through; all else goes the long way, which also says what is wrong with it.
  if (inputs.length === 1 && input?.kind === 'real' && x instanceof Type && x.buffer instanceof ArrayBuffer) {
    const rows = x.length / product(input.shape)
    if (Number.isInteger(rows) && isFinite(x)) return program.predictRows(rows, passBatchSize, x)
  }
  const [rows, values] = inputRows(x, inputRequirements(target))
  return program.predictRows(rows, passBatchSize, ...values)
}
