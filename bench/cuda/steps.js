// A step of training, with statistics of each tensor, without, and with histograms every 50 steps, on the device that
// GRADUS_DEVICE says. A line each: a name, a tab, seconds a step, the median of rounds that take turns; of PyTorch's steps
// rivals.py tells by the same names. With GRADUS_CUDA_GRAPHS=0 the names say so. `small`: less of all, for the emulator.
import { chosenDevice, placeOf } from '../../dist/devices.js'
import { adam, dense, relu, sequential, softmaxCrossEntropy } from '../../dist/index.js'
import { native } from '../../dist/native.js'
import { stepsOf, timesOf } from '../lib/steps.js'

const isSmall = process.argv[2] === 'small'
const ending = process.env.GRADUS_CUDA_GRAPHS === '0' ? ', no graph' : ''
const nets = [
  { widths: [784, 512, 512, 10], batch: 128, batches: 200 },
  { widths: [32, 64, 64, 8], batch: 32, batches: 1000 },
]
for (const { widths, batch, batches } of nets) {
  const [inputs, ...outputs] = isSmall ? widths.map((width) => Math.min(width, 12)) : widths
  const [rows, count] = isSmall ? [4, 3] : [batch, batches]
  const hidden = outputs.slice(0, -1).flatMap((width) => [dense(width, { init: 'he' }), relu()])
  const model = sequential({ input: [inputs], seed: 1 }, [...hidden, dense(outputs.at(-1))])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), device: 'cpu' })
  const data = { inputs: [inputs], classes: outputs.at(-1), batch: rows, batches: count, threads: 1 }
  const place = placeOf(chosenDevice(undefined))
  const { train } = stepsOf({ native, model, ...data, learningRate: 1e-3, place })
  const passes = {
    '': () => train(true),
    ', without statistics': () => train(false),
    ', histograms': () => train(true, { inspectEvery: isSmall ? 3 : 50, inspectHistograms: true }),
  }
  for (const pass of Object.values(passes)) await pass()
  for (const [name, microseconds] of Object.entries(await timesOf(passes, count, isSmall ? 0 : 2000)))
    console.log(`step ${widths.join('-')}${name}${ending}\t${(microseconds / 1e6).toFixed(9)}`)
}
