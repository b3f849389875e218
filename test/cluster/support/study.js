// The study of the tests on clusters: trials train with a checkpoint after each epoch; from the number in GRADUS_TEST_WAITS on they
// wait before their third one for the file of that name.
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { adam, dense, sequential, softmaxCrossEntropy, tanh } from '../../../dist/index.js'
import { defineStudy, grid, integer } from '../../../dist/search/index.js'

const { GRADUS_TEST_GO: go, GRADUS_TEST_WAITS: from = '0', GRADUS_TEST_TRIALS: trials = '20' } = process.env
const rows = 64
const x = Float32Array.from({ length: rows * 4 }, (_, i) => Math.sin(1.7 * i))
const y = Int32Array.from({ length: rows }, (_, i) => (x[4 * i] + x[4 * i + 1] > 0 ? 1 : 0))
const build = ({ a, b }) =>
  sequential({ input: [4], seed: a }, [dense(4 + b), tanh(), dense(2)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.01 }),
  })

export default defineStudy({
  metric: 'loss',
  direction: 'minimize',
  epochs: 6,
  trials: Number(trials),
  sampler: grid(),
  space: { a: integer(1, 5), b: integer(1, 4) },
  trial: ({ params, fit, number, signal }) => {
    const onEpochBegin = async ({ epoch }) => {
      const isWaiting = go !== undefined && number >= Number(from) && epoch === 3
      while (isWaiting && !signal.aborted && !existsSync(go)) await setTimeout(50)
    }
    return fit(build(params), { x, y }, { batchSize: 16, callbacks: [{ onEpochBegin }] })
  },
})
