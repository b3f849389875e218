// Precision, recall, F1, specificity, balanced accuracy, log loss and area under the curve against their definitions written
// plainly: sets counted, all pairs compared.
import {
  auc,
  balancedAccuracy,
  binaryCrossEntropy,
  dense,
  f1,
  logLoss,
  multiclassHinge,
  precision,
  recall,
  sequential,
  sgd,
  softmaxCrossEntropy,
  specificity,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mirror } from './support/mirror.js'
import { numbers } from './support/reference.js'

const classification = suite('classification-metrics')
const near = (actual, expected, what, tolerance = 1e-12) => {
  const isSame = Number.isNaN(expected) ? Number.isNaN(actual) : Math.abs(actual - expected) <= tolerance
  assert.ok(isSame, `${what}: ${actual}, expected ${expected}`)
}
const sum = (values) => values.reduce((total, value) => total + value, 0)
const mean = (values) => sum(values) / values.length
const share = (part, whole) => (whole > 0 ? part / whole : 0)

/** One-versus-rest counts of one class from lists of truth and choice. */
function countsOf(isRight, isChosen, weights) {
  const over = (of) => sum(weights.map((weight, i) => (of(i) ? weight : 0)))
  return {
    truePositive: over((i) => isRight[i] && isChosen[i]),
    falsePositive: over((i) => !isRight[i] && isChosen[i]),
    falseNegative: over((i) => isRight[i] && !isChosen[i]),
    trueNegative: over((i) => !isRight[i] && !isChosen[i]),
  }
}
const formulas = {
  precision: ({ truePositive, falsePositive }) => share(truePositive, truePositive + falsePositive),
  recall: ({ truePositive, falseNegative }) => share(truePositive, truePositive + falseNegative),
  f1: ({ truePositive, falsePositive, falseNegative }) =>
    share(2 * truePositive, 2 * truePositive + falsePositive + falseNegative),
  specificity: ({ trueNegative, falsePositive }) => share(trueNegative, trueNegative + falsePositive),
}
const makers = { precision, recall, f1, specificity }
const capital = (name) => name.charAt(0).toUpperCase() + name.slice(1)
const total = (counts) =>
  Object.fromEntries(Object.keys(counts[0]).map((key) => [key, sum(counts.map((one) => one[key]))]))
const actual = ({ truePositive, falseNegative }) => truePositive + falseNegative

/** Each metric's value by its name in history. `counted`: those that the macro mean is over. */
function expectedOf(counts, counted) {
  const all = {}
  for (const [name, formula] of Object.entries(formulas)) {
    all[name] = mean(counted.map(formula))
    all[`micro${capital(name)}`] = formula(total(counts))
    all[`weighted${capital(name)}`] = share(
      sum(counts.map((one) => actual(one) * formula(one))),
      sum(counts.map(actual)),
    )
    all[`${name}OfClass1`] = formula(counts[1] ?? counts[0])
  }
  return all
}
const listFor = (one) =>
  Object.values(makers).flatMap((make) => [
    make(),
    make({ average: 'micro' }),
    make({ average: 'weighted' }),
    make({ class: one }),
  ])

/** Evaluated at once, in batches with two threads, in pieces; and in training: all the same bits. */
async function everywhere(model, data) {
  const whole = await model.evaluate(data)
  const part = (from) =>
    Object.fromEntries(Object.entries(data).map(([name, all]) => [name, all.slice(from, from + 17)]))
  const pieces = Array.from({ length: Math.ceil(data.x.length / 17) }, (_, i) => part(17 * i))
  const { loss: _, ...same } = whole
  for (const other of [
    await model.evaluate(data, { batchSize: 7, threads: 2 }),
    await model.evaluate(pieces, { threads: 1 }),
  ]) {
    const { loss: _, ...found } = other
    assert.equal(found, same)
  }
  const history = await model.fit(data, { epochs: 1, batchSize: 5, quiet: true, schedule: () => 0, shuffle: false })
    .done
  for (const [name, value] of Object.entries(same)) {
    if (name !== 'regularizationLoss') assert.equal(history[name], [value], `${name} in training`)
  }
  return whole
}

