// Arguments: number of the net, optimizer, milliseconds to measure, backend (wasm or cpu). Prints microseconds a step and the version.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { median } from '../lib/median.js'
import nets from './nets.json' with { type: 'json' }

const [number, optimizer, milliseconds, backend] = process.argv.slice(2)
if (backend === 'wasm') {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`)
  setThreadsCount(2)
}
if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend ${backend}`)

const { widths, batch } = nets[number]
const weights = widths
  .slice(1)
  .flatMap((width, i) => [
    tf.variable(tf.randomNormal([widths[i], width], 0, Math.sqrt(2 / widths[i]))),
    tf.variable(tf.zeros([width])),
  ])
const update = optimizer === 'adam' ? tf.train.adam(1e-4) : tf.train.momentum(1e-4, 0.9, true)
const x = tf.randomUniform([batch, widths[0]], -1, 1)
const y = tf.oneHot(tf.randomUniform([batch], 0, widths.at(-1), 'int32'), widths.at(-1)).toFloat()

function loss() {
  let value = x
  for (let i = 0; i < weights.length; i += 2) {
    value = value.matMul(weights[i]).add(weights[i + 1])
    if (i + 2 < weights.length) value = value.relu()
  }
  return tf.losses.softmaxCrossEntropy(y, value)
}

function time() {
  const begin = performance.now()
  update.minimize(loss)
  weights[0].dataSync() // waits for the step
  return (performance.now() - begin) * 1000
}

time()
const times = []
for (const end = performance.now() + Number(milliseconds); performance.now() < end || times.length < 2; )
  times.push(time())
console.log(JSON.stringify({ microseconds: median(times), version: `tfjs ${tf.version.tfjs}` }))
