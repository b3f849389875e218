// What workers.js runs in a worker thread until it is terminated: programs made, used, disposed and dropped, calls not awaited.
import { parentPort, workerData } from 'node:worker_threads'
import { native } from '../../dist/native.js'
import { Choices } from './choices.js'
import { bases, hostFor } from './models.js'
import { datasetFor, trainCall } from './one-update.js'

const choices = new Choices('thread', workerData.seed)
const base = bases[workerData.base]

async function some() {
  const program = new native.Program(base.descriptor, hostFor(base.descriptor))
  const dataset = datasetFor(base)
  const call = choices.of([
    () => program.train(trainCall(dataset, 3)),
    () => program.evaluate({ dataset, batchSize: 4, threads: 1 }),
    () => program.predict({ dataset, batchSize: 1, threads: 2 }),
    () => program.gradient({ dataset, training: true, randomness: true, threads: 2, term: 'total' }),
  ])
  const promise = call().catch(() => {})
  choices.of([() => program.dispose(), () => dataset.dispose(), () => program.stop(), () => {}])()
  if (choices.chance(0.7)) await promise
}

parentPort.postMessage('begun')
for (;;) {
  await some()
  if (choices.chance(0.3)) await new Promise(setImmediate)
}