const rows = 203
const highest = (row) => row.indexOf(Math.max(...row))
const scoresOf = (count, columns, seed) => {
  const flat = numbers(count * columns, seed)
  return Array.from({ length: count }, (_, i) => [...flat.subarray(i * columns, (i + 1) * columns)])
}

classification('of classes: macro, micro, weighted and of one class, some classes empty or never chosen', async () => {
  const classes = 6
  const scores = scoresOf(rows, classes, 3)
  const labels = scores.map((row, i) => (i % 3 === 0 ? highest(row) : (i * i) % classes))
  // Class 2 has no example, class 4 is never chosen, class 5 is neither.
  for (const [i, row] of scores.entries()) {
    row[4] = row[5] = -10
    if (labels[i] === 2 || labels[i] === 5) labels[i] = 0
  }
  const chosen = scores.map(highest)
  assert.equal([...new Set(chosen)].sort(), [0, 1, 2, 3])
  assert.equal([...new Set(labels)].sort(), [0, 1, 3, 4])
  for (const sampleWeights of [labels.map(() => 1), labels.map((_, i) => i % 4)]) {
    const counts = Array.from({ length: classes }, (_, c) =>
      countsOf(
        labels.map((label) => label === c),
        chosen.map((one) => one === c),
        sampleWeights,
      ),
    )
    const counted = counts.filter((one) => one.truePositive + one.falsePositive + one.falseNegative > 0)
    assert.is(counted.length, 5)
    const model = mirror(classes, softmaxCrossEntropy(), [...listFor(1), 'balancedAccuracy'])
    const found = await everywhere(model, { x: scores, y: labels, sampleWeights })
    const expected = expectedOf(counts, counted)
    expected.balancedAccuracy = mean(counts.filter((one) => actual(one) > 0).map(formulas.recall))
    for (const [name, value] of Object.entries(expected)) near(found[name], value, name)
  }
})

classification('of yes-or-no outputs: each output is a class, of a single one yes', async () => {
  for (const outputs of [1, 3]) {
    const scores = scoresOf(rows, outputs, 5)
    const y = scores.map((row, i) => row.map((score, j) => Number((i + j) % 3 === 0 ? score > 0 : (i * (j + 2)) % 2)))
    const sampleWeights = y.map((_, i) => (i % 5) / 4)
    const counts = Array.from({ length: outputs }, (_, j) =>
      countsOf(
        y.map((row) => row[j] === 1),
        scores.map((row) => row[j] > 0),
        sampleWeights,
      ),
    )
    const model = mirror(outputs, binaryCrossEntropy(), [...listFor(outputs > 1 ? 1 : 0), 'balancedAccuracy'])
    const found = await everywhere(model, { x: scores, y, sampleWeights })
    const expected = expectedOf(counts, counts)
    expected.balancedAccuracy = mean(counts.map((one) => (formulas.recall(one) + formulas.specificity(one)) / 2))
    for (const [name, value] of Object.entries(expected)) {
      near(found[outputs > 1 ? name : name.replace('OfClass1', 'OfClass0')], value, `${name} of ${outputs}`)
    }
  }
})

classification('the examples of scikit-learn', async () => {
  const one = (value, classes) => Array.from({ length: classes }, (_, i) => Number(i === value))
  const model = mirror(3, softmaxCrossEntropy(), [...listFor(1), 'balancedAccuracy'])
  const taken = [0, 2, 1, 0, 0, 1].map((value) => one(value, 3))
  const found = await model.evaluate({ x: taken, y: Int32Array.of(0, 1, 2, 0, 1, 2) })
  // precision_score, recall_score and f1_score of y_true = [0, 1, 2, 0, 1, 2], y_pred = [0, 2, 1, 0, 0, 1].
  near(found.precision, 2 / 9, 'precision')
  near(found.microPrecision, 1 / 3, 'micro precision')
  near(found.weightedPrecision, 2 / 9, 'weighted precision')
  near(found.recall, 1 / 3, 'recall')
  near(found.f1, 4 / 15, 'f1')
  // balanced_accuracy_score of [0, 1, 0, 0, 1, 0] and [0, 1, 0, 0, 0, 1]: 0.625.
  const binary = mirror(1, binaryCrossEntropy(), ['balancedAccuracy'])
  const said = [0, 1, 0, 0, 0, 1].map((value) => [2 * value - 1])
  near((await binary.evaluate({ x: said, y: [0, 1, 0, 0, 1, 0] })).balancedAccuracy, 0.625, 'balanced accuracy')
  // roc_auc_score of [0, 0, 1, 1] and [0.1, 0.4, 0.35, 0.8]: 0.75.
  const ranked = mirror(1, binaryCrossEntropy(), ['auc'])
  near((await ranked.evaluate({ x: [[0.1], [0.4], [0.35], [0.8]], y: [0, 0, 1, 1] })).auc, 0.75, 'auc')
})

