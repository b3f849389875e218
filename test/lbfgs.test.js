// L-BFGS: known minima, the Wolfe conditions at each step, Newton's method beside it, and models trained by it.
import {
  adam,
  batchNorm,
  binaryCrossEntropy,
  dataset,
  dense,
  dropout,
  fitLbfgs,
  l2,
  minimize,
  sequential,
  softmaxCrossEntropy,
  tanh,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const test = suite('L-BFGS')

/** Rosenbrock's function in n dimensions, Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)², least at (1, …, 1). */
function rosenbrock(x) {
  const gradient = new Float64Array(x.length)
  let value = 0
  for (let i = 0; i + 1 < x.length; i++) {
    const bend = x[i + 1] - x[i] ** 2
    value += 100 * bend ** 2 + (1 - x[i]) ** 2
    gradient[i] += -400 * x[i] * bend - 2 * (1 - x[i])
    gradient[i + 1] += 200 * bend
  }
  return { value, gradient }
}
const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0)

/** Minimizes, and checks at each step taken that both strong Wolfe conditions hold between its ends. */
async function minimizeWatched(f, x0, { c1 = 1e-4, c2 = 0.9, ...options } = {}) {
  let before = x0.slice()
  const iterations = []
  const onIteration = (iteration) => {
    const { x } = iteration
    const [from, to] = [before, x].map((at) => ({ ...f(at), gradient: f(at).gradient.slice() }))
    const move = x.map((value, i) => value - before[i])
    const [slope, slopeThere] = [dot(from.gradient, move), dot(to.gradient, move)]
    assert.ok(slope < 0, 'downhill')
    assert.ok(to.value <= from.value + c1 * slope, `it falls enough: ${to.value} from ${from.value}, slope ${slope}`)
    assert.ok(Math.abs(slopeThere) <= c2 * Math.abs(slope) * (1 + 1e-9), `it is flat enough: ${slopeThere} of ${slope}`)
    assert.is(iteration.value, to.value)
    before = x
    iterations.push(iteration)
  }
  const found = await minimize(f, x0, { c1, c2, ...options, onIteration })
  assert.is(iterations.length, found.iterations)
  assert.equal(iterations.at(-1).x, found.x)
  return found
}

/** The error that the work throws. */
async function thrownBy(work) {
  try {
    await work()
  } catch (error) {
    return error
  }
  return assert.unreachable('nothing was thrown')
}

test('finds the minimum of Rosenbrock’s function, each step under the strong Wolfe conditions', async () => {
  for (const n of [2, 10]) {
    for (const options of [{}, { c2: 0.1 }, { memory: 1 }, { c1: 0.3, c2: 0.4, memory: 3 }]) {
      const x0 = Float64Array.from({ length: n }, (_, i) => (i % 2 ? 1 : -1.2))
      const kept = x0.slice()
      const found = await minimizeWatched(rosenbrock, x0, options)
      assert.is(found.stoppedBy, 'gradient', found.message)
      assert.ok(found.gradientNorm <= 1e-8 && found.value < 1e-15)
      assert.ok(found.x.every((x) => Math.abs(x - 1) < 1e-7))
      assert.ok(found.evaluations < 3 * found.iterations + 30 && found.iterations < 300, JSON.stringify(found))
      assert.equal(x0, kept)
    }
  }
})

test('solves a quadratic with steep and flat directions, and a function that ends at walls', async () => {
  const n = 30
  const scales = Float64Array.from({ length: n }, (_, i) => 10 ** (i / 10))
  const goal = numbers(n, 3)
  const kept = new Float64Array(n)
  const quadratic = (x) => {
    for (let i = 0; i < n; i++) kept[i] = scales[i] * (x[i] - goal[i])
    return {
      value:
        dot(
          scales,
          x.map((value, i) => (value - goal[i]) ** 2),
        ) / 2,
      gradient: kept,
    } // always the same array
  }
  const found = await minimizeWatched(quadratic, new Float64Array(n), { memory: 20 })
  assert.ok(
    found.x.every((x, i) => Math.abs(x - goal[i]) < 1e-8),
    found.message,
  )
  // −ln(1 − x²) − 3x has no value beyond ±1, and its minimum where 2x / (1 − x²) = 3.
  const walls = ([x]) => ({
    value: -Math.log(1 - x * x) - 3 * x,
    gradient: Float64Array.of((2 * x) / (1 - x * x) - 3),
  })
  for (const x0 of [-0.999, 0, 0.9999]) {
    const { x } = await minimizeWatched(walls, Float64Array.of(x0))
    assert.ok(Math.abs(x[0] - (-1 + Math.sqrt(10)) / 3) < 1e-8)
  }
})

