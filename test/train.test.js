import { dense, earlyStopping, meanSquaredError, sequential, sgd, stepDecay } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Reference } from './support/momentum-network.js'
import { numbers } from './support/reference.js'
import {
  allNear,
  bitsOf,
  near,
  refusal,
  rows,
  sameWeights,
  smallModel,
  weightsOf,
  x,
  y,
} from './support/small-model.js'

const referenceCases = [
  ['plain', {}],
  ['clipped by norm', { clipNorm: 0.2 }],
  ['clipped by value', { clipValue: 0.02 }],
  ['clipped by norm, then by value', { clipNorm: 0.3, clipValue: 0.05 }],
  ['with sample weights', { sampleWeights: numbers(rows, 3).map((value) => value + 1.1) }],
  ['with class weights', { classWeights: [1, 2.5, 0.5] }],
  ['accumulated', { accumulate: 3 }],
  ['one batch an epoch', { batchSize: 100 }],
]
for (const [name, options] of referenceCases) {
  test(`four epochs equal those of a plain float64 network: ${name}`, async () => {
    const { sampleWeights, ...others } = options
    const model = smallModel()
    const reference = new Reference(weightsOf(model), { inputs: 5, hidden: 7, classes: 3, l2: 0.01 })
    const settings = { epochs: 4, batchSize: 8, ...others }
    const rate = (epoch) => 0.3 * 0.5 ** Math.floor(epoch / 2)
    const expected = reference.train(x, y, { ...settings, sampleWeights, rate, momentum: 0.9 })
    const schedule = stepDecay({ every: 2 })
    const history = await model.fit({ x, y, sampleWeights }, { ...settings, schedule, shuffle: false, quiet: true })
      .done
    assert.is(history.epochs, 4)
    expected.forEach((epoch, e) => {
      for (const [column, value] of Object.entries(epoch)) near(history[column][e], value, `${column} of epoch ${e}`)
    })
    sameWeights(model, reference.weights, 1e-9)
  })
}

test('validation is evaluate on the same weights, bit for bit', async () => {
  const model = smallModel()
  const validation = { x: numbers(55, 7), y: Int32Array.from({ length: 11 }, (_, i) => i % 3) }
  const found = []
  const onEpochEnd = async () => {
    found.push(await model.evaluate(validation))
  }
  const history = await model.fit({ x, y }, { epochs: 3, validation, callbacks: [{ onEpochEnd }], quiet: true }).done
  assert.equal(
    history.valLoss,
    found.map(({ loss }) => loss),
  )
  assert.equal(
    history.valAccuracy,
    found.map(({ accuracy }) => accuracy),
  )
  assert.equal(
    history.valConfusionMatrix,
    found.map(({ confusionMatrix }) => confusionMatrix),
  )
  assert.is(new Set(history.valLoss).size, 3)
})

test('evaluate is the plain mean over the examples, for any batch size and number of threads', async () => {
  const model = smallModel()
  const reference = new Reference(weightsOf(model), { inputs: 5, hidden: 7, classes: 3, l2: 0.01 })
  const expected = reference.evaluate(x, y)
  for (const batchSize of [1, 8, 37, 256]) {
    const found = await model.evaluate({ x, y }, { batchSize, threads: 2 })
    near(found.loss, expected.loss, 'loss')
    near(found.regularizationLoss, expected.regularizationLoss, 'regularizationLoss')
    assert.is(found.accuracy, expected.accuracy)
    assert.is(
      found.confusionMatrix.flat().reduce((sum, count) => sum + count),
      rows,
    )
  }
})

test('predict gives the same bits for any batch size and number of threads', async () => {
  const model = smallModel()
  const whole = await model.predict(x, { threads: 1 })
  assert.equal(whole.shape, [rows, 3])
  for (const batchSize of [1, 5, 37]) assert.equal(await model.predict(x, { batchSize, threads: 3 }), whole)
  const reference = new Reference(weightsOf(model), { inputs: 5, hidden: 7, classes: 3, l2: 0 })
  const scores = Array.from(y, (_, row) => reference.forward(x, row).scores)
  allNear(whole.data, scores.flat(), 'output')
})

