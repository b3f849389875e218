// Schedules at work in fit: of the learning rate, of momentum, of weight decay.
import {
  adagrad,
  adam,
  constant,
  cosine,
  dense,
  exponentialDecay,
  linearRamp,
  lion,
  muon,
  piecewise,
  reduceOnPlateau,
  rmsprop,
  sequential,
  sgd,
  softmaxCrossEntropy,
  stepDecay,
  tanh,
  warmup,
} from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gradient, losses, numbers } from './support/reference.js'

const rows = 23
const x = numbers(rows * 3, 1)
const y = Int32Array.from(numbers(rows, 2), (value) => Math.floor((value + 1) * 2))
const batchSize = 5
const stepsPerEpoch = Math.ceil(rows / batchSize)

function smallModel(optimizer) {
  const model = sequential({ input: [3], seed: 3, dtype: 'float64' }, [dense(5), tanh(), dense(4)])
  return model.compile({ loss: softmaxCrossEntropy(), optimizer, metrics: ['accuracy'] })
}

const fit = (model, options) => model.fit({ x, y }, { batchSize, shuffle: false, quiet: true, ...options }).done
const weightsOf = (model) => Object.values(model.getWeights()).map(({ data }) => Array.from(data))

async function refusal(work) {
  try {
    await work()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

/** The weights after some epochs of `update(w, g, state, step)`, in plain float64 JavaScript. */
function simulate(model, epochs, update) {
  const { 'dense1.weight': w1, 'dense1.bias': b1, 'dense2.weight': w2, 'dense2.bias': b2 } = model.getWeights()
  const layers = [{ weight: w1, bias: b1 }, 'tanh', { weight: w2, bias: b2 }]
  const tensors = [w1, b1, w2, b2].map(({ data }) => ({ data, states: Array.from(data, () => ({ m: 0, v: 0 })) }))
  const examples = Array.from({ length: rows }, (_, row) => x.slice(3 * row, 3 * row + 3))
  for (let step = 0; step < epochs * stepsPerEpoch; step++) {
    const first = (step % stepsPerEpoch) * batchSize
    const batch = [examples, Array.from(y)].map((list) => list.slice(first, first + batchSize))
    const { gradients } = gradient(layers, losses.softmaxCrossEntropy, ...batch)
    const [one, , two] = gradients
    const slopes = [one.weight, one.bias, two.weight, two.bias]
    tensors.forEach(({ data, states }, k) => {
      data.forEach((w, i) => {
        data[i] = update(w, slopes[k][i], states[i], step)
      })
    })
  }
  return tensors.map(({ data }) => Array.from(data))
}

function near(actual, expected, what) {
  actual.forEach((values, k) => {
    values.forEach((value, i) => {
      const off = Math.abs(value - expected[k][i])
      assert.ok(off <= 1e-12, `${what}: weight ${k}[${i}] is ${value}, expected ${expected[k][i]}`)
    })
  })
}

test('units: an epoch has one rate, a step each its own', async () => {
  const epochs = 4
  const model = smallModel(sgd({ learningRate: 0.2 }))
  const byEpoch = await fit(model, { epochs, schedule: exponentialDecay({ rate: 0.3 }) })
  assert.equal(
    byEpoch.learningRate,
    [0, 1, 2, 3].map((epoch) => 0.2 * Math.exp(-0.3 * epoch)),
  )
  const rates = []
  const callbacks = [{ onStepsEnd: ({ steps }) => void rates.push(...steps.learningRates) }]
  const schedule = warmup({ length: 7, unit: 'step' }).followedBy(cosine({ length: 13, unit: 'step' }))
  const byStep = await fit(model, { epochs, schedule, callbacks, stepsPerCall: 3 })
  const rate = (t) => (t < 7 ? (0.2 * (t + 1)) / 7 : 0.1 * (1 + Math.cos((Math.PI * (t - 7)) / 13)))
  assert.is(rates.length, 20)
  for (const [t, value] of rates.entries()) assert.ok(Math.abs(value - rate(t)) < 1e-15, `step ${t}: ${value}`)
  assert.equal(
    byStep.learningRate,
    [4, 9, 14, 19].map((t) => rates[t]),
  )
  assert.is(byStep.momentum, undefined)
  assert.is(byStep.weightDecay, undefined)
})

test('rates by step act as a plain loop with these rates', async () => {
  const model = smallModel(sgd({ learningRate: 0.4 }))
  const expected = simulate(model, 3, (w, g, _, step) => w - (0.4 / (1 + 0.3 * step)) * g)
  await fit(model, { epochs: 3, schedule: Object.assign((t, rate) => rate / (1 + 0.3 * t), { unit: 'step' }) })
  near(weightsOf(model), expected, 'rates')
})

test('momentum by step: sgd, nesterov and adam act as a plain loop with these momenta', async () => {
  const momentum = (step) => Math.min(0.9, 0.5 + (0.4 * step) / 10)
  const cases = [
    [
      sgd({ learningRate: 0.1, momentum: 0.9 }),
      (w, g, state, step) => {
        state.v = momentum(step) * state.v - 0.1 * g
        return w + state.v
      },
    ],
    [
      sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
      (w, g, state, step) => {
        const before = state.v
        state.v = momentum(step) * before - 0.1 * g
        return w - momentum(step) * before + (1 + momentum(step)) * state.v
      },
    ],
    [
      adam({ learningRate: 0.01 }),
      (w, g, state, step) => {
        const beta = momentum(step)
        state.m = beta * state.m + (1 - beta) * g
        state.v = 0.999 * state.v + 0.001 * g * g
        state.product = (state.product ?? 1) * beta // the weight of the zero that m began with
        const [m, v] = [state.m / (1 - state.product), state.v / (1 - 0.999 ** (step + 1))]
        return w - (0.01 * m) / (Math.sqrt(v) + 1e-8)
      },
    ],
  ]
  for (const [optimizer, update] of cases) {
    const model = smallModel(optimizer)
    const expected = simulate(model, 4, update)
    const momentumSchedule = linearRamp({ from: 0.5, to: 0.9, length: 10, unit: 'step' })
    const history = await fit(model, { epochs: 4, momentumSchedule })
    near(weightsOf(model), expected, optimizer.descriptor.kind)
    assert.equal(
      history.momentum,
      [4, 9, 14, 19].map((step) => momentumSchedule(step)),
    )
    assert.is(history.weightDecay, undefined)
  }
})

test('weight decay by epoch, with a rate and a momentum by step, acts as a plain loop with these', async () => {
  const model = smallModel(sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.2 }))
  const expected = simulate(model, 4, (w, g, state, step) => {
    const [rate, momentum] = [0.1 * 0.9 ** step, 0.6 + 0.01 * step]
    const decay = Math.floor(step / stepsPerEpoch) < 2 ? 0.2 : 0.6
    state.v = momentum * state.v - rate * g
    return w + state.v - rate * decay * w
  })
  const seen = []
  const history = await fit(model, {
    epochs: 4,
    schedule: stepDecay({ every: 1, factor: 0.9, unit: 'step' }),
    momentumSchedule: linearRamp({ from: 0.6, to: 0.8, length: 20, unit: 'step' }),
    weightDecaySchedule: piecewise({ boundaries: [2], factors: [1, 3] }),
    callbacks: [{ onStepsEnd: ({ steps }) => void seen.push([steps.momenta.length, steps.weightDecays[0]]) }],
    stepsPerCall: 5,
  })
  near(weightsOf(model), expected, 'all three')
  assert.equal(
    history.weightDecay,
    [1, 1, 3, 3].map((factor) => 0.2 * factor),
  )
  assert.equal(
    seen,
    [1, 1, 3, 3].map((factor) => [5, 0.2 * factor]),
  )
})