/** All pairs of yes and no: 1 where yes scores higher, ½ where the same. */
function pairs(scores, answers, weights = scores.map(() => 1)) {
  let [ordered, all] = [0, 0]
  for (const [i, yes] of answers.entries()) {
    for (const [j, no] of answers.entries()) {
      if (!yes || no) continue
      const weight = weights[i] * weights[j]
      ordered += weight * (scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0)
      all += weight
    }
  }
  return ordered / all
}
/** Half the share of pairs that lie nearer than the documented thousandth: what the bins may be wrong by. */
function bound(scores, answers) {
  let [close, all] = [0, 0]
  for (const [i, yes] of answers.entries()) {
    for (const [j, no] of answers.entries()) {
      if (!yes || no) continue
      const [a, b] = [scores[i], scores[j]]
      close += a !== b && Math.abs(a - b) < Math.max(Math.abs(a), Math.abs(b)) * 1e-3 ? 0.5 : 0
      all++
    }
  }
  return close / all
}

classification('area under the curve by all pairs: ties, weights, far scales, both kinds of output', async () => {
  const noise = numbers(rows, 8)
  const coarse = Array.from(noise, (value) => Math.round(8 * value) / 8) // many ties
  const answers = Array.from(noise, (value, i) => Number(value + numbers(rows, 9)[i] > 0.2))
  const weights = answers.map((_, i) => i % 3)
  for (const scale of [1, 1e-6, 1e6]) {
    const scores = coarse.map((value) => scale * value)
    const model = mirror(1, binaryCrossEntropy(), ['auc'])
    const data = { x: scores.map((score) => [score]), y: answers, sampleWeights: weights }
    near((await everywhere(model, data)).auc, pairs(scores, answers, weights), `ties, scale ${scale}`)
    const two = mirror(2, multiclassHinge(), [auc()])
    const rowsOf = scores.map((score) => [scale, scale + score])
    const exact = pairs(
      rowsOf.map(([a, b]) => b - a),
      answers,
    )
    near((await everywhere(two, { x: rowsOf, y: answers })).auc, exact, `two classes, scale ${scale}`, 1e-12)
  }
  const fine = [...noise]
  const limit = bound(fine, answers)
  assert.ok(limit < 1e-3, String(limit))
  const model = mirror(1, binaryCrossEntropy(), ['auc'])
  near(
    (await everywhere(model, { x: fine.map((score) => [score]), y: answers })).auc,
    pairs(fine, answers),
    'fine',
    limit,
  )
})

classification('area under the curve at the ends', async () => {
  const of = async (scores, y) =>
    (await mirror(1, binaryCrossEntropy(), ['auc']).evaluate({ x: scores.map((score) => [score]), y })).auc
  assert.is(await of([1, 2, 3, 4], [0, 0, 1, 1]), 1)
  assert.is(await of([4, 3, 2, 1], [0, 0, 1, 1]), 0)
  assert.is(await of([1, 1, 1, 1], [0, 1, 0, 1]), 0.5)
  assert.is(await of([0, -0], [0, 1]), 0.5)
  assert.is(await of([-1e-300, 1e300], [0, 1]), 1)
  assert.ok(Number.isNaN(await of([1, 2], [1, 1])), 'only yes')
  assert.ok(Number.isNaN(await of([1, 2], [0, 0])), 'only no')
})

