import { inspect } from 'node:util'
import {
  adam,
  constant,
  Dataset,
  dense,
  findLearningRate,
  meanSquaredError,
  relu,
  sequential,
  sgd,
  softmaxCrossEntropy,
  tanh,
} from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const rows = 301
const x = numbers(rows * 6, 1)
const y = Float64Array.from({ length: rows }, (_, i) => 2 * x[6 * i] - x[6 * i + 1] + x[6 * i + 2] * x[6 * i + 3])
const data = { x, y }
const labels = Int32Array.from(y, (value) => (value < -0.7 ? 0 : value < 0.7 ? 1 : 2))

function regression(optimizer = sgd()) {
  const model = sequential({ input: [6], seed: 1 }, [dense(17), tanh(), dense(1)])
  return model.compile({ loss: meanSquaredError(), optimizer })
}

function classification(optimizer) {
  const model = sequential({ input: [6], seed: 1 }, [dense(33), relu(), dense(3)])
  return model.compile({ loss: softmaxCrossEntropy(), optimizer })
}

async function refusal(work) {
  try {
    await work()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

test('the rate that is named lies within those that train well', async () => {
  const candidates = [1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3]
  const cases = [
    [regression, data, sgd],
    [regression, data, (options) => sgd({ ...options, momentum: 0.9 })],
    [regression, data, adam],
    [classification, { x, y: labels }, sgd],
    [classification, { x, y: labels }, adam],
  ]
  for (const [make, examples, optimizer] of cases) {
    const lossAt = async (learningRate) => {
      const model = make(optimizer({ learningRate }))
      await model.fit(examples, { epochs: 40, quiet: true, maxRefusedSteps: 1e6 }).done
      return (await model.evaluate(examples)).loss
    }
    const { loss: before } = await make(sgd()).evaluate(examples)
    const losses = []
    for (const rate of candidates) losses.push(await lossAt(rate))
    const good = candidates.filter((_, i) => losses[i] < before / 2)
    assert.ok(good.length > 0 && good.length < candidates.length - 1, `rates that train well: ${good}`)
    const { learningRate, reason } = await findLearningRate(make(optimizer()), examples)
    assert.ok(learningRate >= good[0] && learningRate <= good.at(-1), `${learningRate} is not within ${good}`)
    assert.ok((await lossAt(learningRate)) < before / 2)
    assert.match(reason, /^The smoothed loss falls from .*, fastest at .*; it is least at .* A tenth of .* is /)
  }
})

test('rates rise exponentially, and losses are those of a training with these rates', async () => {
  const options = { from: 1e-4, to: 0.05, steps: 53, batchSize: 32 }
  const found = await findLearningRate(regression(), data, options)
  assert.is(found.rates.length, 53)
  for (const [step, rate] of found.rates.entries()) {
    const expected = 10 ** (-4 + (step / 52) * Math.log10(500))
    assert.ok(Math.abs(rate / expected - 1) < 1e-12, `${rate}, expected ${expected}`)
  }
  const losses = []
  const schedule = Object.assign((t) => found.rates[t] ?? 0, { unit: 'step' })
  const callbacks = [{ onStepsEnd: ({ steps }) => void losses.push(...steps.loss) }]
  await regression().fit(data, { epochs: 6, batchSize: 32, schedule, callbacks, quiet: true }).done
  assert.equal(found.losses, losses.slice(0, 53))
  // Means of five neighbours, of which the nearer count more: written out for one of them.
  const reach = 3
  const weights = [1, 2, 3, 4, 3, 2, 1]
  const sum = weights.reduce((total, weight, i) => total + weight * losses[20 - reach + i], 0)
  assert.ok(Math.abs(found.smoothedLosses[20] - sum / 16) < 1e-12)
  const lowest = found.smoothedLosses.indexOf(Math.min(...found.smoothedLosses))
  assert.is(found.learningRate, found.rates[lowest] * 0.1)
})

test('the same seed gives the same result, and the model is as before', async () => {
  const model = regression(sgd({ learningRate: 0.05, momentum: 0.9 }))
  await model.fit(data, { epochs: 1, quiet: true }).done
  const before = model.getWeights()
  const dataset = new Dataset(data)
  const first = await findLearningRate(model, data, { threads: 1 })
  for (const [examples, threads] of [
    [data, 2],
    [dataset, 1],
    [dataset, undefined],
  ]) {
    assert.equal({ ...(await findLearningRate(model, examples, { threads })) }, { ...first })
  }
  assert.equal(model.getWeights(), before)
  assert.is((await model.evaluate(dataset)).loss, (await model.evaluate(data)).loss)
  const twin = regression(sgd({ learningRate: 0.05, momentum: 0.9 }))
  await twin.fit(data, { epochs: 1, quiet: true }).done
  const goOn = { epochs: 2, initialEpoch: 1, quiet: true }
  assert.equal((await model.fit(data, goOn).done).loss, (await twin.fit(data, goOn).done).loss)
})

test('a sweep ends when the loss explodes, and says where', async () => {
  const { rates, losses, reason, learningRate } = await findLearningRate(regression(), data, { to: 1e6 })
  assert.ok(rates.length < 200 && rates.length === losses.length)
  assert.ok(losses.every(Number.isFinite))
  assert.match(reason, /explodes at /)
  assert.ok(learningRate > 1e-3 && learningRate < 0.3)
  const patient = await findLearningRate(regression(), data, { to: 1e6, explosion: 1e6 })
  assert.ok(patient.rates.length > rates.length)
})

test('where no rate can be named there is null, and the reason', async () => {
  const huge = await findLearningRate(regression(), data, { from: 1e8, to: 1e9 })
  assert.is(huge.learningRate, null)
  assert.match(huge.reason, /^The loss explodes at once, at a learning rate of 1\.\d\de\+8: take a smaller from/)
  const learnt = regression()
  const still = { x, y: await learnt.predict(x) }
  const nothing = await findLearningRate(learnt, still)
  assert.is(nothing.learningRate, null)
  assert.match(nothing.reason, /^The loss falls at no learning rate from 1.00e-7 to /)
  assert.not.match(String(nothing), /▲/)
  const noise = await findLearningRate(regression(), data, { from: 1e-12, to: 1e-10 })
  assert.is(noise.learningRate, null)
  const falling = await findLearningRate(regression(), data, { to: 1e-2 })
  assert.match(falling.reason, /still falls at .*, the last: a tenth of that is safe/)
})

test('a report is printed with a plot, and is plain data', async () => {
  const found = await findLearningRate(regression(), data)
  const lines = String(found).split('\n')
  assert.is(lines[0], 'smoothed loss')
  assert.is(lines.at(-1), found.reason)
  assert.is(inspect(found), String(found))
  const marked = lines.findIndex((line) => line.includes('▲'))
  assert.is(lines[marked].trim(), `▲ ${Number(found.learningRate.toPrecision(3))}`)
  const share = Math.log(found.learningRate / 1e-7) / Math.log(found.rates.at(-1) / 1e-7)
  assert.is(lines[marked].indexOf('▲') - lines[1].indexOf('┤') - 1, Math.round(59 * share))
  assert.equal(JSON.parse(JSON.stringify(found)), { ...found })
})

test('a signal ends the sweep', async () => {
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  assert.is(await refusal(() => findLearningRate(regression(), data, { signal })), 'undefined enough')
  const controller = new AbortController()
  const endless = findLearningRate(regression(), data, { steps: 1e9, to: 1e-6, signal: controller.signal })
  setImmediate(() => controller.abort(reason))
  assert.is(await refusal(() => endless), 'undefined enough')
})

test('bad input is refused, by name', async () => {
  const cases = [
    [{ from: 0 }, /from: expected a positive number, received 0/],
    [{ to: Number.NaN }, /to: /],
    [{ from: 1, to: 1 }, /to: expected a rate over from, which is 1, received 1/],
    [{ steps: 19 }, /steps: expected at least 20, received 19/],
    [{ steps: 99.5 }, /steps: /],
    [{ batchSize: 0 }, /batchSize: /],
    [{ explosion: 1 }, /explosion: expected a number over 1/],
    [{ threads: 0 }, /threads: /],
    [{ signal: 1 }, /signal: /],
    [{ schedule: constant() }, /there is no option "schedule"/],
  ]
  for (const [options, message] of cases) {
    const said = await refusal(() => findLearningRate(regression(), data, options))
    assert.match(said, /^GRADUS_INVALID_ARGUMENT /)
    assert.match(said, message)
  }
  assert.match(await refusal(() => findLearningRate({}, data)), /^GRADUS_INVALID_ARGUMENT model: /)
  assert.match(await refusal(() => findLearningRate(regression(), () => [data])), /^GRADUS_INVALID_ARGUMENT data: /)
  assert.match(await refusal(() => findLearningRate(regression(), { x: [], y: [] })), /at least one example/)
  const plain = sequential({ input: [6], seed: 1 }, [dense(1)])
  assert.match(await refusal(() => findLearningRate(plain, data)), /^GRADUS_NOT_COMPILED /)
})

test.run()
