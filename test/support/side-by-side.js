// A small training run that gives the same weights wherever it runs: alone, or in one of several worker threads.
import { createHash } from 'node:crypto'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { adam, dense, dropout, relu, sequential, softmaxCrossEntropy } from 'gradus'
import { numbers } from './reference.js'

/** SHA-256 of the weights, then the losses of the epochs and of the evaluation. `device`: as `compile` takes it. */
export async function trainedBits(seed, { rows = 150, epochs = 20, device } = {}) {
  const x = numbers(rows * 20, seed)
  const y = Int32Array.from({ length: rows }, (_, i) => i % 5)
  const layers = [dense(64), relu(), dropout(0.3), dense(64), relu(), dense(5)]
  const model = sequential({ input: [20], seed }, layers)
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'], device })
  const { loss } = await model.fit({ x, y }, { epochs, batchSize: 16, threads: 2, quiet: true }).done
  const hash = createHash('sha256')
  for (const { data } of Object.values(model.getWeights())) hash.update(data)
  return [hash.digest('hex'), ...loss, (await model.evaluate({ x, y })).loss]
}

if (!isMainThread && workerData?.seed) parentPort.postMessage(await trainedBits(workerData.seed, workerData.options))