classification('log loss is the cross-entropy of softmax or sigmoid, without class weights', async () => {
  const classes = 4
  const scores = scoresOf(rows, classes, 6)
  const y = scores.map((_, i) => (i * 7) % classes)
  const softmax = scores.map((row, i) => Math.log(sum(row.map(Math.exp))) - row[y[i]])
  const model = mirror(classes, softmaxCrossEntropy(), ['logLoss'])
  near((await everywhere(model, { x: scores, y })).logLoss, mean(softmax), 'softmax')
  const options = { epochs: 1, quiet: true, schedule: () => 0, classWeights: [1, 9, 1, 0] }
  const history = await model.fit({ x: scores, y }, options).done
  near(history.logLoss[0], mean(softmax), 'with class weights')
  assert.ok(Math.abs(history.loss[0] - mean(softmax)) > 1e-3)
  const answers = scores.map((row) => row.map((score, j) => Number(score + j > 1)))
  const sigmoid = scores.map((row, i) =>
    mean(row.map((score, j) => Math.log1p(Math.exp(answers[i][j] ? -score : score)))),
  )
  const binary = mirror(classes, binaryCrossEntropy(), [logLoss()])
  near((await everywhere(binary, { x: scores, y: answers })).logLoss, mean(sigmoid), 'sigmoid')
})

classification('scores that are no numbers choose no class', async () => {
  // Infinity − Infinity, which the first layer makes of 1e300, spoils the scores.
  const spoilt = (outputs, loss, metrics) => {
    const model = sequential({ input: [2], dtype: 'float64' }, [
      dense(2, { bias: false }),
      dense(outputs, { bias: false }),
    ])
    model.compile({ loss, optimizer: sgd(), metrics })
    const plus = Array.from({ length: outputs }, (_, i) => (i % 2 ? -1 : 1))
    model.setWeights({
      'dense1.weight': { shape: [2, 2], data: Float64Array.of(1, 0, 1e300, 1e300) },
      'dense2.weight': { shape: [2, outputs], data: Float64Array.of(...plus, ...plus.map((value) => -value)) },
    })
    return model
  }
  const list = ['precision', 'recall', 'f1', 'specificity', 'balancedAccuracy', 'accuracy']
  const x = [
    [1, 0],
    [-1, 0],
    [1, 1e300],
    [1, 1e300],
  ]
  const binary = await spoilt(1, binaryCrossEntropy(), [...list, 'auc']).evaluate({ x, y: [1, 0, 1, 0] })
  assert.ok(Number.isNaN(binary.loss) && Number.isNaN(binary.auc))
  assert.equal(
    list.map((name) => binary[name]),
    [1, 1 / 2, 2 / 3, 1, 3 / 4, 1 / 2],
  )
  const classes = await spoilt(2, softmaxCrossEntropy(), [...list, 'auc', 'confusionMatrix']).evaluate({
    x,
    y: Int32Array.of(0, 1, 0, 1),
  })
  assert.ok(Number.isNaN(classes.auc))
  assert.equal(classes.confusionMatrix, [
    [1, 0, 1],
    [0, 1, 1],
  ])
  assert.equal(
    list.map((name) => classes[name]),
    [1, 1 / 2, 2 / 3, 1, 1 / 2, 1 / 2],
  )
})

classification('metrics of the same counts share their sums', async () => {
  const program = (metrics) => mirror(5, softmaxCrossEntropy(), metrics)
  const seen = []
  const model = program([
    'precision',
    recall({ average: 'micro' }),
    f1(),
    balancedAccuracy(),
    specificity(),
    'accuracy',
  ])
  const callbacks = [{ onStepsEnd: ({ steps }) => void seen.push(steps.metricSums.length) }]
  const data = { x: scoresOf(10, 5, 1), y: Int32Array.from({ length: 10 }, (_, i) => i % 5) }
  await model.fit(data, { epochs: 1, quiet: true, callbacks }).done
  assert.equal(seen, [1 + 3 * 5 + 2])
})

classification.run()
