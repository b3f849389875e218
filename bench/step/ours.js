// Arguments: number of the net, work, milliseconds to measure, threads, checkout. Prints microseconds a step; of training
// with the statistics of each tensor, and withoutStatistics; the two take turns. The data lie in native memory; each step
// gathers a batch of its own.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { median } from '../lib/median.js'

const [number, work, milliseconds, threads, checkout] = process.argv.slice(2)
const load = (name) => import(pathToFileURL(resolve(checkout, 'dist', name)).href)
const { adam, dense, relu, sequential, sgd, softmaxCrossEntropy } = await load('index.js')
const { native } = await load('native.js')

const { widths, batch } = JSON.parse(readFileSync(new URL('nets.json', import.meta.url), 'utf8'))[number]
const inputs = widths[0]
const classes = widths.at(-1)
const learningRate = 1e-4
const batches = Math.max(4, Math.min(500, Math.round(2 ** 22 / (4 * batch * inputs))))

const hidden = widths.slice(1, -1).flatMap((width) => [dense(width, { init: 'he' }), relu()])
const model = sequential({ input: [inputs], seed: 1 }, [...hidden, dense(classes)]).compile({
  loss: softmaxCrossEntropy(),
  optimizer: work === 'nesterov' ? sgd({ learningRate, momentum: 0.9, nesterov: true }) : adam({ learningRate }),
})
const program = new native.Program(model.descriptor)
const rows = batch * batches
const dataset = new native.Dataset(
  rows,
  [{ name: model.inputs[0].name, type: 'float32', shape: [inputs] }],
  { name: 'y', type: 'int32', shape: [] },
  null,
)
const x = Float32Array.from({ length: rows * inputs }, () => Math.random() * 2 - 1)
const y = Int32Array.from({ length: rows }, () => Math.floor(Math.random() * classes))
dataset.write('input', 0, 0, x)
dataset.write('target', 0, 0, y)

const call = { dataset, batchSize: batch, threads: Number(threads) }
const training = {
  ...call,
  shuffle: false,
  epoch: 1,
  firstRow: 0,
  batches,
  learningRates: new Float64Array(batches).fill(learningRate),
  momenta: work === 'nesterov' ? new Float64Array(batches).fill(0.9) : undefined,
}
async function train(tensorStatistics) {
  const { updates } = await program.train({ ...training, tensorStatistics })
  if (updates !== batches) throw new Error(`${updates} of ${batches} steps were done`)
}

/** Name of the result → what goes over all batches. */
const passes = {
  evaluate: { microseconds: () => program.evaluate(call) },
  predict: { microseconds: () => program.predict(call) },
}[work] ?? { microseconds: () => train(true), withoutStatistics: () => train(false) }

for (const end = performance.now() + milliseconds / 4; performance.now() < end; ) await passes.microseconds()
const times = Object.fromEntries(Object.keys(passes).map((name) => [name, []]))
for (const end = performance.now() + Number(milliseconds); performance.now() < end || times.microseconds.length < 3; ) {
  for (const [name, pass] of Object.entries(passes)) {
    const begin = performance.now()
    await pass()
    times[name].push(((performance.now() - begin) * 1000) / batches)
  }
}
console.log(JSON.stringify(Object.fromEntries(Object.entries(times).map(([name, found]) => [name, median(found)]))))