test('a validation split holds out the last rows, and trains as if they were not there', async () => {
  const [split, apart] = [smallModel(), smallModel()]
  const options = { epochs: 3, quiet: true, batchSize: 8 }
  const first = await split.fit({ x, y }, { ...options, validationSplit: 0.25 }).done
  const kept = rows - Math.round(rows * 0.25)
  const examples = { x: x.slice(0, kept * 5), y: y.slice(0, kept) }
  const validation = { x: x.slice(kept * 5), y: y.slice(kept) }
  const second = await apart.fit(examples, { ...options, validation }).done
  assert.equal([first.loss, first.valLoss], [second.loss, second.valLoss])
  assert.is(bitsOf(split), bitsOf(apart))
})

/** The same run with whole-number weights and with rows that often: the gradients are the same means. */
async function repeated(weightOf, options) {
  const examples = { x: [], y: [] }
  for (let row = 0; row < rows; row++) {
    for (let copy = 0; copy < weightOf(row); copy++) {
      examples.x.push(x.slice(5 * row, 5 * row + 5))
      examples.y.push(y[row])
    }
  }
  const model = smallModel()
  const history = await model.fit(examples, options).done
  return { model, history }
}

const wholeBatches = { epochs: 5, batchSize: 1000, shuffle: false, quiet: true }

test('a sample of weight n counts as n samples, one of weight 0 as none', async () => {
  const sampleWeights = Array.from({ length: rows }, (_, row) => row % 3)
  const weighted = smallModel()
  const history = await weighted.fit({ x, y, sampleWeights }, wholeBatches).done
  const other = await repeated((row) => row % 3, wholeBatches)
  allNear(history.loss, other.history.loss, 'loss')
  allNear(history.accuracy, other.history.accuracy, 'accuracy')
  sameWeights(weighted, weightsOf(other.model))
})

test('a class of weight n counts as n times as many samples', async () => {
  const weighted = smallModel()
  const history = await weighted.fit({ x, y }, { ...wholeBatches, classWeights: { 0: 3, 2: 2 } }).done
  const other = await repeated((row) => [3, 1, 2][y[row]], wholeBatches)
  allNear(history.loss, other.history.loss, 'loss')
  sameWeights(weighted, weightsOf(other.model))
})

test('accumulated batches are one batch of their size', async () => {
  const [accumulated, large] = [smallModel(), smallModel()]
  const options = { epochs: 3, quiet: true }
  const first = await accumulated.fit({ x, y }, { ...options, batchSize: 4, accumulate: 4 }).done
  const second = await large.fit({ x, y }, { ...options, batchSize: 16 }).done
  allNear(first.loss, second.loss, 'loss')
  sameWeights(accumulated, weightsOf(large))
})

