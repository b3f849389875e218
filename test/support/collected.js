// Run with --expose-gc: every object of a call is garbage while the call runs. Prints what came of it.
import { dense, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import { native } from '../../dist/native.js'
import { numbers } from './reference.js'

const rows = 500
const collected = []
const registry = new FinalizationRegistry((name) => collected.push(name))

function started(name, begin) {
  const model = sequential({ input: [6], seed: 5 }, [dense(300), dense(300), dense(4)])
  const { descriptor } = model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 0.01 }) })
  const program = new native.Program(descriptor)
  const dataset = new native.Dataset(
    rows,
    [{ name: 'x', type: 'float32', shape: [6] }],
    { name: 'y', type: 'int32', shape: [] },
    null,
  )
  dataset.write('input', 0, 0, Float32Array.from(numbers(rows * 6, 9)))
  const view = dataset.subset(Uint32Array.from({ length: rows }, (_, i) => rows - 1 - i))
  registry.register(program, `${name}: program`)
  registry.register(dataset, `${name}: dataset`)
  registry.register(view, `${name}: view`)
  return [begin(program, view), new WeakRef(program)]
}

const train = (program, dataset) => {
  const learningRates = new Float64Array(rows).fill(0.01)
  const call = {
    dataset,
    shuffle: false,
    epoch: 0,
    firstRow: 0,
    batchSize: 1,
    batches: rows,
    learningRates,
    threads: 2,
  }
  return program.train(call)
}
const predict = (program, dataset) => program.predict({ dataset, batchSize: 3, threads: 2 })

/** Collects while the call runs. The program is held by its call alone, and must be until the promise has settled. */
async function result([promise, program]) {
  let value
  promise.then((settled) => {
    value = settled
  })
  while (!value) {
    await new Promise(setImmediate)
    globalThis.gc()
    if (!value && !program.deref()) throw new Error('the program was collected during its call')
  }
  return value
}

const summary = {
  loss: Array.from((await result(started('train', train))).loss).at(-1),
  output: Array.from(await result(started('predict', predict))).slice(-3),
}
for (let i = 0; i < 100 && collected.length < 6; i++) {
  globalThis.gc()
  await new Promise(setImmediate)
}
console.log(JSON.stringify({ ...summary, collected: collected.sort() }))
