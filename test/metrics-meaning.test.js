// What metrics count follows from the loss: classes, answers of yes or no, or plain numbers; and how much each example
// counts, from its own weight alone.

import {
  accuracy,
  binaryCrossEntropy,
  customLoss,
  huber,
  meanAbsoluteError,
  meanSquaredError,
  multiclassHinge,
  oneVsAllHinge,
  precision,
  recall,
  softmaxCrossEntropy,
  topKAccuracy,
} from 'gradus'
import * as kernels from 'gradus/kernels'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mirror } from './support/mirror.js'

const meaning = suite('metrics-meaning')

const standing = { epochs: 1, quiet: true, schedule: () => 0, shuffle: false }

meaning('accuracy of several yes-or-no outputs counts answers', async () => {
  const model = mirror(3, binaryCrossEntropy(), ['accuracy'])
  const right = await model.evaluate({ x: [[1, -2, 3]], y: [[1, 0, 1]] })
  assert.is(right.accuracy, 1)
  const alwaysNo = {
    x: [1, 2, 3, 4].map(() => [-1, -2, -3]),
    y: [
      [1, 1, 0],
      [1, 1, 1],
      [1, 0, 1],
      [0, 0, 0],
    ],
  }
  assert.is((await model.evaluate(alwaysNo)).accuracy, 5 / 12)
  const weighted = await model.evaluate({ ...alwaysNo, sampleWeights: [3, 1, 0, 2] })
  assert.ok(Math.abs(weighted.accuracy - (3 * (1 / 3) + 2) / 6) < 1e-15)
  const { accuracy } = await model.fit(alwaysNo, standing).done
  assert.equal(accuracy, [5 / 12])
})

