// Arguments: number of the net, threads, checkout. Answers each line, milliseconds to measure, with microseconds of a step
// of training, with statistics of tensors, and withoutStatistics; the two take turns.
import { createInterface } from 'node:readline'
import { loadFrom, stepsOf, timesOf } from '../lib/steps.js'
import nets from './nets.json' with { type: 'json' }

const [number, threads, checkout] = process.argv.slice(2)
const gradus = await loadFrom(checkout, 'index.js')
const { native } = await loadFrom(checkout, 'native.js')
const { batchNorm, conv2d, dense, flatten, gelu, globalAveragePool, maxPool2d, relu } = gradus

/** What words of nets.json stand for, called with those that follow. */
const layerOf = {
  conv: (filters, kernel, ...options) =>
    conv2d(Number(filters), Number(kernel), {
      padding: options.includes('valid') ? 'valid' : 'same',
      bias: !options.includes('plain'),
    }),
  norm: (plain) => batchNorm({ gain: plain !== 'plain' }),
  relu,
  gelu,
  pool: (size) => maxPool2d(Number(size)),
  average: () => globalAveragePool(),
  flatten: () => flatten(),
  dense: (units) => dense(Number(units)),
}

const { input, layers, batch = 128 } = nets[number]
const learningRate = 1e-4
const momentum = 0.9
const batches = 4
const made = layers.split(', ').map((text) => {
  const [name, ...words] = text.split(' ')
  return layerOf[name](...words)
})
const model = gradus.sequential({ input, seed: 1 }, made).compile({
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