test("the optimizer's own momentum is what a schedule gets", async () => {
  const optimizers = [
    [sgd({ momentum: 0.8 }), 0.8],
    [adam({ beta1: 0.85 }), 0.85],
    [adam({ beta1: 0 }), 0],
    [rmsprop({ momentum: 0.7 }), 0.7],
    [lion({ beta1: 0.75 }), 0.75],
    [muon({ momentum: 0.8 }), 0.8],
  ]
  for (const [optimizer, momentum] of optimizers) {
    const plain = smallModel(optimizer)
    const scheduled = smallModel(optimizer)
    await fit(plain, { epochs: 2 })
    const history = await fit(scheduled, { epochs: 2, momentumSchedule: constant(), weightDecaySchedule: constant() })
    assert.equal(history.momentum, [momentum, momentum])
    assert.equal(weightsOf(scheduled), weightsOf(plain))
    const other = smallModel(optimizer)
    await fit(other, { epochs: 2, momentumSchedule: constant(0.3) })
    assert.not.equal(weightsOf(other), weightsOf(plain), optimizer.descriptor.kind)
  }
})

test('bad schedules are refused, at once or in the step that they are bad for', async () => {
  const cases = [
    [
      sgd(),
      { momentumSchedule: constant(0.5) },
      /momentumSchedule: expected an optimizer with momentum, received sgd /,
    ],
    [adagrad(), { momentumSchedule: constant(0.5) }, /received adagrad without/],
    [rmsprop(), { momentumSchedule: constant(0.5) }, /received rmsprop without/],
    [rmsprop({ centered: true }), { momentumSchedule: constant(0.5) }, /received rmsprop_centered without/],
    [adam(), { momentumSchedule: 0.5 }, /momentumSchedule: expected a function, received 0.5/],
    [adam(), { weightDecaySchedule: {} }, /weightDecaySchedule: expected a function/],
    [adam(), { schedule: Object.assign(() => 1, { unit: 'batch' }) }, /schedule.unit: expected one of 'step', 'epoch'/],
    [adam(), { momentumSchedule: constant(1) }, /momentumSchedule: .* less than 1, received 1 for epoch 0/],
    [adam(), { momentumSchedule: () => Number.NaN }, /momentumSchedule: .* received NaN/],
    [
      adam(),
      { momentumSchedule: linearRamp({ from: 0.8, to: 2, length: 12, unit: 'step' }) },
      /momentumSchedule: .* received 1 for step 2/,
    ],
    [adam(), { weightDecaySchedule: (t) => 1 - t }, /weightDecaySchedule: .* from 0 up, received -1 for epoch 2/],
    [
      adam(),
      { schedule: reduceOnPlateau({ monitor: 'valLoss' }) },
      /schedule.monitor: there is no column "valLoss"; fit has no validation/,
    ],
  ]
  for (const [optimizer, options, message] of cases) {
    const said = await refusal(() => fit(smallModel(optimizer), { epochs: 3, ...options }))
    assert.match(said, /^GRADUS_INVALID_ARGUMENT /)
    assert.match(said, message)
  }
})

