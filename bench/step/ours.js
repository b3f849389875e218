// Arguments: number of the net, optimizer, milliseconds to measure. Prints microseconds a step, with the statistics of
// each tensor and without; the two take turns. The data lie in native memory; each step gathers a batch of its own.
import { adam, dense, relu, sequential, sgd, softmaxCrossEntropy } from '../../dist/index.js'
import { native } from '../../dist/native.js'
import { median } from '../lib/median.js'
import nets from './nets.json' with { type: 'json' }

const [number, optimizer, milliseconds] = process.argv.slice(2)
const { widths, batch } = nets[number]
const inputs = widths[0]
const classes = widths.at(-1)
const learningRate = 1e-4
const batches = Math.max(4, Math.min(500, Math.round(2 ** 22 / (4 * batch * inputs))))

const hidden = widths.slice(1, -1).flatMap((width) => [dense(width, { init: 'he' }), relu()])
const model = sequential({ input: [inputs], seed: 1 }, [...hidden, dense(classes)]).compile({
  loss: softmaxCrossEntropy(),
  optimizer: optimizer === 'adam' ? adam({ learningRate }) : sgd({ learningRate, momentum: 0.9, nesterov: true }),
})
const program = new native.Program(model.descriptor)
const rows = batch * batches
const dataset = new native.Dataset(
  rows,
  [{ name: model.inputs[0].name, type: 'float32', shape: [inputs] }],
  { name: 'y', type: 'int32', shape: [] },
  null,
)
dataset.write(
  'input',
  0,
  0,
  Float32Array.from({ length: rows * inputs }, () => Math.random() * 2 - 1),
)
dataset.write(
  'target',
  0,
  0,
  Int32Array.from({ length: rows }, () => Math.floor(Math.random() * classes)),
)

const call = {
  dataset,
  shuffle: false,
  epoch: 1,
  firstRow: 0,
  batchSize: batch,
  batches,
  learningRates: new Float64Array(batches).fill(learningRate),
  momenta: optimizer === 'adam' ? undefined : new Float64Array(batches).fill(0.9),
  threads: 2,
}
async function time(tensorStatistics) {
  const begin = performance.now()
  const { updates } = await program.train({ ...call, tensorStatistics })
  if (updates !== batches) throw new Error(`${updates} of ${batches} steps were done`)
  return ((performance.now() - begin) * 1000) / batches
}

const on = []
const off = []
for (const end = performance.now() + milliseconds / 4; performance.now() < end; ) await time(true)
for (const end = performance.now() + Number(milliseconds); performance.now() < end || on.length < 3; ) {
  on.push(await time(true))
  off.push(await time(false))
}
console.log(median(on), median(off))
