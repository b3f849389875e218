// Each metric, of evaluate and of training, against plain arithmetic on the model's own predictions.
import {
  accuracy,
  binaryCrossEntropy,
  confusionMatrix,
  dense,
  meanAbsoluteError,
  meanSquaredError,
  r2,
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
  const row = (i) => [...predictions.subarray(i * outputs, (i + 1) * outputs)]
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

metrics('accuracy and confusion matrix of a single output: yes above 0 for scores, above 0.5 for values', async () => {
  const y = Float64Array.from(all, (i) => i % 2)
  for (const [loss, threshold] of [
    [binaryCrossEntropy(), 0],
    [meanSquaredError(), 0.5],
  ]) {
    const { row, plain } = await evaluated(1, loss, [accuracy(), confusionMatrix()], y)
    const said = (i) => (row(i)[0] > threshold ? 1 : 0)
    near(plain.accuracy, shares((i) => (said(i) === y[i] ? 1 : 0)).plain, 'accuracy')
    const counts = [0, 1].map((right) =>
      [0, 1].map((taken) => all.filter((i) => y[i] === right && said(i) === taken).length),
    )
    assert.equal(plain.confusionMatrix, counts)
  }
})

metrics('mean absolute error and R² of several outputs', async () => {
  const outputs = 3
  const y = { data: numbers(rows * outputs, 7), shape: [rows, outputs] }
  const { row, plain, weighted, history } = await evaluated(outputs, meanSquaredError(), [meanAbsoluteError(), r2()], y)
  const target = (i) => [...y.data.subarray(i * outputs, (i + 1) * outputs)]
  const errors = shares((i) => row(i).reduce((sum, value, j) => sum + Math.abs(value - target(i)[j]) / outputs, 0))
  near(plain.meanAbsoluteError, errors.plain, 'mean absolute error')
  near(weighted.meanAbsoluteError, errors.weighted, 'mean absolute error, weighted')
  near(history.meanAbsoluteError[0], errors.weighted, 'mean absolute error, in training')
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

metrics.run()
