// Updates of the weights over many steps against a plain float64 reference: optimizers, regularisers, limits.
import {
  adagrad,
  adam,
  adamW,
  averagedWeights,
  batchNorm,
  dense,
  elastic,
  l1,
  l2,
  meanSquaredError,
  relu,
  rmsprop,
  sequential,
  sgd,
  softmaxCrossEntropy,
  tanh,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { denseOf, difference, failure, gradient, losses, numbers, steps } from './support/reference.js'

const updates = suite('updates')
const rows = 10
const x = numbers(5 * rows)
const examples = Array.from({ length: rows }, (_, i) => x.slice(5 * i, 5 * i + 5))
const y = Int32Array.from({ length: rows }, (_, i) => (i * i) % 3)
const small = (options = {}) =>
  sequential({ input: [5], seed: 3, dtype: 'float64' }, [dense(7, options), tanh(), dense(3, options)])
const plain = (weights) => [denseOf(weights, 'dense1'), 'tanh', denseOf(weights, 'dense2')]
const whole = (epochs) => ({ epochs, batchSize: rows, shuffle: false, quiet: true })

/** Trains the reference: full batches of all examples; `penalty` adds the regulariser's gradient. */
function train(layers, loss, targets, step, rate, epochs, penalty = () => 0) {
  const states = layers.map(() => ({ weight: {}, bias: {} }))
  const history = []
  for (let t = 1; t <= epochs; t++) {
    const result = gradient(layers, loss, examples, targets)
    history.push(result.loss)
    layers.forEach((layer, l) => {
      if (typeof layer === 'string') return
      const g = result.gradients[l].weight.map((value, i) => value + penalty(layer.weight.data[i]))
      step(layer.weight.data, g, rate, t, states[l].weight)
      step(layer.bias.data, result.gradients[l].bias, rate, t, states[l].bias)
    })
  }
  return history
}

const optimizers = [
  ['sgd', sgd({ learningRate: 0.3 })],
  ['momentum', sgd({ learningRate: 0.05, momentum: 0.9 })],
  ['nesterov', sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true })],
  ['adagrad', adagrad({ learningRate: 0.1 })],
  ['rmsprop', rmsprop({ learningRate: 0.01, decayRate: 0.9 })],
  ['adam', adam({ learningRate: 0.02 })],
  ['adamW', adamW({ learningRate: 0.02, weightDecay: 0.1 })],
]
for (const [name, optimizer] of optimizers) {
  updates(`30 steps equal the reference: ${name}`, async () => {
    const model = small().compile({ loss: softmaxCrossEntropy(), optimizer })
    const layers = plain(model.getWeights())
    const expected = train(layers, losses.softmaxCrossEntropy, y, steps[name], optimizer.learningRate, 30)
    const history = await model.fit({ x, y }, whole(30)).done
    assert.ok(difference(history.loss, expected) < 1e-10)
    for (const [i, layer] of [
      ['dense1', layers[0]],
      ['dense2', layers[2]],
    ]) {
      const trained = denseOf(model.getWeights(), i)
      assert.ok(difference(trained.weight.data, layer.weight.data) < 1e-10, `${i}.weight`)
      assert.ok(difference(trained.bias.data, layer.bias.data) < 1e-10, `${i}.bias`)
    }
  })
}

const penalties = [
  ['l1', l1(0.02), (w) => 0.02 * Math.sign(w), (w) => 0.02 * Math.abs(w)],
  ['l2', l2(0.1), (w) => 0.1 * w, (w) => 0.05 * w * w],
  [
    'elastic',
    elastic({ l1: 0.01, l2: 0.2 }),
    (w) => 0.01 * Math.sign(w) + 0.2 * w,
    (w) => 0.01 * Math.abs(w) + 0.1 * w * w,
  ],
]
for (const [name, regularizer, slope, term] of penalties) {
  updates(`${name} adds its term, apart from the data loss, and its gradient`, async () => {
    const model = small({ regularizer }).compile({ loss: meanSquaredError(), optimizer: sgd({ learningRate: 0.1 }) })
    const layers = plain(model.getWeights())
    const targets = examples.map((_, i) => numbers(3, i + 9))
    const weights = [...layers[0].weight.data, ...layers[2].weight.data]
    const before = weights.reduce((sum, value) => sum + term(value), 0)
    const expected = train(layers, losses.meanSquaredError, targets, steps.sgd, 0.1, 20, slope)
    const data = { x, y: Float64Array.from(targets.flatMap((target) => [...target])) }
    assert.ok(Math.abs((await model.evaluate(data)).regularizationLoss / before - 1) < 1e-12)
    const history = await model.fit(data, whole(20)).done
    assert.ok(difference(history.loss, expected) < 1e-10)
    assert.ok(Math.abs(history.regularizationLoss[0] / before - 1) < 1e-12)
    assert.ok(difference(model.getWeights()['dense1.weight'].data, layers[0].weight.data) < 1e-10)
  })
}

updates('max-norm keeps the weights into each unit short', async () => {
  const model = small({ maxNorm: 0.8 }).compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 1 }) })
  await model.fit({ x, y }, whole(5)).done
  const {
    shape: [inputs, units],
    data,
  } = model.getWeights()['dense1.weight']
  const norms = Array.from({ length: units }, (_, j) =>
    Math.hypot(...Array.from({ length: inputs }, (_, i) => data[i * units + j])),
  )
  assert.ok(norms.every((norm) => norm <= 0.8 * (1 + 1e-12)))
  assert.ok(norms.some((norm) => norm > 0.79))
})

updates('frozen layers stay as they are, the others learn', async () => {
  const model = sequential({ input: [5], seed: 1 }, [dense(4, { trainable: false }), batchNorm(), relu(), dense(3)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
  const before = model.getWeights()
  await model.fit({ x, y }, whole(2)).done
  const after = model.getWeights()
  for (const name of ['dense1.weight', 'dense1.bias']) assert.equal(after[name], before[name])
  for (const name of ['dense2.weight', 'batchNorm1.gain', 'batchNorm1.mean'])
    assert.not.equal(after[name], before[name])
  assert.match(model.summary(), /55 parameters, 23 of them trained$/)
})

updates('the running average of the weights is kept beside them', async () => {
  const model = small().compile({
    loss: softmaxCrossEntropy(),
    optimizer: sgd({ learningRate: 0.2, average: averagedWeights({ decay: 0.2 }) }),
  })
  const expected = denseOf(model.getWeights(), 'dense1').weight.data
  for (let epoch = 0; epoch < 4; epoch++) {
    await model.fit({ x, y }, whole(1)).done
    const now = model.getWeights()['dense1.weight'].data
    const keep = Math.min(0.2, (1 + epoch) / (10 + epoch))
    for (const i of expected.keys()) expected[i] = keep * expected[i] + (1 - keep) * now[i]
  }
  assert.ok(difference(model.getWeights({ average: true })['dense1.weight'].data, expected) < 1e-12)
  const without = await failure(() => small().getWeights({ average: true }))
  assert.match(without.message, /^average: /)
})

updates.run()
