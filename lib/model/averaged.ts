/** What an average of weights becomes: a model of its own, with statistics of its own. */
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { EvaluateOptions } from '../train/evaluate.js'
import * as train from '../train/statistics.js'
import type { Compiled } from './compile.js'
import { checkStill } from './idle.js'
import type { Model } from './model.js'
import { checkAverage } from './weights.js'

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
  await train.recomputeStatistics(model, data, options)
}

/** A model, whatever its metrics are. */
type Averaged = Pick<Model, 'program' | 'conventions' | 'getWeights'>

/** What `model.averaged` gives; `make` makes a model of the same network. */
export async function averageOf<Of extends Averaged>(
  model: Of,
  compiled: Compiled,
  make: () => Model,
  data: Data | undefined,
  options: EvaluateOptions,
): Promise<Of> {
  const program = checkStill(model.program)
  checkAverage('averaged', program)
  const [statistic] = train.statisticsOf(program)
  if (statistic !== undefined && data === undefined) {
    const { name } = program.parameters[statistic]!
    const message = `data: expected the data that the model was trained on, over which ${name} is made anew, received undefined`
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message, { argument: 'data' })
  }
  const made = make()
  try {
    made.compile(compiled)
    made.setWeights(model.getWeights({ average: true }))
    Object.assign(made.conventions, model.conventions)
    if (data !== undefined) await train.recomputeStatistics(made, data, options)
    return made as unknown as Of
  } catch (error) {
    made.dispose()
    throw error
  }
}
