import { Dataset } from '../../data/dataset.js'
import type { Data } from '../../data/stream.js'
import { GradusError, invalidArgument } from '../../errors.js'
import { Model } from '../../model/model.js'
import { adaptFirst } from '../../train/adapt.js'
import { requirementsOf, residentSource } from '../../train/source.js'
import { examplesOf } from '../subset.js'
import { type FindLearningRateOptions, resolveFindOptions } from './options.js'
import { LearningRateReport, readSweep } from './report.js'
import { sweep } from './sweep.js'

/**
 * A learning-rate range test (Smith 2017, "Cyclical learning rates for training neural networks"): trains a copy of the model
 * with a rate that rises exponentially, and names a tenth of the rate at which the loss is least. Off the main thread;
 * nothing of the model changes. The same seed gives the same result.
 *
 * @param data - examples in memory
 * @throws `GRADUS_NOT_COMPILED`, `GRADUS_BUSY`, `GRADUS_INVALID_ARGUMENT` for streams and bad options, and those of the data
 * @example
 * const found = await findLearningRate(model, { x, y })
 * console.log(String(found)) // the loss against the rate, and why this one
 * model.compile({ loss, optimizer: sgd({ learningRate: found.learningRate ?? 0.01 }) })
 */
export async function findLearningRate(
  model: Model,
  data: Data,
  options: FindLearningRateOptions = {},
): Promise<LearningRateReport> {
  if (!(model instanceof Model)) throw invalidArgument('model', 'a model', model)
  const settings = resolveFindOptions(options)
  settings.signal?.throwIfAborted()
  const copy = model.copy()
  const examples = data instanceof Dataset ? data : new Dataset(examplesOf(data))
  try {
    const dataset = await examples.resident(requirementsOf(copy))
    await adaptFirst(copy, residentSource(dataset), { signal: settings.signal })
    if (dataset.size === 0) {
      throw new GradusError('GRADUS_INVALID_ARGUMENT', 'data: expected at least one example, received none')
    }
    return new LearningRateReport(readSweep(await sweep(copy, dataset, settings), settings))
  } finally {
    if (examples !== data) examples.dispose()
    copy.dispose()
  }
}
