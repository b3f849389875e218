/** A few steps of training on a copy. */
import type { ModelCopy } from '../../model/copy.js'
import type { NativeDataset, TrainResult } from '../../native.js'
import { updateRatio } from '../../train/totals.js'
import type { Context } from './context.js'

export interface Course {
  dataset: NativeDataset
  batchSize: number
  steps: number
  rate: number
  /** Epochs done before. */
  epoch?: number | undefined
}

/** Steps over the dataset, epoch after epoch; ends early when the loss is not finite. */
export async function train(
  context: Context,
  copy: ModelCopy,
  { dataset, batchSize, steps, rate, epoch = 0 }: Course,
): Promise<TrainResult[]> {
  const results: TrainResult[] = []
  const perEpoch = Math.ceil(dataset.size / batchSize)
  for (let done = 0; done < steps; epoch++) {
    const batches = Math.min(perEpoch, steps - done)
    const learningRates = new Float64Array(batches).fill(rate)
    const result = await context.call(copy, () =>
      copy.program.train({
        ...{ dataset, batchSize, batches, learningRates, epoch },
        shuffle: true,
        firstRow: 0,
        tensorStatistics: true,
        threads: context.settings.threads,
      }),
    )
    results.push(result)
    if (result.gaveUp || result.updates === 0) break
    done += batches
  }
  return results
}

/** ‖Δw‖ / ‖w‖ of all trained weights, one number an update. */
export const updateRatios = (results: readonly TrainResult[]): number[] =>
  results.flatMap((result) => Array.from({ length: result.updates }, (_, update) => updateRatio(result, update)))
