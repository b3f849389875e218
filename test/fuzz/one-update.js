import { native } from '../../dist/native.js'

const rows = 6

/** A dataset of zeros that fits. */
export const datasetFor = ({ inputs, target }) => new native.Dataset(rows, inputs, target, null)

export const trainCall = (dataset, batches) => ({
  ...{ dataset, shuffle: true, epoch: 0, firstRow: 0, batchSize: 2, batches, threads: 2 },
  learningRates: new Float64Array(batches).fill(0.1),
})

/** The loss of the first update. */
export async function oneUpdate(program, base) {
  const { loss } = await program.train(trainCall(datasetFor(base), 1))
  program.dispose()
  return loss[0]
}