test('takes promises, and says why it stopped', async () => {
  const slow = async (x) => rosenbrock(x)
  const x0 = Float64Array.of(-1.2, 1)
  const few = await minimize(slow, x0, { maxIterations: 3 })
  assert.equal([few.iterations, few.stoppedBy], [3, 'iterations'])
  assert.match(few.message, /^Stopped at maxIterations: the gradient's norm is .* after 3 iterations\.$/)
  const there = await minimize(slow, Float64Array.of(1, 1))
  assert.equal([there.iterations, there.evaluations, there.stoppedBy], [0, 1, 'gradient'])
  const uphill = (x) => ({ ...rosenbrock(x), gradient: rosenbrock(x).gradient.map((g) => -g) })
  const wrong = await minimize(uphill, x0)
  assert.is(wrong.stoppedBy, 'lineSearch')
  assert.match(wrong.message, /the gradient is not that of the function/)
  const downhill = await minimize(([x]) => ({ value: -x, gradient: Float64Array.of(-1) }), Float64Array.of(0))
  assert.is(downhill.stoppedBy, 'lineSearch')
  const exact = await minimize(rosenbrock, x0, { gradientTolerance: 0 })
  assert.ok(exact.stoppedBy !== 'iterations' && exact.gradientNorm < 1e-10, exact.message)
})

test('bad input and aborts', async () => {
  const x0 = Float64Array.of(-1.2, 1)
  const cases = [
    [() => minimize(5, x0), /^f: expected a function/],
    [() => minimize(rosenbrock, [1, 2]), /^x0: expected a Float64Array/],
    [() => minimize(rosenbrock, x0, { memory: 0 }), /^memory/],
    [() => minimize(rosenbrock, x0, { c1: 0 }), /^c1: expected a number over 0/],
    [() => minimize(rosenbrock, x0, { c1: 0.5, c2: 0.4 }), /^c2: expected a number over c1 = 0.5/],
    [() => minimize(rosenbrock, x0, { c2: 1 }), /^c2/],
    [() => minimize(rosenbrock, x0, { maxIterations: 0 }), /^maxIterations/],
    [() => minimize(rosenbrock, x0, { gradientTolerance: -1 }), /^gradientTolerance/],
    [() => minimize(rosenbrock, x0, { onIteration: 5 }), /^onIteration/],
    [() => minimize(rosenbrock, x0, { signal: 5 }), /^signal/],
    [() => minimize(rosenbrock, x0, { learningRate: 1 }), /^minimize: there is no option "learningRate"/],
    [() => minimize(() => 5, x0), /^value \(of f\): expected a number, received undefined/],
    [
      () => minimize(() => ({ value: 1, gradient: [0, 0] }), x0),
      /^gradient \(of f\): expected a Float64Array of length 2/,
    ],
    [() => minimize(() => ({ value: Number.NaN, gradient: x0 }), x0), /^x0: value or gradient are not finite/],
  ]
  for (const [work, message] of cases) assert.match((await thrownBy(work)).message, message)
  const stopped = () => minimize(rosenbrock, x0, { signal: AbortSignal.abort(new Error('enough')) })
  assert.is((await thrownBy(stopped)).message, 'enough')
  const controller = new AbortController()
  setImmediate(() => controller.abort(new Error('later')))
  const running = () => minimize(rosenbrock, x0, { memory: 1, c2: 0.99, signal: controller.signal })
  assert.is((await thrownBy(running)).message, 'later')
})

const rows = 60
const data = { x: numbers(rows * 5, 2), y: numbers(rows, 3).map((noise, i) => Number(noise + (i % 3) / 4 > 0.2)) }
const logistic = (dtype = 'float64') =>
  sequential({ input: [5], seed: 4, dtype }, [dense(1, { regularizer: l2(0.02) })]).compile({
    loss: binaryCrossEntropy(),
    optimizer: adam(),
  })

/** Newton's method on logistic regression, written out: five weights under l2, and a bias. */
function newton() {
  let w = new Float64Array(6)
  for (let round = 0; round < 20; round++) {
    const system = Array.from({ length: 6 }, (_, j) =>
      [...new Float64Array(6), 0].map((_, k) => (j < 5 && j === k ? 0.02 : 0)),
    )
    for (let j = 0; j < 5; j++) system[j][6] = 0.02 * w[j]
    for (let i = 0; i < rows; i++) {
      const x = [...data.x.slice(i * 5, i * 5 + 5), 1]
      const p = 1 / (1 + Math.exp(-dot(x, w)))
      for (let j = 0; j < 6; j++) {
        system[j][6] += ((p - data.y[i]) * x[j]) / rows
        for (let k = 0; k < 6; k++) system[j][k] += (p * (1 - p) * x[j] * x[k]) / rows
      }
    }
    for (let j = 0; j < 6; j++) {
      for (let i = 0; i < 6; i++) {
        const factor = system[i][j] / system[j][j]
        if (i !== j) system[i] = system[i].map((value, k) => value - factor * system[j][k])
      }
    }
    w = w.map((value, j) => value - system[j][6] / system[j][j])
  }
  return w
}

test('fits logistic regression to a gradient of 1e-8: where Newton’s method ends', async () => {
  const model = logistic()
  const history = await fitLbfgs(model, data)
  assert.is(history.stoppedBy, 'gradient', history.message)
  assert.ok(history.gradientNorm <= 1e-8 && history.iterations < 60)
  const { 'dense1.weight': weight, 'dense1.bias': bias } = model.getWeights()
  const expected = newton()
  for (const [i, w] of [...weight.data, ...bias.data].entries()) assert.ok(Math.abs(w - expected[i]) < 1e-6, `${w}`)
  for (const column of ['loss', 'regularizationLoss', 'gradientNorms']) {
    assert.is(history[column].length, history.iterations + 1)
  }
  const totals = history.loss.map((loss, i) => loss + history.regularizationLoss[i])
  for (let i = 1; i < totals.length; i++) assert.ok(totals[i] < totals[i - 1])
  assert.is(history.gradientNorms.at(-1), history.gradientNorm)
  const { loss, regularizationLoss } = await model.evaluate(data)
  assert.ok(Math.abs(loss - history.loss.at(-1)) < 1e-15)
  assert.ok(Math.abs(regularizationLoss - history.regularizationLoss.at(-1)) < 1e-15)
})

test('trains networks: in float32, beside frozen layers, with dropout and batch norm as evaluation has them', async () => {
  const labels = Int32Array.from({ length: rows }, (_, i) => (3 * i + (i >> 2)) % 3)
  const layers = [dense(8, { trainable: false }), batchNorm(), tanh(), dropout(0.5), dense(3)]
  const model = sequential({ input: [5], seed: 4 }, layers).compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
  const before = model.getWeights()
  const kept = dataset({ x: data.x, y: labels })
  const history = await fitLbfgs(model, kept, { maxIterations: 40, threads: 2 })
  const after = model.getWeights()
  assert.equal(after['dense1.weight'], before['dense1.weight'])
  assert.equal(after['batchNorm1.mean'], before['batchNorm1.mean'])
  assert.ok(history.loss.at(-1) < 0.95 * history.loss[0], history.message)
  const { loss } = await model.evaluate(kept, { batchSize: rows })
  assert.ok(Math.abs(loss - history.loss.at(-1)) < 1e-6)
  kept.dispose()
})

test('an abort leaves the weights of the last iteration, and bad input those there were', async () => {
  const model = logistic()
  const before = model.getWeights()
  const cases = [
    [() => fitLbfgs({}, data), /^model: expected a model/],
    [() => fitLbfgs(model, data, { epochs: 3 }), /^fitLbfgs: there is no option "epochs"/],
    [() => fitLbfgs(model, data, { onIteration: 5 }), /^onIteration/],
    [() => fitLbfgs(model, data, { threads: 0 }), /^threads/],
    [() => fitLbfgs(model, data, { memory: 0.5 }), /^memory/],
    [() => fitLbfgs(model, { x: new Float64Array(0), y: new Float64Array(0) }), /^data: expected at least one example/],
    [() => fitLbfgs(model, (async function* () {})()), /^data/],
    [() => fitLbfgs(model, data, { signal: AbortSignal.abort(new Error('enough')) }), /^enough$/],
  ]
  for (const [work, message] of cases) assert.match((await thrownBy(work)).message, message)
  assert.equal(model.getWeights(), before)
  const uncompiled = sequential({ input: [5], seed: 1 }, [dense(1)])
  assert.is((await thrownBy(() => fitLbfgs(uncompiled, data))).code, 'GRADUS_NOT_COMPILED')
  const controller = new AbortController()
  let reached
  const onIteration = ({ iteration, x }) => {
    reached = x.slice()
    x.fill(9)
    if (iteration === 3) controller.abort(new Error('later'))
  }
  const running = fitLbfgs(model, data, { onIteration, signal: controller.signal })
  const waiting = model.predict(data.x)
  assert.is((await thrownBy(() => running)).message, 'later')
  const waited = await waiting
  const { 'dense1.weight': weight, 'dense1.bias': bias } = model.getWeights()
  assert.equal([...weight.data, ...bias.data], [...reached])
  assert.equal(waited, await model.predict(data.x))
})

test.run()
