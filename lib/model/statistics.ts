/** Batch norm's statistics of a model, made anew. */
import type { Data } from '../data/stream.js'
import { invalidArgument } from '../errors.js'
import type { EvaluateOptions } from '../train/evaluate.js'
import * as train from '../train/statistics.js'
import { Model } from './model.js'

/**
 * Makes mean and variance of a model's {@link batchNorm} layers anew, for weights that no training has led to, such as a mean of
 * weights: of each the mean over the batches of these data, as PyTorch's `update_bn` has it. Dropout is off, as it is when the
 * model is used. Frozen layers, and a model without batch norm, stay as they are; a batch of a single row is left out.
 *
 * @param data - inputs are enough, as `{ x }`: what the model was trained on
 * @param options - `batchSize`: of the batches that the means are over; default 256
 * @throws those of the data; GRADUS_INVALID_ARGUMENT where no batch has two rows, GRADUS_NON_FINITE, GRADUS_BUSY during `fit`;
 * after an error nothing has changed
 * @example await recomputeStatistics(model, { x }, { batchSize: 64 })
 */
export async function recomputeStatistics(model: Model, data: Data, options?: EvaluateOptions): Promise<void> {
  if (!(model instanceof Model)) throw invalidArgument('model', 'a model', model)
  await train.recomputeStatistics(model, data, options)
}
