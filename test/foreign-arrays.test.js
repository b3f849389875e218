// Arrays of another realm, as Jest's tests and vm's scripts make them, count as what they are.
import { runInNewContext } from 'node:vm'
import {
  customLayer,
  customLoss,
  customOptimizer,
  customRegularizer,
  dense,
  gradientCheckFunction,
  loadModel,
  meanSquaredError,
  minimize,
  sequential,
  sgd,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const test = suite('arrays of another realm')
const foreign = { Float32Array, Float64Array, Error, Uint8Array }
for (const name of Object.keys(foreign)) foreign[name] = runInNewContext(name)
assert.is.not(foreign.Float32Array, Float32Array)
const abroad = (array) => new foreign[array.constructor.name](array)

const data = { x: numbers(12, 1), y: numbers(12, 2) }
const fitting = { epochs: 2, batchSize: 2, quiet: true }

test('setWeights', () => {
  for (const dtype of ['float32', 'float64']) {
    const model = sequential({ input: [2], dtype, seed: 1 }, [dense(3)])
    const other = sequential({ input: [2], dtype, seed: 2 }, [dense(3)])
    const record = Object.entries(model.getWeights()).map(([name, { shape, data }]) => [
      name,
      { shape: runInNewContext(JSON.stringify(shape)), data: abroad(data) },
    ])
    other.setWeights(Object.fromEntries(record))
    assert.equal(other.getWeights(), model.getWeights())
  }
})

/** The same model, whose functions give arrays as they are, or those of another realm. */
function custom(dtype, as) {
  const identity = customLayer({ name: 'identity', forward: (x) => as(x), backward: (dy) => ({ dx: as(dy) }) })
  const regularizer = customRegularizer({ loss: (w) => w.length, gradient: (w) => as(w.map(() => 0.01)) })
  const layers = [dense(2, { regularizer }), identity]
  return sequential({ input: [2], dtype, seed: 3 }, layers).compile({
    loss: customLoss({
      name: 'squares',
      forward: (y, t, { batch }) => as(y.slice(0, batch).map((_, i) => (y[2 * i] - t[2 * i]) ** 2)),
      backward: (y, t) => as(y.map((value, i) => (i % 2 === 0 ? 2 * (value - t[i]) : 0))),
    }),
    optimizer: customOptimizer({
      name: 'descent',
      update: (gradient, { learningRate }) => as(gradient.map((g) => -learningRate * g)),
    }),
  })
}

test('what functions of the user give', async () => {
  for (const dtype of ['float32', 'float64']) {
    const [here, there] = [custom(dtype, (array) => array), custom(dtype, abroad)]
    await Promise.all([here, there].map((model) => model.fit(data, fitting).done))
    assert.equal(there.getWeights(), here.getWeights())
  }
})

test('an array of the other type is refused all the same', async () => {
  const other = (array) =>
    array instanceof Float32Array ? new foreign.Float64Array(array) : new foreign.Float32Array(array)
  for (const dtype of ['float32', 'float64']) {
    const error = await custom(dtype, other)
      .fit(data, fitting)
      .done.then(assert.unreachable, (error) => error)
    assert.is(error.code, 'GRADUS_INVALID_ARGUMENT', error.stack)
    assert.match(error.message, /^identity: the result of forward: expected a Float(32|64)Array of length 4/)
  }
})

test('minimize, gradientCheckFunction and loadModel', async () => {
  const square = (x) => ({ value: x[0] ** 2, gradient: abroad(x.map((value) => 2 * value)) })
  const start = new foreign.Float64Array([3])
  assert.ok(Math.abs((await minimize(square, start)).x[0]) < 1e-6)
  const report = gradientCheckFunction(
    (x) => x[0] ** 2,
    (x) => abroad(Float64Array.of(2 * x[0])),
    Float64Array.of(3),
  )
  assert.is(report.verdict, 'satisfied')
  const model = sequential({ input: [2] }, [dense(1)]).compile({ loss: meanSquaredError(), optimizer: sgd() })
  const loaded = await loadModel(abroad(new Uint8Array(await model.toBuffer())))
  assert.equal(loaded.getWeights(), model.getWeights())
})

test.run()
