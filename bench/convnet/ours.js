// Arguments: number of the net, threads, checkout. Answers each line, milliseconds to measure, with microseconds of a step
// of training, with statistics of tensors, and withoutStatistics; the two take turns.
import { createInterface } from 'node:readline'
import { loadFrom, stepsOf, timesOf } from '../lib/steps.js'
import { layersOf } from './layers.js'
import nets from './nets.json' with { type: 'json' }

const [number, threads, checkout] = process.argv.slice(2)
const gradus = await loadFrom(checkout, 'index.js')
const { native } = await loadFrom(checkout, 'native.js')
const { input, layers, batch = 128 } = nets[number]
const learningRate = 1e-4
const momentum = 0.9
const batches = 4
const model = gradus.sequential({ input, seed: 1 }, layersOf(gradus, layers)).compile({
  loss: gradus.softmaxCrossEntropy(),
  optimizer: gradus.sgd({ learningRate, momentum, nesterov: true }),
})
const data = { inputs: input, classes: 10, batch, batches, threads: Number(threads) }
const { train } = stepsOf({ native, model, ...data, learningRate, momentum })

await train(true)
console.log('ready')
for await (const milliseconds of createInterface({ input: process.stdin })) {
  const passes = { microseconds: () => train(true), withoutStatistics: () => train(false) }
  console.log(JSON.stringify(await timesOf(passes, batches, Number(milliseconds))))
}
