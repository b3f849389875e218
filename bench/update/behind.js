// Prints the milliseconds of a step of 4096-4096-4096 at batch 64 with Adam: updates behind their gradients, and after the
// whole backward pass. The two take turns.
import { adam, dense, relu, sequential, softmaxCrossEntropy } from '../../dist/index.js'
import { native } from '../../dist/native.js'
import { median } from '../lib/median.js'

const [threads, rounds] = process.argv.slice(2).map(Number)
const [width, batch, batches] = [4096, 64, 8]
const model = sequential({ input: [width], seed: 1 }, [dense(width), relu(), dense(width)]).compile({
  loss: softmaxCrossEntropy(),
  optimizer: adam({ learningRate: 1e-4 }),
})
const program = new native.Program(model.descriptor)
const rows = batch * batches
const dataset = new native.Dataset(
  rows,
  [{ name: 'x', type: 'float32', shape: [width] }],
  { name: 'y', type: 'int32', shape: [] },
  null,
)
const x = Float32Array.from({ length: rows * width }, () => Math.random() * 2 - 1)
dataset.write('input', 0, 0, x)
const y = Int32Array.from({ length: rows }, (_, i) => (i * 997) % width)
dataset.write('target', 0, 0, y)

const learningRates = new Float64Array(batches).fill(1e-4)
const call = { dataset, shuffle: false, epoch: 0, firstRow: 0, batchSize: batch, batches, learningRates, threads }
const times = { true: [], false: [] }
for (let round = -1; round < rounds; round++) {
  for (const defers of [true, false]) {
    const begin = performance.now()
    await program.train({ ...call, defers })
    if (round >= 0) times[defers].push((performance.now() - begin) / batches)
  }
}
console.log(median(times.true), median(times.false))
