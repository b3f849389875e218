// Cross-validation: which rows each fold holds out, what its model sees, and what is said of all.
import {
  accuracy,
  adam,
  crossValidate,
  dataset,
  dense,
  meanSquaredError,
  normalization,
  sequential,
  sgd,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { foldRows } from '../dist/data/folds.js'

const test = suite('cross-validation')

const rows = 60
const x = Array.from({ length: rows }, (_, i) => [Math.sin(i * 1.7), Math.cos(i * 0.9)])
const y = x.map(([a, b]) => (a + b > 0.4 ? 'up' : a < -0.5 ? 'left' : 'down'))
const classifier = () =>
  sequential({ input: [2], seed: 2 }, [dense(16, { activation: 'tanh' }), dense(3)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.05 }),
    metrics: [accuracy(), 'confusionMatrix'],
  })
const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

async function refusal(act) {
  try {
    await act()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

const options = { folds: 4, seed: 0, shuffle: true }
const all = (parts) => parts.flatMap((part) => [...part]).sort((a, b) => a - b)

test('every row is held out once, in folds of equal size', () => {
  for (const [count, folds] of [
    [60, 4],
    [61, 4],
    [7, 7],
    [5, 2],
  ]) {
    for (const shuffle of [true, false]) {
      const parts = foldRows(count, { ...options, folds, shuffle })
      assert.equal(all(parts), [...Array(count).keys()])
      const sizes = parts.map(({ length }) => length)
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, String(sizes))
    }
  }
  const [first, last] = foldRows(5, { ...options, folds: 2, shuffle: false })
  assert.equal(
    [[...first], [...last]],
    [
      [0, 1],
      [2, 3, 4],
    ],
  )
  assert.not.equal(foldRows(60, options), foldRows(60, { ...options, seed: 1 }))
  assert.equal(foldRows(60, options), foldRows(60, options))
  assert.throws(() => foldRows(3, options), /folds: expected at most 3, one for each example, received 4/)
})

test('stratified: each class in each fold to within one row', () => {
  const classes = Array.from({ length: 103 }, (_, i) => (i % 10 === 0 ? 2 : i % 3 === 0 ? 1 : 0))
  const parts = foldRows(103, { ...options, classes })
  assert.equal(all(parts), [...Array(103).keys()])
  for (const label of [0, 1, 2]) {
    const counts = parts.map((part) => part.filter((row) => classes[row] === label).length)
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `class ${label}: ${counts}`)
  }
  // Four rows of 1000 in four folds.
  const rare = Array.from({ length: 1000 }, (_, i) => Number(i % 250 === 7))
  for (const part of foldRows(1000, { ...options, classes: rare })) {
    assert.is(part.filter((row) => rare[row]).length, 1)
  }
})

test('groups stay whole, in folds of about equal size', () => {
  const groups = Array.from({ length: 100 }, (_, i) => `patient ${Math.floor(Math.sqrt(i))}`)
  const parts = foldRows(100, { ...options, groups })
  assert.equal(all(parts), [...Array(100).keys()])
  const where = new Map()
  for (const [fold, part] of parts.entries()) {
    for (const row of part) {
      assert.is(where.get(groups[row]) ?? fold, fold)
      where.set(groups[row], fold)
    }
  }
  const sizes = parts.map(({ length }) => length)
  assert.ok(Math.max(...sizes) - Math.min(...sizes) < 10, String(sizes))
  assert.throws(() => foldRows(6, { ...options, groups: [1, 1, 2, 2, 3, 3] }), /groupBy: expected at least 4 groups/)
})

