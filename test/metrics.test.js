// Each metric, of evaluate and of training, against plain arithmetic on the model's own predictions.
import {
  accuracy,
  binaryCrossEntropy,
  confusionMatrix,
  customMetric,
  dense,
  meanAbsoluteError,
  meanSquaredError,
  r2,
  rootMeanSquaredError,
  sequential,
  sgd,
  softmaxCrossEntropy,
  topKAccuracy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { difference, numbers } from './support/reference.js'

const metrics = suite('metrics')
const rows = 301 // more than one batch of evaluate
const x = numbers(rows * 4, 1)
const sampleWeights = numbers(rows, 5).map(Math.abs)
const all = [...Array(rows).keys()]
const standing = { epochs: 1, batchSize: 64, quiet: true, schedule: () => 0 }
const near = (actual, expected, what) =>
  assert.ok(difference([actual].flat(2), [expected].flat(2)) < 1e-12, `${what}: ${actual}, expected ${expected}`)

async function evaluated(outputs, loss, list, y) {
  const model = sequential({ input: [4], seed: 2, dtype: 'float64' }, [dense(outputs)])
  model.compile({ loss, optimizer: sgd(), metrics: list })
  const predictions = await model.predict(x)
  const row = (i) => [...predictions[i]]
  const weighted = await model.evaluate({ x, y, sampleWeights })
  const history = await model.fit({ x, y, sampleWeights }, standing).done
  return { row, weighted, history, plain: await model.evaluate({ x, y }) }
}

const shares = (of) => {
  const total = (weight) =>
    all.reduce((sum, i) => sum + weight(i) * of(i), 0) / all.reduce((sum, i) => sum + weight(i), 0)
  return { plain: total(() => 1), weighted: total((i) => sampleWeights[i]) }
}

metrics('accuracy, top-k accuracy and confusion matrix of class scores', async () => {
  const classes = 5
  const y = Int32Array.from(all, (i) => (i * i) % classes)
  const list = [accuracy(), topKAccuracy(2), confusionMatrix()]
  const { row, weighted, plain, history } = await evaluated(classes, softmaxCrossEntropy(), list, y)
  const rank = (i) => row(i).filter((score) => score > row(i)[y[i]]).length
  for (const [name, of] of [
    ['accuracy', (i) => (rank(i) === 0 ? 1 : 0)],
    ['top2Accuracy', (i) => (rank(i) < 2 ? 1 : 0)],
  ]) {
    const expected = shares(of)
    assert.ok(expected.plain > 0.05 && expected.plain < 0.95, 'a case that can go both ways')
    near(plain[name], expected.plain, name)
    near(weighted[name], expected.weighted, `${name}, weighted`)
    near(history[name][0], expected.weighted, `${name}, in training`)
  }
  const counts = Array.from({ length: classes }, () => new Array(classes).fill(0))
  for (const i of all) counts[y[i]][row(i).indexOf(Math.max(...row(i)))]++
  assert.equal(plain.confusionMatrix, counts)
})

metrics('accuracy and confusion matrix of a single output: a score above 0 says yes', async () => {
  const y = Float64Array.from(all, (i) => i % 2)
  const { row, plain } = await evaluated(1, binaryCrossEntropy(), [accuracy(), confusionMatrix()], y)
  const said = (i) => (row(i)[0] > 0 ? 1 : 0)
  near(plain.accuracy, shares((i) => (said(i) === y[i] ? 1 : 0)).plain, 'accuracy')
  const counts = [0, 1].map((right) =>
    [0, 1].map((taken) => all.filter((i) => y[i] === right && said(i) === taken).length),
  )
  assert.equal(plain.confusionMatrix, counts)
})

metrics('mean absolute and squared error, its root, and R² of several outputs', async () => {
  const outputs = 3
  const y = { data: numbers(rows * outputs, 7), shape: [rows, outputs] }
  const list = [meanAbsoluteError(), meanSquaredError(), rootMeanSquaredError(), r2()]
  const { row, plain, weighted, history } = await evaluated(outputs, meanSquaredError(), list, y)
  const target = (i) => [...y.data.subarray(i * outputs, (i + 1) * outputs)]
  const errors = shares((i) => row(i).reduce((sum, value, j) => sum + Math.abs(value - target(i)[j]) / outputs, 0))
  near(plain.meanAbsoluteError, errors.plain, 'mean absolute error')
  near(weighted.meanAbsoluteError, errors.weighted, 'mean absolute error, weighted')
  near(history.meanAbsoluteError[0], errors.weighted, 'mean absolute error, in training')
  const squares = shares((i) => row(i).reduce((sum, value, j) => sum + (value - target(i)[j]) ** 2 / outputs, 0))
  for (const [found, expected] of [
    [plain, squares.plain],
    [weighted, squares.weighted],
  ]) {
    near(found.meanSquaredError, expected, 'mean squared error')
    near(found.meanSquaredError, found.loss, 'mean squared error, as the loss is')
    near(found.rootMeanSquaredError, Math.sqrt(expected), 'root mean squared error')
  }
  const explained = { plain: 0, weighted: 0 }
  for (let j = 0; j < outputs; j++) {
    const center = shares((i) => target(i)[j])
    for (const kind of ['plain', 'weighted']) {
      const residual = shares((i) => (target(i)[j] - row(i)[j]) ** 2)[kind]
      const variance = shares((i) => (target(i)[j] - center[kind]) ** 2)[kind]
      explained[kind] += (1 - residual / variance) / outputs
    }
  }
  near(plain.r2, explained.plain, 'R²')
  near(weighted.r2, explained.weighted, 'R², weighted')
})

/**
 * A model whose outputs are its inputs, of which it takes one more that spoils them: 1e300 becomes Infinity between the
 * layers, and then 0 · Infinity in the first output.
 */
function mirror(outputs, list, loss = meanSquaredError()) {
  const layers = [dense(outputs + 1, { bias: false }), dense(outputs, { bias: false })]
  const model = sequential({ input: [outputs + 1], dtype: 'float64' }, layers)
  model.compile({ loss, optimizer: sgd(), metrics: list })
  const weight = (columns, last) => {
    const data = new Float64Array((outputs + 1) * columns)
    for (let i = 0; i < outputs; i++) data[i * (columns + 1)] = 1
    data.set(last, outputs * columns)
    return { shape: [outputs + 1, columns], data }
  }
  const zeros = new Array(outputs).fill(0)
  model.setWeights({
    'dense1.weight': weight(outputs + 1, [...zeros, 1e300]),
    'dense2.weight': weight(
      outputs,
      zeros.map((_, i) => Math.min(i, 1)),
    ),
  })
  return model
}

/** Rows for it. */
const shown = (rows) => rows.map((row) => (row.includes(Number.NaN) ? [...row.map(() => 0), 1e300] : [...row, 0]))
const single = (data) => Array.from(data, (value) => [value])

metrics('scores that are no numbers belong to no class: they are wrong and have a column of their own', async () => {
  const model = mirror(3, ['accuracy', topKAccuracy(1), 'confusionMatrix'], softmaxCrossEntropy())
  const sound = [
    [2, 1, 0],
    [0, 1, 2],
    [0, 3, 1],
  ]
  const of = (x, y, sampleWeights = x.map(() => 1)) =>
    model.evaluate({ x: shown(x), y: Int32Array.from(y), sampleWeights })
  const seen = await of(sound, [0, 1, 1])
  assert.equal(seen.confusionMatrix, [
    [1, 0, 0],
    [0, 1, 1],
    [0, 0, 0],
  ])
  const broken = [...sound, [Number.NaN, 0, 0], [Number.NaN, 0, 0]]
  const spoilt = await of(broken, [0, 1, 1, 0, 2])
  assert.ok(Number.isNaN(spoilt.loss))
  assert.is(spoilt.accuracy, 2 / 5)
  assert.is(spoilt.top1Accuracy, 2 / 5)
  assert.equal(spoilt.confusionMatrix, [
    [1, 0, 0, 1],
    [0, 1, 1, 0],
    [0, 0, 0, 1],
  ])
  const again = await of(broken, [0, 1, 1, 0, 2], [1, 1, 1, 0, 0])
  assert.equal(again.confusionMatrix, seen.confusionMatrix)
  assert.is(again.accuracy, seen.accuracy)
})

metrics('a single output that is no number is neither yes nor no; errors of it are none', async () => {
  const of = (model, x, y, sampleWeights = x.map(() => 1)) =>
    model.evaluate({ x: shown(single(x)), y: single(y), sampleWeights })
  const binary = mirror(1, ['accuracy', 'confusionMatrix'], binaryCrossEntropy())
  const said = await of(binary, [-1, 1, Number.NaN, Number.NaN], [0, 1, 0, 1])
  assert.is(said.accuracy, 2 / 4)
  assert.equal(said.confusionMatrix, [
    [1, 0, 1],
    [0, 1, 1],
  ])
  const model = mirror(1, ['meanAbsoluteError', 'meanSquaredError', 'rootMeanSquaredError', 'r2'])
  const found = await of(model, [0, 1, Number.NaN, Number.NaN], [0, 1, 0, 1])
  for (const name of ['meanAbsoluteError', 'meanSquaredError', 'rootMeanSquaredError', 'r2']) {
    assert.ok(Number.isNaN(found[name]), name)
  }
  assert.ok(Number.isNaN((await of(model, [5, Number.NaN], [5, 5])).r2), 'constant targets')
  const without = await of(model, [0.25, 1, Number.NaN], [0, 1, 0], [1, 1, 0])
  assert.is(without.meanAbsoluteError, 0.125)
  assert.is(without.meanSquaredError, 0.0625 / 2)
  assert.is(without.r2, 1 - 0.0625 / 0.5)
})

/** 1 − Σ w (t − y)² / Σ w (t − mean)², in two passes. */
function r2Of(targets, outputs, weights = targets.map(() => 1)) {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const mean = targets.reduce((sum, target, i) => sum + weights[i] * target, 0) / total
  const squares = (of) => targets.reduce((sum, _, i) => sum + weights[i] * of(i) ** 2, 0)
  return 1 - squares((i) => targets[i] - outputs[i]) / squares((i) => targets[i] - mean)
}

metrics('R² of targets far from zero, of batches, pieces and calls of an epoch', async () => {
  const count = 500
  const noise = numbers(count, 3)
  const errors = numbers(count, 4)
  for (const [center, first, weightOfFirst] of [
    [1e7, 1e7, 1],
    [-3e9, -3e9, 1],
    [1e5, 0, 1e-18],
  ]) {
    const y = Array.from(noise, (value, i) => (i === 0 ? first : center + value))
    const x = y.map((value, i) => value + errors[i] / 10)
    const weights = y.map((_, i) => (i === 0 ? weightOfFirst : 1 + (i % 3)))
    const expected = r2Of(y, x, weights)
    assert.ok(expected > 0.95 && expected < 0.999)
    const near = (value, what) =>
      assert.ok(Math.abs(value - expected) < 1e-9, `${center}, ${what}: ${value}, ${expected}`)
    const model = mirror(1, ['r2'])
    const whole = { x: shown(single(x)), y: single(y), sampleWeights: weights }
    near((await model.evaluate(whole, { batchSize: 7 })).r2, 'evaluate')
    const piece = (from) =>
      Object.fromEntries(Object.entries(whole).map(([name, values]) => [name, values.slice(from, from + 100)]))
    near((await model.evaluate([0, 100, 200, 300, 400].map(piece))).r2, 'evaluate of pieces')
    for (const stepsPerCall of [1, 5, 1000]) {
      const options = { ...standing, batchSize: 11, shuffle: false, stepsPerCall, epochs: 2 }
      for (const value of (await model.fit(whole, options).done).r2) near(value, 'training')
    }
  }
})

metrics('R² of constant targets: 1 for exact outputs, else 0, as scikit-learn says', async () => {
  const model = mirror(2, ['r2'])
  const r2Of = async (y, x) => (await model.evaluate({ x: shown(x), y }, { batchSize: 2 })).r2
  const exact = [0.1, 0.1, 0.1, 0.1, 0.1]
  const row = (a, b) => a.map((value, i) => [value, b[i]])
  const varied = [0.5, -1, 2, 2.5, 6]
  assert.is(await r2Of(row(exact, exact), row(exact, exact)), 1)
  assert.is(await r2Of(row(exact, varied), row([0.1, 0.1, 0.1, 0.1, 0.2], varied)), 0.5)
  assert.is(await r2Of(row(exact, exact), row(varied, varied)), 0)
  assert.is(await r2Of([[1e7, 3]], [[1e7, 3]]), 1)
  // The example of scikit-learn's r2_score: uniform average of two outputs.
  const found = await r2Of(
    [
      [0.5, 1],
      [-1, 1],
      [7, -6],
    ],
    [
      [0, 2],
      [-1, 2],
      [8, -5],
    ],
  )
  assert.ok(Math.abs(found - 0.93680052666) < 1e-10, String(found))
})

/** The largest distance of an output from the first target, as a metric of one's own. */
const own = () =>
  customMetric({
    name: 'own',
    sums(predictions, targets, weights) {
      const outputs = predictions.length / weights.length || 1
      const errors = Array.from(weights, (weight, i) => {
        const target = targets[(i * targets.length) / weights.length]
        const at = [...Array(outputs).keys()].map((j) => Math.abs(predictions[i * outputs + j] - target))
        return weight * Math.max(...at)
      })
      return [errors.reduce((sum, error) => sum + error, 0), weights.reduce((sum, weight) => sum + weight, 0)]
    },
    value: ([errors, weight]) => errors / weight,
  })

const targets = numbers(120, 8)
const pair = (from, i) => [from[2 * i], from[2 * i + 1]]
for (const [kind, loss, list, width, targetOf] of [
  [
    'numbers',
    meanSquaredError(),
    ['meanAbsoluteError', 'rootMeanSquaredError', 'r2', own()],
    3 + 9 + 2,
    (i) => pair(targets, i),
  ],
  [
    'classes',
    softmaxCrossEntropy(),
    ['accuracy', 'confusionMatrix', 'f1', 'recall', 'logLoss', 'auc', own()],
    2 + 6 + 7 + 2 + 2 * (2 ** 17 + 1) + 2,
    (i) => Number(targets[2 * i] > 0),
  ],
]) {
  metrics(
    `of ${kind}, training metrics are the same bits however an epoch is cut, without refused updates`,
    async () => {
      const names = list.map((metric) => metric.name ?? metric)
      const scores = numbers(120, 9)
      const examples = (kept) => ({
        x: shown(kept.map((i) => (i === 20 ? [Number.NaN, 0] : pair(scores, i)))),
        y: kept.map(targetOf),
        sampleWeights: kept.map((i) => sampleWeights[i]),
      })
      const whole = examples(all.slice(0, 60))
      const withoutRefused = examples(all.slice(0, 60).filter((i) => i < 20 || i > 24))
      const seen = []
      const fitted = async (examples, stepsPerCall, more = {}) => {
        const onStepsEnd = ({ steps }) => void seen.push(steps.metricSums.fill(0).length)
        const options = {
          ...standing,
          batchSize: 5,
          shuffle: false,
          epochs: 2,
          stepsPerCall,
          callbacks: [{ onStepsEnd }],
        }
        const { refusedSteps, ...history } = await mirror(2, list, loss).fit(examples, { ...options, ...more }).done
        return [refusedSteps, names.map((name) => history[name])]
      }
      const [refused, expected] = await fitted(whole, 1)
      assert.equal(refused, [1, 1])
      assert.ok(expected.flat().every((value) => typeof value !== 'number' || Number.isFinite(value)))
      for (const stepsPerCall of [2, 5, 100]) assert.equal((await fitted(whole, stepsPerCall))[1], expected)
      assert.equal((await fitted(withoutRefused, 3))[1], expected)
      const [accumulated, sums] = await fitted(whole, 2, { batchSize: 1, accumulate: 5 })
      assert.equal(accumulated, [1, 1])
      // The sums of one's own are made batch by batch.
      const last = names.length - 1
      assert.equal(sums.slice(0, last), expected.slice(0, last))
      for (const epoch of [0, 1]) near(sums[last][epoch], expected[last][epoch], 'own')
      assert.equal(new Set(seen), new Set([width]))
    },
  )
}

metrics('a confusion matrix of too many classes is refused at compile', () => {
  const compiled = (outputs) => {
    const model = sequential({ input: [1] }, [dense(outputs)])
    model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd(), metrics: ['accuracy', 'confusionMatrix'] })
  }
  compiled(2000)
  assert.throws(
    () => compiled(2001),
    (error) =>
      error.code === 'GRADUS_TOO_LARGE' &&
      error.message === 'metrics[1]: confusionMatrix takes at most 2000 classes, received an output of 2001',
  )
})

metrics.run()
