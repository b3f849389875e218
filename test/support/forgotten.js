// Run with --expose-gc: a fit whose model and dataset nobody holds but the run itself. Prints its losses, those of the
// same fit with everything held, and what was collected in the end.
import { adam, customLayer, dataset, dense, relu, sequential, softmaxCrossEntropy } from 'gradus'
import { numbers } from './reference.js'

const rows = 200
const collected = []
const registry = new FinalizationRegistry((name) => collected.push(name))

function begun() {
  const model = sequential({ input: [6], seed: 3 }, [dense(32), relu(), dense(4)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
  const examples = dataset({ x: numbers(rows * 6, 9), y: Int32Array.from({ length: rows }, (_, i) => i % 4) })
  const run = model.fit(examples, { epochs: 4, batchSize: 8, stepsPerCall: 5, threads: 2, quiet: true })
  return { model, examples, run }
}

/** A model whose own functions hold it: any closure of the place where it is made may. */
async function predictedByItself() {
  let model
  const layer = customLayer({ name: 'custom', forward: (x) => (model ? x : x.slice()), backward: (dy) => ({ dx: dy }) })
  model = sequential({ input: [6], seed: 3 }, [dense(32), layer])
  registry.register(model, 'model with functions')
  return (await model.predict(Float32Array.from(numbers(6, 9)))).data.length
}

/** Collects in every turn of the event loop, so between any two native calls. */
async function forgotten() {
  const { model, examples, run } = begun()
  registry.register(model, 'model')
  registry.register(examples, 'dataset')
  let history
  run.done.then((value) => {
    history = value
  })
  return async () => {
    while (!history) {
      await new Promise(setImmediate)
      globalThis.gc()
    }
    return history.loss
  }
}

const predicted = await predictedByItself()
const ending = await forgotten()
const loss = await ending()
for (let i = 0; i < 100 && collected.length < 3; i++) {
  globalThis.gc()
  await new Promise(setImmediate)
}
const { model, examples, run } = begun()
const { loss: held } = await run.done
model.dispose()
examples.dispose()
console.log(JSON.stringify({ predicted, forgotten: loss, held, collected: collected.sort() }))
