// Models with parts of one's own as files: the file names them, loading is given them, and the model goes on to the same bits.
import {
  adam,
  customLayer,
  customLoss,
  customOptimizer,
  customRegularizer,
  dense,
  embedding,
  loadModel,
  meanSquaredError,
  sequential,
  sgd,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { failure, numbers } from './support/reference.js'

const test = suite('custom parts in files')
const [rows, width] = [12, 3]
const data = { x: Int32Array.from({ length: rows * 4 }, (_, i) => (i * 7) % 9), y: numbers(rows * width, 4) }

/** The mean over the words of a text. */
const meanPool = customLayer({
  name: 'meanPool',
  outputShape: ([, size]) => [size],
  parameters: ([, size]) => ({ gain: { shape: [size], init: 'ones', regularizer: nameless } }),
  forward(x, { gain }, { batch, cache }) {
    cache.means = x.constructor.from({ length: batch * width }, (_, i) => {
      const first = Math.floor(i / width) * 4 * width + (i % width)
      return (x[first] + x[first + width] + x[first + 2 * width] + x[first + 3 * width]) / 4
    })
    return cache.means.map((mean, i) => mean * gain[i % width])
  },
  backward(dy, { gain }, { batch, cache }) {
    const dGain = gain.map(() => 0)
    dy.forEach((slope, i) => {
      dGain[i % width] += slope * cache.means[i]
    })
    const dx = dy.constructor.from({ length: batch * 4 * width }, (_, i) => {
      const at = Math.floor(i / (4 * width)) * width + (i % width)
      return (dy[at] * gain[at % width]) / 4
    })
    return { dx, gradients: { gain: dGain } }
  },
})
const functions = {
  loss: (w) => w.reduce((sum, v) => sum + 0.05 * v ** 4, 0),
  gradient: (w) => w.map((v) => 0.2 * v ** 3),
}
const nameless = customRegularizer(functions)
const quartic = customRegularizer({ name: 'quartic', ...functions })
const absolute = customLoss({
  name: 'absolute',
  forward: (output, targets, { batch }) =>
    output.constructor.from({ length: batch }, (_, row) => {
      let sum = 0
      for (let i = row * width; i < (row + 1) * width; i++) sum += Math.abs(output[i] - targets[i])
      return sum
    }),
  backward: (output, targets) => output.map((y, i) => Math.sign(y - targets[i])),
})
const heavyBall = customOptimizer({
  name: 'heavyBall',
  learningRate: 0.05,
  slots: ['velocity'],
  update(gradient, { slots: { velocity }, learningRate }) {
    gradient.forEach((g, i) => {
      velocity[i] = 0.9 * velocity[i] - learningRate * g
    })
    return velocity
  },
})
const parts = {
  layers: { meanPool },
  regularizers: { quartic },
  losses: { absolute },
  optimizers: { heavyBall },
}
const make = () =>
  sequential({ input: [4], seed: 3 }, [embedding(9, width), meanPool, dense(width, { regularizer: quartic })])
const training = { loss: absolute, optimizer: heavyBall }
const fitting = (epochs, initialEpoch = 0) => ({ epochs, initialEpoch, batchSize: 5, quiet: true })

test('a model with custom parts comes back and trains on to the same bits', async () => {
  const whole = make().compile(training)
  await whole.fit(data, fitting(4)).done
  const half = make().compile(training)
  await half.fit(data, fitting(2)).done
  const loaded = await loadModel(await half.toBuffer({ optimizer: true }), parts)
  assert.equal([...(await loaded.predict(data.x))], [...(await half.predict(data.x))])
  await loaded.fit(data, fitting(4, 2)).done
  assert.equal(loaded.getWeights(), whole.getWeights())
  const again = await loadModel(await loaded.toBuffer(), parts)
  assert.equal(again.getWeights(), whole.getWeights())
})

test('a function that makes a part will do', async () => {
  const bytes = await make().toBuffer()
  const loaded = await loadModel(bytes, {
    layers: { meanPool: () => meanPool },
    regularizers: { quartic: () => quartic },
  })
  assert.equal(Object.keys(loaded.getWeights()), Object.keys(make().getWeights()))
})

test('what is not given is named, with the line to write', async () => {
  const bytes = await make().compile(training).toBuffer()
  const missing = {
    layers: ['customLayer "meanPool"', '{ layers: { meanPool } }'],
    regularizers: ['customRegularizer "quartic"', '{ regularizers: { quartic } }'],
    losses: ['customLoss "absolute"', '{ losses: { absolute } }'],
    optimizers: ['customOptimizer "heavyBall"', '{ optimizers: { heavyBall } }'],
  }
  for (const [kind, [what, line]] of Object.entries(missing)) {
    const error = await failure(() => loadModel(bytes, { ...parts, [kind]: {} }))
    assert.is(error.code, 'GRADUS_MISSING_FUNCTIONS')
    const sentence = `the buffer: it has the ${what}, and no file can hold functions: give it, loadModel(file, ${line})`
    assert.is(error.message, sentence)
  }
})

test('what is given wrongly is named', async () => {
  const bytes = await make().compile(training).toBuffer()
  const wrong = [
    [{ layers: { meanPool: 3 } }, /^layers.meanPool: expected what customLayer\(\) makes, received 3/],
    [{ layers: { meanPool: dense(3) } }, /^layers.meanPool: expected what customLayer\(\) makes with this name/],
    [{ layers: { pool: meanPool } }, /^layers.pool: .* with this name, received "meanPool"/],
    [{ layers: [meanPool] }, /^layers.0: /],
    [{ layers: meanPool }, /^layers: expected a record of layers, received function/],
    [{ losses: { absolute: meanSquaredError() } }, /^losses.absolute: /],
    [{ optimizers: { heavyBall: adam() } }, /^optimizers.heavyBall: /],
    [{ layer: { meanPool } }, /^loadModel: there is no option "layer"; did you mean layers\?/],
    [{ compile: 1 }, /^compile: /],
  ]
  for (const [options, message] of wrong) {
    const error = await failure(() => loadModel(bytes, { ...parts, ...options }))
    assert.is(error.code, 'GRADUS_INVALID_ARGUMENT', error.stack)
    assert.match(error.message, message)
  }
})

test('without compile the parts of training need not be given', async () => {
  const model = make().compile(training)
  await model.fit(data, fitting(1)).done
  const { layers, regularizers } = parts
  for (const optimizer of [false, true]) {
    const loaded = await loadModel(await model.toBuffer({ optimizer }), { layers, regularizers, compile: false })
    assert.equal(loaded.getWeights(), model.getWeights())
    assert.is((await failure(() => loaded.fit(data))).code, 'GRADUS_NOT_COMPILED')
    assert.ok(loaded.compile({ loss: meanSquaredError(), optimizer: sgd() }))
  }
})

test('a custom regularizer without a name cannot be saved', async () => {
  const model = sequential({ input: [2] }, [dense(2, { regularizer: nameless })])
  const error = await failure(() => model.toBuffer())
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(error.message, /customRegularizer\(\{ name, loss, gradient \}\)/)
})

test.run()
