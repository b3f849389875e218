// Metrics of one's own: what their functions are given, when, and what comes of it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binaryCrossEntropy, customMetric, huber, loadModel, meanSquaredError, softmaxCrossEntropy } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mirror } from './support/mirror.js'

const custom = suite('custom-metrics')
const sum = (values) => values.reduce((total, value) => total + value, 0)
const standing = { epochs: 1, quiet: true, schedule: () => 0, shuffle: false, batchSize: 2 }
const total = { name: 'total', sums: (_, __, weights) => [sum(weights)], value: ([weight]) => weight }

custom('the functions are given predictions, targets and weights of each batch', async () => {
  const seen = []
  const metric = customMetric({
    name: 'spied',
    sums(predictions, targets, weights) {
      if (weights.length > 0) seen.push([predictions, targets, weights])
      return [sum(predictions), sum(targets), sum(weights)]
    },
    value: ([predictions, targets, weights]) => 100 * predictions + 10 * targets + weights,
  })
  const dense = mirror(2, meanSquaredError(), [metric], 'float32')
  const x = [
    [1, 2],
    [3, 4],
    [5, 6],
  ]
  const y = [
    [0, 1],
    [0, 1],
    [1, 1],
  ]
  assert.is((await dense.evaluate({ x, y }, { batchSize: 2 })).spied, 2100 + 40 + 3)
  assert.equal(seen, [
    [Float32Array.of(1, 2, 3, 4), Float32Array.of(0, 1, 0, 1), Float32Array.of(1, 1)],
    [Float32Array.of(5, 6), Float32Array.of(1, 1), Float32Array.of(1)],
  ])
  seen.length = 0
  const labels = mirror(2, softmaxCrossEntropy(), [metric])
  const data = { x, y: [1, 0, 1], sampleWeights: [2, 0, 0.5] }
  const history = await labels.fit(data, { ...standing, validation: data, classWeights: [7, 9] }).done
  assert.equal([history.spied, history.valSpied], [[2122.5], [2122.5]])
  assert.equal(seen.slice(0, 2), [
    [Float64Array.of(1, 2, 3, 4), Int32Array.of(1, 0), Float64Array.of(2, 0)],
    [Float64Array.of(5, 6), Int32Array.of(1), Float64Array.of(0.5)],
  ])
})

custom('sums are doubles in a float32 model, and several metrics keep apart', async () => {
  const precise = customMetric({ ...total, name: 'precise', sums: () => [1 + 2 ** -40], value: ([one]) => one })
  const model = mirror(1, huber(), [precise, 'r2', customMetric(total), 'meanAbsoluteError'], 'float32')
  const found = await model.evaluate({ x: [[1], [2], [4]], y: [[1], [2], [3]] })
  assert.is(found.precise, 1 + 2 ** -40)
  assert.is(found.total, 3)
  assert.is(found.meanAbsoluteError, Math.fround(1 / 3) > 0 ? 1 / 3 : 0)
  assert.is(found.r2, 0.5)
})

custom('early stopping and schedules can watch it, larger or smaller', async () => {
  const { earlyStopping } = await import('gradus')
  let calls = 0
  const rising = customMetric({ ...total, name: 'rising', value: () => ++calls, better: 'larger' })
  const model = mirror(1, meanSquaredError(), [rising])
  const data = { x: [[1], [2]], y: [[1], [2]] }
  const stop = earlyStopping({ monitor: 'rising', patience: 1 })
  const history = await model.fit(data, { ...standing, epochs: 4, callbacks: [stop] }).done
  assert.is(history.epochs, 4)
  calls = 0
  const falling = customMetric({ ...total, name: 'rising', value: () => ++calls })
  const other = mirror(1, meanSquaredError(), [falling])
  const again = earlyStopping({ monitor: 'rising', patience: 1 })
  assert.is((await other.fit(data, { ...standing, epochs: 4, callbacks: [again] }).done).epochs, 2)
})

custom('errors of the functions and wrong results are told', async () => {
  const model = (options) => mirror(1, binaryCrossEntropy(), [customMetric({ ...total, ...options })])
  const data = { x: [[1], [2]], y: [0, 1] }
  const rejected = async (options, message) => {
    const call = model(options).evaluate(data)
    await call.then(
      () => assert.unreachable(),
      (error) => assert.match(error.message, message),
    )
  }
  const after = (first, later) => {
    let calls = 0
    return () => (calls++ === 0 ? first : later())
  }
  await rejected(
    { sums: after([0], () => [1, 2]) },
    /^total: the result of sums: expected as many numbers as without examples \(1\), received an array of length 2$/,
  )
  await rejected(
    { sums: after([0], () => 'one') },
    /^total: the result of sums: expected an array of numbers, received "one"/,
  )
  await rejected({ sums: after([0], () => [1n]) }, /^total: the result of sums: expected an array of numbers/)
  await rejected(
    {
      sums: after([0], () => {
        throw new RangeError('mine')
      }),
    },
    /^mine$/,
  )
  await rejected({ value: () => null }, /^total: the result of value: expected a number, received null/)
  for (const [options, message] of [
    [{ name: '' }, /name: expected a name for the metric, received ""/],
    [{ name: 'loss' }, /name: each epoch has a loss already/],
    [{ sums: 3 }, /sums: expected a function, received 3/],
    [{ sums: () => [] }, /total: the result of sums: expected an array of numbers, received an array of length 0/],
    [{ better: 'more' }, /better: expected one of 'larger', 'smaller', received "more"/],
    [{ worse: 1 }, /customMetric: there is no option "worse"/],
  ]) {
    assert.throws(() => customMetric({ ...total, ...options }), message)
  }
})

custom('a saved model has its name, and is given it again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
  try {
    const metric = customMetric(total)
    const model = mirror(1, meanSquaredError(), ['r2', metric, 'meanSquaredError'])
    const file = join(folder, 'model.safetensors')
    await model.save(file)
    const loaded = await loadModel(file, { metrics: { total: metric } })
    const data = { x: [[5], [7]], y: [[5], [6]] }
    assert.equal(await loaded.evaluate(data), await model.evaluate(data))
    assert.is((await loaded.evaluate(data)).total, 2)
    await loadModel(file).then(
      () => assert.unreachable(),
      (error) => assert.match(error.message, /customMetric "?total"?.*loadModel\(file, \{ metrics: \{ total \} \}\)/),
    )
    assert.is((await loaded.predict([[5]])).data[0], 5)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

custom.run()
