// Argument: backend (cpu or wasm). Prints seconds of one step of training of the first net of bench/convnet, and the version;
// or what tfjs says instead.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import nets from '../convnet/nets.json' with { type: 'json' }

const [backend] = process.argv.slice(2)
setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`)
if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend ${backend}`)

const { input, layers, batch = 128 } = nets[0]
const layerOf = {
  conv: (filters, kernelSize) => tf.layers.conv2d({ filters, kernelSize, padding: 'same' }),
  relu: () => tf.layers.reLU(),
  pool: (poolSize) => tf.layers.maxPooling2d({ poolSize }),
  flatten: () => tf.layers.flatten(),
  dense: (units) => tf.layers.dense({ units }),
}
const model = tf.sequential()
model.add(tf.layers.inputLayer({ inputShape: input }))
for (const text of layers.split(', ')) {
  const [name, ...numbers] = text.split(' ')
  model.add(layerOf[name](...numbers.map(Number)))
}
model.add(tf.layers.softmax())
model.compile({ optimizer: tf.train.momentum(1e-4, 0.9, true), loss: 'categoricalCrossentropy' })
const x = tf.randomUniform([batch, ...input], -1, 1)
const y = tf.oneHot(tf.randomUniform([batch], 0, 10, 'int32'), 10).toFloat()
const version = `tfjs ${tf.version.tfjs}`
try {
  const begin = performance.now()
  await model.trainOnBatch(x, y)
  model.getWeights()[0].dataSync() // waits for the step
  console.log(JSON.stringify({ seconds: (performance.now() - begin) / 1000, version }))
} catch (error) {
  console.log(JSON.stringify({ refused: error.message, version }))
}