test('a new model for each fold, trained on the others: mean and deviation', async () => {
  const told = []
  const built = []
  const build = (fold) => {
    built.push(fold)
    return classifier()
  }
  const onFold = ({ fold, folds, evaluation }) => told.push([fold, folds, evaluation.accuracy])
  const found = await crossValidate(build, { x, y }, { folds: 4, stratify: true, seed: 3, fit: { epochs: 60 }, onFold })
  assert.equal(built, [0, 1, 2, 3])
  const accuracies = found.folds.map((fold) => fold.accuracy)
  assert.equal(
    told,
    accuracies.map((value, fold) => [fold, 4, value]),
  )
  assert.ok(average(accuracies) > 0.85, String(found))
  const mean = average(accuracies)
  const deviation = Math.sqrt(accuracies.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3)
  assert.is(found.mean.accuracy, mean)
  assert.ok(Math.abs(found.deviation.accuracy - deviation) < 1e-15)
  assert.equal(Object.keys(found.mean), ['loss', 'regularizationLoss', 'accuracy'])
  assert.is(
    found.folds.reduce((sum, { confusionMatrix }) => sum + average(confusionMatrix.flat()) * 9, 0),
    rows,
  )
  assert.match(String(found), /^4 folds\n {2}loss [\d.]+ ± [\d.]+ \([\d., ]+\)\n/)
  assert.equal(
    (await crossValidate(classifier, dataset({ x, y }), { folds: 4, stratify: true, seed: 3, fit: { epochs: 60 } }))
      .folds,
    found.folds,
  )
})

test('nothing of a fold leaks into its model', async () => {
  // A leak would show: a constant that the others have, and one row in each fold far away from it.
  const far = { x: [[1], [1], [1], [100]], y: [[0], [0], [0], [0]] }
  const means = []
  const build = () => {
    const model = sequential({ input: [1], seed: 1 }, [normalization(), dense(1)])
    model.compile({ loss: meanSquaredError(), optimizer: sgd() })
    means.push(model)
    return model
  }
  await crossValidate(build, far, { folds: 4, shuffle: false, fit: { epochs: 1 } })
  const learnt = means.map((model) => model.getWeights()['normalization1.mean'].data[0])
  assert.equal(learnt, [34, 34, 34, 1])
})

test('options of fit by fold, and what is refused', async () => {
  const epochs = []
  const fit = (fold) => ({ epochs: fold + 1, callbacks: [() => epochs.push(fold)] })
  await crossValidate(classifier, { x, y }, { folds: 3, fit })
  assert.equal(epochs, [0, 1, 1, 2, 2, 2])
  const same = classifier()
  const once = { folds: 2, fit: { epochs: 1 } }
  const again = await refusal(() => crossValidate(() => same, { x, y }, once))
  assert.is(again, 'GRADUS_INVALID_ARGUMENT build: expected a new model for each fold, received the same again')
  assert.match(
    await refusal(() => crossValidate(() => 7, { x, y }, once)),
    /the result of build: expected a compiled model/,
  )
  assert.match(await refusal(() => crossValidate(same, { x, y }, once)), /build: expected a function/)
  assert.match(await refusal(() => crossValidate(classifier, [{ x, y }], once)), /data: expected examples in memory/)
  assert.match(await refusal(() => crossValidate(classifier, { x, y }, { k: 3 })), /crossValidate: .*"k".*folds/)
  assert.match(
    await refusal(() => crossValidate(classifier, { x, y }, { folds: 1 })),
    /folds: expected a whole number from 2/,
  )
  assert.match(await refusal(() => crossValidate(classifier, { x, y }, { folds: 61 })), /folds: expected at most 60/)
  const both = { stratify: true, groupBy: y }
  assert.match(
    await refusal(() => crossValidate(classifier, { x, y }, both)),
    /stratify: expected no groupBy beside it/,
  )
  assert.match(await refusal(() => crossValidate(classifier, { x }, { stratify: true })), /y: expected class numbers/)
})

test('a signal ends it', async () => {
  const controller = new AbortController()
  const reason = new Error('planned')
  const folds = []
  const onFold = ({ fold }) => {
    folds.push(fold)
    controller.abort(reason)
  }
  const long = { folds: 5, fit: { epochs: 2 }, onFold, signal: controller.signal }
  assert.match(await refusal(() => crossValidate(classifier, { x, y }, long)), /planned/)
  assert.equal(folds, [0])
  const inFit = new AbortController()
  const fit = { epochs: 1e6, callbacks: [() => inFit.abort(reason)] }
  assert.match(await refusal(() => crossValidate(classifier, { x, y }, { fit, signal: inFit.signal })), /planned/)
})

test.run()
