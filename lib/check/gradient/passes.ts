/** The passes of a gradient check, the same of whichever copy of the model makes them. */
import { GradusError } from '../../errors.js'
import type { ModelCopy } from '../../model/copy.js'
import type { NativeDataset, PassCall } from '../../native.js'
import { callInTurn } from '../../train/turn.js'
import type { CheckSettings } from './options.js'

/** Batch statistics are those of training in any case: that is the gradient that trains. */
export const passOf = (dataset: NativeDataset, { randomness, threads }: CheckSettings): PassCall => ({
  dataset,
  training: true,
  randomness: randomness === 'fixed',
  threads,
})

/** Steps on the data as one batch each, as the model's optimizer makes them. */
export async function burnIn(
  { program, optimizer }: ModelCopy,
  dataset: NativeDataset,
  settings: CheckSettings,
): Promise<void> {
  const { signal, threads } = settings
  const learningRates = Float64Array.of(optimizer.learningRate)
  const one = { dataset, shuffle: false, firstRow: 0, batchSize: dataset.size, batches: 1, learningRates, threads }
  for (let epoch = 0; epoch < settings.burnIn; epoch++) {
    const done = await callInTurn(program, signal, () => program.train({ ...one, epoch }))
    signal?.throwIfAborted()
    if (!done!.refused[0]) continue
    throw new GradusError('GRADUS_NON_FINITE', `burnIn: the gradient is not finite in step ${epoch + 1}`)
  }
}
