import { checkPositiveInteger } from '../checks.js'
import { Dataset, type Examples } from '../data/dataset.js'
import type { FloatArray } from '../native.js'
import type { EvaluateOptions } from './evaluate.js'
import { checkPassOptions, resolveThreads } from './options.js'
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
  const { batchSize = 256, signal } = options
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
