// Layers, losses and regularizers written in JavaScript: they train as the native ones do, their errors arrive, and
// nothing is left hanging when the environment goes away.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { customLayer, customLoss, customRegularizer, dense, l2, meanSquaredError, sequential, sgd, tanh } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ended } from './support/ended.js'
import { numbers } from './support/reference.js'

const test = suite('custom layers')
const [inputs, outputs, rows] = [5, 3, 11]
const data = { x: numbers(rows * inputs, 3), y: numbers(rows * outputs, 4) }

const linear = (changes = {}) =>
  customLayer({
    name: 'dense1',
    outputShape: () => [4],
    parameters: ([n]) => ({
      weight: { shape: [n, 4], init: 'he', regularizer: squares },
      bias: { shape: [4], init: 'zeros' },
    }),
    forward(x, { weight, bias }, { batch, cache }) {
      cache.x = x
      return x.constructor.from({ length: batch * 4 }, (_, at) => {
        let sum = bias[at % 4]
        for (let i = 0; i < inputs; i++) sum += x[Math.floor(at / 4) * inputs + i] * weight[i * 4 + (at % 4)]
        return sum
      })
    },
    backward(dy, { weight }, { batch, cache }) {
      const [dx, dWeight, dBias] = [cache.x.map(() => 0), weight.map(() => 0), dy.slice(0, 4).map(() => 0)]
      for (let at = 0; at < batch * 4; at++) {
        dBias[at % 4] += dy[at]
        for (let i = 0; i < inputs; i++) {
          const from = Math.floor(at / 4) * inputs + i
          dx[from] += dy[at] * weight[i * 4 + (at % 4)]
          dWeight[i * 4 + (at % 4)] += dy[at] * cache.x[from]
        }
      }
      return { dx, gradients: { weight: dWeight, bias: dBias } }
    },
    ...changes,
  })
const squares = customRegularizer({
  loss: (w) => w.reduce((sum, v) => sum + 0.05 * v * v, 0),
  gradient: (w) => w.map((v) => 0.1 * v),
})
const squaredError = customLoss({
  name: 'squaredError',
  forward: (output, targets, { batch }) =>
    output.constructor.from({ length: batch }, (_, row) => {
      let sum = 0
      for (let j = 0; j < outputs; j++) sum += (output[row * outputs + j] - targets[row * outputs + j]) ** 2
      return sum / outputs
    }),
  backward: (output, targets) => output.map((v, i) => (2 * (v - targets[i])) / outputs),
})

const model = (layer, loss, dtype = 'float64') =>
  sequential({ input: [inputs], seed: 7, dtype }, [layer, tanh(), dense(outputs)]).compile({
    loss,
    optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
  })
const options = { epochs: 6, batchSize: 4, accumulate: 2, clipNorm: 1, quiet: true }

const failing = (promise, code, message) =>
  promise.then(assert.unreachable, (error) => {
    assert.is(error.code, code, error.stack)
    assert.match(error.message, message)
  })

test('train, evaluate and predict as native ones', async () => {
  const native = model(dense(4, { regularizer: l2(0.1) }), meanSquaredError())
  const custom = model(linear(), squaredError)
  assert.equal(custom.getWeights(), native.getWeights(), 'the same start')
  const weighted = { ...data, sampleWeights: Float64Array.from({ length: rows }, (_, i) => (i % 3) + 0.5) }
  const histories = await Promise.all([native, custom].map((one) => one.fit(weighted, options).done))
  for (const column of ['loss', 'regularizationLoss', 'gradientNorm']) {
    histories[0][column].forEach((value, i) => {
      assert.ok(Math.abs(value - histories[1][column][i]) < 1e-12 * Math.abs(value), `${column} ${value}`)
    })
  }
  const [a, b] = [native.getWeights(), custom.getWeights()]
  for (const name of Object.keys(a)) {
    a[name].data.forEach((w, i) => {
      assert.ok(Math.abs(w - b[name].data[i]) < 1e-12, name)
    })
  }
  const results = await Promise.all([native, custom].map((one) => one.evaluate(data)))
  assert.ok(Math.abs(results[0].loss - results[1].loss) < 1e-12)
  assert.ok(Math.abs(results[0].regularizationLoss - results[1].regularizationLoss) < 1e-12)
  const predictions = await Promise.all([native, custom].map((one) => one.predict(data.x)))
  assert.ok(predictions[0].data.every((value, i) => Math.abs(value - predictions[1].data[i]) < 1e-12))
  const narrow = model(linear(), squaredError, 'float32')
  await narrow.fit(data, options).done
  assert.ok((await narrow.predict(data.x)).data instanceof Float32Array)
})