test('a schedule by steps counts updates, from 0 in each new run', async () => {
  const model = smallModel()
  const asked = []
  const schedule = Object.assign((t, initial) => asked.push(t) && initial / (1 + t), { unit: 'step' })
  const options = { epochs: 2, batchSize: 8, stepsPerCall: 2, schedule, quiet: true }
  for (const _ of [1, 2]) {
    asked.length = 0
    const history = await model.fit({ x, y }, options).done
    assert.equal(asked, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert.equal(history.learningRate, [0.3 / 5, 0.3 / 10])
  }
  const bad = refusal(() => model.fit({ x, y }, { schedule: () => -1, quiet: true }).done)
  assert.match(await bad, /schedule: expected a learning rate from 0 up, received -1 for epoch 0/)
})

function fragile() {
  const model = sequential({ input: [2], seed: 1 }, [dense(2)])
  return model.compile({ loss: meanSquaredError(), optimizer: sgd() })
}

test('steps with a gradient that is not finite change nothing, and too many in a row end the run', async () => {
  const model = fragile()
  const before = bitsOf(model)
  const examples = { x: Array.from({ length: 8 }, () => [1e30, 1e30]), y: Array.from({ length: 8 }, () => [0, 0]) }
  const seen = []
  const callbacks = [{ onStepsEnd: ({ steps }) => void seen.push(...steps.refused) }]
  const options = { epochs: 5, batchSize: 2, maxRefusedSteps: 6, callbacks, quiet: true }
  for (const stepsPerCall of [1, 100]) {
    seen.length = 0
    const said = await refusal(() => model.fit(examples, { ...options, stepsPerCall }).done)
    assert.match(
      said,
      /^GRADUS_NON_FINITE Training gave up at step 0: \d+ elements of the gradient of dense1\.(weight|bias) were not finite, 6 times/,
    )
    assert.match(said, /smaller learningRate, clipNorm/)
    assert.equal(seen, [1, 1, 1, 1, 1, 1])
    assert.is(bitsOf(model), before)
  }
})

test('a refused step is counted, warned about once, and left out of the means', async () => {
  const warnings = []
  const listen = (warning) => warnings.push(warning)
  process.on('warning', listen)
  const good = {
    x: [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    y: [
      [1, 1],
      [1, 1],
      [1, 1],
    ],
  }
  const spoilt = { x: [...good.x, [1e30, 1e30]], y: [...good.y, [0, 0]] }
  const [model, clean] = [fragile(), fragile()]
  const options = { epochs: 2, batchSize: 1, shuffle: false, quiet: true }
  const history = await model.fit(spoilt, options).done
  const expected = await clean.fit(good, options).done
  await new Promise(setImmediate)
  process.off('warning', listen)
  assert.equal(history.refusedSteps, [1, 1])
  assert.equal(history.loss, expected.loss)
  assert.is(bitsOf(model), bitsOf(clean))
  assert.equal(
    warnings.map(({ code }) => code),
    ['GRADUS_REFUSED_STEP'],
  )
})

test('bad options are refused at once, by name', () => {
  const model = smallModel()
  const cases = [
    [{ epoch: 3 }, /^fit: there is no option "epoch"; did you mean epochs\?/],
    [{ shuffle: 0 }, /shuffle: expected true or false, received 0/],
    [{ signal: {} }, /signal: expected an AbortSignal/],
    [{ epochs: 0 }, /epochs: expected a positive integer, received 0/],
    [{ batchSize: 1.5 }, /batchSize: /],
    [{ accumulate: -1 }, /accumulate: /],
    [{ threads: 0 }, /threads: /],
    [{ initialEpoch: -1 }, /initialEpoch: /],
    [{ maxRefusedSteps: 0 }, /maxRefusedSteps: /],
    [{ clipNorm: 0 }, /clipNorm: expected a positive number/],
    [{ clipValue: Number.NaN }, /clipValue: /],
    [{ validationSplit: 1 }, /validationSplit: expected a number between 0 and 1/],
    [{ validationSplit: 0.5, validation: { x, y } }, /validationSplit: expected no validation beside it/],
    [{ schedule: 0.1 }, /schedule: expected a function/],
    [{ classWeights: [1, 2, 3, 4] }, /classWeights: expected class numbers from 0 to 2, received 3/],
    [{ classWeights: { 1: -2 } }, /classWeights\[1\]: expected a number from 0 up, received -2/],
    [{ callbacks: [7] }, /callbacks\[0\]: expected an object or a function, received 7/],
  ]
  for (const [options, message] of cases) assert.throws(() => model.fit({ x, y }, options), message)
})

test('options that nobody knows are refused by evaluate, predict and early stopping too', async () => {
  const model = smallModel()
  assert.match(await refusal(() => model.evaluate({ x, y }, { batch: 3 })), /there is no option "batch"/)
  assert.match(await refusal(() => model.predict(x, { signal: 1 })), /signal: expected an AbortSignal/)
  assert.throws(() => earlyStopping({ patient: 3 }), /there is no option "patient"/)
})

test('no examples, or none left by the split, are refused', async () => {
  const fitted = (data, options) => refusal(() => smallModel().fit(data, { quiet: true, ...options }).done)
  assert.match(await fitted({ x: [], y: [] }), /GRADUS_INVALID_ARGUMENT data: expected at least one example/)
  const one = { x: x.slice(0, 5), y: [0] }
  assert.match(await fitted(one, { validationSplit: 0.5 }), /validationSplit: expected at least one row on each side/)
  assert.match(await fitted(() => [{ x, y }], { validationSplit: 0.5 }), /validationSplit: expected data in memory/)
  assert.match(await refusal(() => smallModel().evaluate({ x: [], y: [] })), /data: expected at least one example/)
})

test.run()