meaning('class weights act on the loss alone: metrics count examples by their own weights', async () => {
  const metrics = ['accuracy', 'confusionMatrix', topKAccuracy(1)]
  const examples = {
    x: Array.from({ length: 20 }, (_, i) => (i % 5 < 4 ? [1, 0] : [0.5, 0])),
    y: Int32Array.from({ length: 20 }, (_, i) => (i % 5 < 4 ? 0 : 1)),
  }
  const options = { ...standing, batchSize: 3, classWeights: [1, 50], validation: examples }
  const history = await mirror(2, softmaxCrossEntropy(), metrics).fit(examples, options).done
  const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, expected ${expected}`)
  const counts = [
    [16, 0],
    [4, 0],
  ]
  for (const [accuracy, matrix, top] of [
    ['accuracy', 'confusionMatrix', 'top1Accuracy'],
    ['valAccuracy', 'valConfusionMatrix', 'valTop1Accuracy'],
  ]) {
    near(history[accuracy][0], 0.8)
    near(history[top][0], 0.8)
    assert.equal(history[matrix][0], counts)
  }
  const lossOf = (score) => Math.log1p(Math.exp(-score))
  near(history.loss[0], (16 * lossOf(1) + 4 * 50 * lossOf(-0.5)) / (16 + 200))
  near(history.valLoss[0], (16 * lossOf(1) + 4 * lossOf(-0.5)) / 20)

  const sampleWeights = examples.x.map((_, i) => 1 + (i % 3))
  const weighted = await mirror(2, softmaxCrossEntropy(), metrics).fit({ ...examples, sampleWeights }, options).done
  const sum = (of) => sampleWeights.reduce((total, weight, i) => total + (of(i) ? weight : 0), 0)
  near(weighted.accuracy[0], sum((i) => i % 5 < 4) / sum(() => true))
  assert.equal(weighted.confusionMatrix[0], [
    [sum((i) => i % 5 < 4), 0],
    [sum((i) => i % 5 === 4), 0],
  ])
})

const counts = ['accuracy', 'balancedAccuracy', 'precision', 'recall', 'f1', 'specificity']
const errors = ['r2', 'meanAbsoluteError', 'meanSquaredError', 'rootMeanSquaredError']
const every = [...counts, 'auc', 'logLoss', 'confusionMatrix', ...errors]
const [softmax, binary] = [softmaxCrossEntropy(), binaryCrossEntropy()]
/** Loss, outputs, the metrics that fit. */
const table = [
  [softmax, 3, [...counts, 'logLoss', 'confusionMatrix']],
  [softmax, 2, [...counts, 'auc', 'logLoss', 'confusionMatrix']],
  [multiclassHinge(), 3, [...counts, 'confusionMatrix']],
  [oneVsAllHinge(), 2, [...counts, 'auc', 'confusionMatrix']],
  [binary, 1, [...counts, 'auc', 'logLoss', 'confusionMatrix']],
  [binary, 3, [...counts, 'logLoss']],
  [meanSquaredError(), 3, errors],
  [meanAbsoluteError(), 1, errors],
  [huber(), 1, errors],
]

meaning('a metric that does not fit the loss is refused at compile, by name, with those that do', () => {
  for (const [loss, outputs, fitting] of table) {
    for (const name of every) {
      const compile = () => mirror(outputs, loss, [name])
      if (fitting.includes(name)) {
        compile()
        continue
      }
      assert.throws(compile, ({ code, message }) => {
        assert.is(code, 'GRADUS_INVALID_ARGUMENT')
        assert.ok(message.startsWith(`metrics[0]: ${name} `), message)
        const isOfOtherKind = fitting.includes('r2') !== errors.includes(name)
        if (isOfOtherKind)
          assert.ok(message.endsWith(`what fits: ${fitting.map((one) => `'${one}'`).join(', ')}`), message)
        return true
      })
    }
  }
  for (const [loss, outputs, metric, message] of [
    [
      meanSquaredError(),
      1,
      'accuracy',
      "accuracy is for scores of classes and yes-or-no answers, and the outputs of meanSquaredError are plain numbers; what fits: 'r2', 'meanAbsoluteError', 'meanSquaredError', 'rootMeanSquaredError'",
    ],
    [
      binary,
      3,
      'confusionMatrix',
      'confusionMatrix takes one yes-or-no output or scores of classes, received 3 yes-or-no outputs',
    ],
    [binary, 3, 'auc', 'auc takes one yes-or-no output or two classes, received 3 yes-or-no outputs'],
    [softmax, 3, 'auc', 'auc takes one yes-or-no output or two classes, received 3 classes'],
    [
      multiclassHinge(),
      3,
      'logLoss',
      'logLoss takes scores that softmax makes probabilities of, which those of multiclassHinge are not',
    ],
    [
      binary,
      3,
      topKAccuracy(2),
      'top2Accuracy is for scores of classes, and the outputs of binaryCrossEntropy are yes-or-no answers; what fits: ' +
        [...counts, 'logLoss'].map((one) => `'${one}'`).join(', '),
    ],
    [softmax, 3, precision({ class: 3 }), 'class: expected one of the 3 classes, from 0 to 2, received 3'],
    [softmax, 3, topKAccuracy(4), 'expected a k of at most 3, the number of outputs, received 4'],
  ]) {
    const place = message.startsWith('class:') ? 'metrics[0].' : 'metrics[0]: '
    assert.throws(
      () => mirror(outputs, loss, [metric]),
      (error) => error.message === place + message,
    )
  }
})

meaning('a metric that is none is told what it may be', () => {
  for (const [metric, message] of [
    ['acc', 'there is no metric "acc"; did you mean "accuracy"?'],
    ['f1_score', 'there is no metric "f1_score"; did you mean "f1"?'],
    ['AUC', 'there is no metric "AUC"; did you mean "auc"?'],
    ['rmse', 'there is no metric "rmse"; did you mean "rootMeanSquaredError"?'],
    ['kappa', `there is no metric "kappa"; known are ${every.join(', ')}, topKAccuracy(k) and customMetric({ … })`],
    [accuracy, 'expected a name or a metric such as topKAccuracy(5), received function accuracy; call it: accuracy()'],
    [3, 'expected a name or a metric such as topKAccuracy(5), received 3'],
  ]) {
    assert.throws(
      () => mirror(2, softmax, [metric]),
      (error) => error.message === `metrics[0]: ${message}`,
    )
  }
  assert.throws(() => mirror(2, softmax, ['accuracy', accuracy()]), /^metrics\[1\]: "accuracy" is there already$/)
  assert.throws(
    () => precision({ average: 'mean' }),
    /average: expected one of 'macro', 'micro', 'weighted', received "mean"/,
  )
  assert.throws(
    () => precision({ class: 1, average: 'macro' }),
    /^precision: expected average or class, received both$/,
  )
  assert.throws(() => recall({ class: -1 }), /class: expected a whole number from 0 up, received -1/)
})

meaning('the slope of the absolute error is 0 where it is none, and what is no number stays so', () => {
  const [losses, gradient] = [new Float64Array(4), new Float64Array(4)]
  const options = { rows: 4, columns: 1, gradient }
  kernels.meanAbsoluteError(Float64Array.of(2, 3, 1, Number.NaN), Float64Array.of(2, 2, 2, 2), losses, options)
  assert.equal([...losses], [0, 1, 1, Number.NaN])
  assert.equal([...gradient], [0, 1, -1, Number.NaN])
})

meaning('the outputs of a loss of one’s own mean what it says', async () => {
  const made = (options) =>
    customLoss({
      name: 'own',
      forward: (output, _, { batch }) => output.slice(0, batch).fill(0),
      backward: (output) => output.slice().fill(0),
      ...options,
    })
  assert.throws(() => mirror(2, made({}), ['accuracy']), /own are plain numbers/)
  mirror(2, made({}), ['r2'])
  mirror(2, made({ targets: 'labels' }), ['accuracy', 'confusionMatrix'])
  const model = mirror(2, made({ outputs: 'answers' }), ['accuracy'])
  assert.is((await model.evaluate({ x: [[1, 1]], y: [[1, 0]] })).accuracy, 0.5)
  assert.throws(() => made({ outputs: 'probabilities' }), /outputs: expected/)
  assert.throws(() => made({ targets: 'labels', outputs: 'values' }), /outputs: expected/)
})

meaning.run()