test('what the functions are told', async () => {
  const told = []
  const spy = customLayer({
    name: 'spy',
    forward(x, _, { batch, training, seed, cache }) {
      assert.equal(cache, {})
      cache.mark = seed
      told.push(['forward', batch, training, seed, x.length])
      return x
    },
    backward(dy, _, { cache, seed }) {
      assert.is(cache.mark, seed)
      return { dx: dy }
    },
  })
  const watched = sequential({ input: [inputs], seed: 7 }, [spy, dense(outputs)])
  watched.compile({ loss: meanSquaredError(), optimizer: sgd() })
  await watched.fit(data, { batchSize: 4, quiet: true }).done
  assert.equal(
    told.map(([, batch, training, , length]) => [batch, training, length]),
    [
      [4, true, 20],
      [4, true, 20],
      [3, true, 15],
    ],
  )
  assert.is(new Set(told.map(([, , , seed]) => seed)).size, 3, 'each step has its own seed')
  told.length = 0
  await watched.evaluate(data)
  await watched.predict(data.x)
  assert.ok(told.length === 2 && told.every(([, , training]) => !training))
})

test('errors of the functions, and wrong results, end the call; the model goes on', async () => {
  const wrongs = {
    'a thrown error': [
      {
        forward: () => {
          throw new RangeError('no')
        },
      },
      /^no$/,
      undefined,
    ],
    'a thrown string': [
      {
        forward: () => {
          throw 'text'
        },
      },
      undefined,
    ],
    'no result': [{ forward: () => {} }, /^dense1: the result of forward: expected a Float64Array of length 16/],
    'another type': [{ forward: () => new Float32Array(16) }, /received a Float32Array of length 16/],
    'another length': [{ forward: (x) => x }, /received a Float64Array of length 20/],
    'no gradients': [{ backward: () => 5 }, /^dense1: the result of backward: expected { dx, gradients }, received 5/],
    'no dx': [{ backward: () => ({}) }, null],
    'a wrong gradient': [
      { backward: (dy) => ({ dx: dy, gradients: { bias: dy } }) },
      /^dense1: gradients.bias of backward/,
    ],
  }
  for (const [name, [change, message]] of Object.entries(wrongs)) {
    const broken = model(linear(change), squaredError)
    const outcome = await broken.fit(data, options).done.then(
      () => 'done',
      (error) => error,
    )
    if (message === null) assert.is(outcome, 'done', 'the first layer’s dx is not wanted')
    else if (message === undefined) assert.is(outcome, 'text')
    else assert.match(outcome.message, message, name)
    if (name === 'a thrown error') assert.instance(outcome, RangeError)
    if (outcome.code) assert.is(outcome.code, 'GRADUS_INVALID_ARGUMENT')
    assert.equal(Object.keys(broken.getWeights()).length, 4)
  }
  const second = sequential({ input: [inputs] }, [
    dense(4),
    customLayer({ name: 'second', forward: (x) => x, backward: () => ({}) }),
  ]).compile({ loss: squaredError, optimizer: sgd() })
  await failing(second.fit({ x: data.x, y: numbers(rows * 4) }, options).done, 'GRADUS_INVALID_ARGUMENT', /^second: dx/)
})

test('bad declarations', async () => {
  const bad = (change, message) => {
    try {
      model(linear(change), squaredError)
      assert.unreachable()
    } catch (error) {
      assert.match(error.code, /^GRADUS_(INVALID_ARGUMENT|SHAPE_MISMATCH)$/, error.stack)
      assert.match(error.message, message)
    }
  }
  bad({ name: undefined }, /^customLayer: name/)
  bad({ forward: 5 }, /^dense1: forward: expected a function/)
  bad({ outputShape: () => [0] }, /^dense1: outputShape\[0\]/)
  bad({ parameters: () => 5 }, /^dense1: parameters/)
  bad({ parameters: () => ({ gain: { shape: [3] } }) }, /^dense1: parameters.gain.init/)
  bad({ parameters: () => ({ 'a.b': { shape: [3], init: 'ones' } }) }, /^dense1: parameters.a.b/)
  bad({ extra: 1 }, /there is no option "extra"/)
  assert.throws(() => customLoss({ name: '', forward() {}, backward() {} }), /^name/)
  assert.throws(() => customLoss({ name: 'a', targets: 'words', forward() {}, backward() {} }), /^targets/)
  assert.throws(() => customRegularizer({ loss: 1 }), /^loss/)
})

test('a worker ends, and a process exits, inside a custom function and while one is awaited', async () => {
  for (let turns = 1; turns <= 4; turns++) {
    const worker = new Worker(new URL('./support/custom-forever.js', import.meta.url), { argv: ['forever'] })
    for (let i = 0; i < turns; i++) await once(worker, 'message')
    assert.is(await worker.terminate(), 1)
  }
  for (const [role, code] of Object.entries({ exit: 7, exitBetween: 8 })) {
    const result = await ended('custom-forever', role)
    assert.is(result.code, code, result.stderr)
    assert.is(result.stderr, '')
  }
})

test.run()