/** The rates of the epochs that follow from what each of them ended with. */
function plateauRates(values, initial, { patience, threshold }) {
  let [rate, best, waited] = [initial, Number.POSITIVE_INFINITY, 0]
  return values.map((value) => {
    const used = rate
    if (value < best - threshold * Math.min(best, Number.MAX_VALUE)) [best, waited] = [value, 0]
    else if (++waited === patience) [rate, waited] = [rate / 2, 0]
    return used
  })
}

test('reduce on plateau goes by the validation loss of the run', async () => {
  const validation = { x: numbers(11 * 3, 9), y: Int32Array.from({ length: 11 }, (_, i) => i % 4) }
  const plateau = { patience: 2, threshold: 0.01 }
  const schedule = reduceOnPlateau(plateau)
  const options = { epochs: 30, validation, schedule }
  const model = smallModel(sgd({ learningRate: 2 }))
  for (const _ of ['a run', 'another, from the start again']) {
    const { valLoss, learningRate } = await fit(model, options)
    assert.equal(learningRate, plateauRates(valLoss, 2, plateau))
    assert.ok(new Set(learningRate).size > 3)
  }
  // Large accuracies are good; the epoch of the warm-up does not count.
  const finest = { patience: 2, threshold: 0 }
  const byAccuracy = await fit(smallModel(sgd({ learningRate: 2 })), {
    ...options,
    schedule: warmup({ length: 1 }).followedBy(reduceOnPlateau({ ...finest, monitor: 'accuracy' })),
  })
  const misses = byAccuracy.accuracy.slice(1).map((accuracy) => 100 - accuracy)
  assert.equal(byAccuracy.learningRate, [2, ...plateauRates(misses, 2, finest)])
})

test('a run that goes on goes on with its plateau', async () => {
  const schedule = reduceOnPlateau({ patience: 2, threshold: 0.02 })
  // One object in two places is two plateaus.
  const options = { schedule, weightDecaySchedule: schedule }
  const optimizer = sgd({ learningRate: 2, weightDecay: 1e-3 })
  const [whole, parts] = [smallModel(optimizer), smallModel(optimizer)]
  const expected = await fit(whole, { epochs: 20, ...options })
  const first = await fit(parts, { epochs: 9, ...options })
  const second = await fit(parts, { epochs: 20, initialEpoch: 9, ...options })
  for (const column of ['learningRate', 'weightDecay']) {
    assert.equal([...first[column], ...second[column]], expected[column])
  }
  assert.ok(second.learningRate[0] < 2)
  assert.equal(weightsOf(parts), weightsOf(whole))
})

test.run()
