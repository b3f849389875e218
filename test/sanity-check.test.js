// Broken setups are named, sound ones pass, and nothing of the model is changed.
import {
  adam,
  batchNorm,
  customRegularizer,
  dense,
  flatten,
  gradientCheck,
  l2,
  meanSquaredError,
  relu,
  sanityCheck,
  sequential,
  softmaxCrossEntropy,
  split,
  window,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'
import { clusters, setups } from './support/setups.js'

const test = suite('sanity check')

const refused = (promise, code, message) =>
  promise.then(assert.unreachable, (error) => {
    assert.is(error.code, code, error.stack)
    assert.match(error.message, message)
  })

assert.is(Object.keys(setups).length, 12)
for (const [name, { check, message, healthy, broken }] of Object.entries(setups)) {
  test(`${name}: found`, async () => {
    const report = await sanityCheck(...broken())
    assert.not(report.passed)
    const found = report.checks.find((entry) => entry.name === check)
    assert.not(found.passed, String(report))
    assert.match(found.message, message)
    assert.ok(found.advice)
  })
  test(`${name}: its sound twin passes`, async () => {
    const report = await sanityCheck(...healthy())
    assert.ok(report.passed, String(report))
  })
}

const small = (options) => {
  const model = sequential({ input: [8], seed: 2 }, [dense(32, options), relu(), dense(4)])
  return model.compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
}
const result = (report, name) => report.checks.find((entry) => entry.name === name)

test('the loss at chance', async () => {
  const data = clusters(20)
  const report = await sanityCheck(small(), data)
  assert.is(result(report, 'initialLoss').expected, Math.log(4))
  assert.is(result(report, 'zeroedInputs').actual.toFixed(6), Math.log(4).toFixed(6))
  const rare = { x: data.x, y: data.y.map((label, i) => (i % 12 ? 0 : label)) }
  assert.match(result(await sanityCheck(small(), rare), 'initialLoss').message, /base rate 0\.\d+/)
  const regression = sequential({ input: [8], seed: 2 }, [dense(16), relu(), dense(1)])
  regression.compile({ loss: meanSquaredError(), optimizer: adam() })
  const y = Float32Array.from(data.x.filter((_, i) => i % 8 === 0))
  const mean = y.reduce((sum, v) => sum + v, 0) / y.length
  const variance = y.reduce((sum, v) => sum + (v - mean) ** 2, 0) / y.length
  const chance = result(await sanityCheck(regression, { x: data.x, y }), 'initialLoss').expected
  assert.ok(Math.abs(chance - variance) < 1e-6)
  const far = await sanityCheck(regression, { x: data.x, y: y.map((v) => v + 30) })
  assert.not(result(far, 'initialLoss').passed)
})

test('regularization raises the loss by what the weights say', async () => {
  const model = small({ regularizer: l2(0.01) })
  const { data } = model.getWeights()['dense1.weight']
  const expected = data.reduce((sum, w) => sum + 0.005 * w * w, 0)
  const report = await sanityCheck(model, clusters(21))
  assert.ok(Math.abs(result(report, 'regularization').actual - expected) < 1e-5)
  assert.ok(result(report, 'regularization').passed)
  assert.not(result(await sanityCheck(small({ regularizer: l2(10) }), clusters(21)), 'regularization').passed)
  const lowering = customRegularizer({ loss: () => -1, gradient: (w) => w.map(() => 0) })
  assert.not(result(await sanityCheck(small({ regularizer: lowering }), clusters(21)), 'regularization').passed)
})

test('what cannot be memorized says how far it got', async () => {
  const data = clusters(22)
  data.x.forEach((_, i) => {
    data.x[i] = data.x[i % 8]
  }) // one input, four targets
  const { passed, message } = result(await sanityCheck(small(), data), 'overfit')
  assert.not(passed)
  assert.match(message, /20 examples are not memorized: after \d+ steps the loss is [\d.]+, \d/)
})

test('the model stays as it is; checks can be left out; the report is a list', async () => {
  const model = small()
  const before = model.getWeights()
  const report = await sanityCheck(model, clusters(23), { skip: ['overfit', 'shuffledLabels'] })
  assert.equal(model.getWeights(), before)
  assert.equal(report.skipped, ['overfit', 'shuffledLabels'])
  assert.match(String(report), /^sanity checks: all passed\n✓ finiteData/)
  assert.is(JSON.parse(JSON.stringify(report)).passed, true)
  assert.equal(Object.keys(report.checks[0]).sort(), [
    ...['actual', 'advice', 'expected', 'message', 'name', 'passed', 'verdict'],
  ])
})

test('fit runs it first', async () => {
  const { healthy, broken } = setups['relus dead from a bias of −10']
  const [sound, data] = healthy()
  const { loss } = await sound.fit(data, { sanityCheck: true, quiet: true }).done
  assert.is(loss.length, 1)
  const [dead] = broken()
  const before = dead.getWeights()
  await refused(dead.fit(data, { sanityCheck: true, quiet: true }).done, 'GRADUS_SANITY_CHECK', /✗ deadUnits/)
  assert.equal(dead.getWeights(), before)
  const still = sound.fit(data, { sanityCheck: true, schedule: () => 0, quiet: true })
  await refused(still.done, 'GRADUS_SANITY_CHECK', /✗ learningRate .* the learning rate is 0/)
})

test('validationSplit is looked at as validation is', async () => {
  const { x, y } = clusters(30)
  const rows = [...y.keys()].sort((a, b) => y[a] - y[b])
  const sorted = { x: rows.map((row) => x.slice(row * 8, row * 8 + 8)), y: rows.map((row) => y[row]) }
  const counts = [0, 1, 2, 3].map((label) => y.filter((of) => of === label).length)
  assert.ok(counts[3] > 90) // the last class fills the last rows
  const split = Math.round(0.1 * y.length)
  const fails = async (data, options, pattern) =>
    refused(small().fit(data, { ...options, sanityCheck: true, quiet: true }).done, 'GRADUS_SANITY_CHECK', pattern)
  const last = { ...sorted, y: sorted.y.map((label, row) => (row < y.length - split ? Math.min(label, 2) : 3)) }
  await fails(
    last,
    { validationSplit: 0.1 },
    /✗ classes +no example of class 3, of which validation has 60: .*\n.*sorted/,
  )
  const copied = { x: { data: x.slice(), shape: [600, 8] }, y: y.slice() }
  copied.x.data.copyWithin(540 * 8, 0, 30 * 8)
  await fails(copied, { validationSplit: 0.1 }, /✗ validationOverlap +30 of 60 validation examples \(50 %\)/)
  const bytes = { x: Uint8Array.from(x, (v) => 127 * (v + 1)), y: Array.from(y) }
  assert.ok((await sanityCheck(small(), bytes, { validationSplit: 0.25 })).passed)
})

test('where rows must repeat nothing can be told of what two parts share', async () => {
  const make = (seed) => {
    const { x } = clusters(seed, 400)
    const bits = x.map((v, i) => (i % 8 < 3 ? Math.sign(v) : 1))
    return {
      x: bits,
      y: Int32Array.from({ length: 400 }, (_, i) => (bits[8 * i] > 0 ? 2 : 0) + (bits[8 * i + 1] > 0 ? 1 : 0)),
    }
  }
  const report = await sanityCheck(small(), make(31), { validation: make(32) })
  const { verdict, passed, message } = result(report, 'validationOverlap')
  assert.equal([verdict, passed], ['undecided', true])
  assert.match(message, /^cannot tell: 400 of 400 validation examples \(100 %\)/)
  assert.ok(report.passed)
  assert.match(String(report), /^sanity checks: none failed, 1 undecided\n[\s\S]*\n\? validationOverlap/)
})

test('windows of one series that were dealt out at random are found, and those cut in time are not', async () => {
  const steps = numbers(2 * 1200, 5)
  const walk = (features) => {
    const series = new Float32Array(1200 * features)
    for (let i = 0; i < series.length; i++) series[i] = (series[i - features] ?? 0) + steps[i]
    return { data: series, shape: [1200, features] }
  }
  const tenths = (series) => ({ ...series, data: series.data.map((value) => Math.round(10 * value) / 10) })
  const verdictOf = async ({ train, test: validation }, shape) => {
    const model = sequential({ input: shape, seed: 1 }, [flatten(), dense(1)])
    model.compile({ loss: meanSquaredError(), optimizer: adam() })
    const skip = ['initialLoss', 'zeroedInputs', 'regularization', 'gradients', 'deadUnits', 'activationSpread']
    skip.push('learningRate', 'overfit', 'shuffledLabels', 'targetScale', 'dataScale')
    return result(await sanityCheck(model, train, { validation, skip }), 'validationOverlap')
  }
  for (const [series, cut] of [
    [walk(1).data, { length: 24, target: 0 }],
    [walk(2), { length: 24, target: 0 }],
    [tenths(walk(1)).data, { length: 24, target: 0 }],
    [walk(1).data, { length: 24, stride: 6, target: 0 }],
  ]) {
    const windows = window(series, cut)
    const shape = windows.x.shape.slice(1)
    const leaking = await verdictOf(split(windows, { fraction: 0.2, seed: 3 }), shape)
    assert.is(leaking.passed, false, leaking.message)
    assert.match(
      leaking.message,
      /^of \d+ validation windows \d+ \(\d[\d.]* %\) go on in training windows: the end of row \d+ lies/,
    )
    assert.match(leaking.advice, /split\(windows, \{ shuffle: false, gap \}\)/)
    for (const gap of [0, 24]) {
      const sound = await verdictOf(split(windows, { fraction: 0.2, shuffle: false, gap }), shape)
      assert.is(sound.verdict, 'passed', sound.message)
    }
  }
  // Rows that are no windows: of equal columns, of few values, of nothing but noughts.
  const tables = {
    noise: (i, j) => steps[(i * 31 + j * 7) % 2400] + i,
    copies: (i) => steps[i],
    answers: (i, j) => Math.round(2 * steps[(i * 13 + j * j) % 2400]),
    sparse: (i, j) => (j === i % 7 ? steps[i] : 0),
  }
  for (const [name, value] of Object.entries(tables)) {
    const table = { x: Array.from({ length: 400 }, (_, i) => Array.from({ length: 16 }, (_, j) => value(i, j))) }
    const whole = { ...table, y: Float32Array.from(table.x, ([first]) => first) }
    const found = await verdictOf(split(whole), [16])
    assert.ok(found.passed, `${name}: ${found.message}`)
  }
})

test('each feature is looked at by itself', async () => {
  const scaled = (number, factor) => {
    const data = clusters(33)
    return { ...data, x: data.x.map((v, i) => (i % 8 === number ? factor * v : v)) }
  }
  const messageOf = async (data) => result(await sanityCheck(small(), data), 'dataScale').message
  assert.match(await messageOf(scaled(5, 1000)), /not scaled: column 5 of x lies between -[\d.]+ and [\d.]+/)
  assert.match(await messageOf(scaled(2, 1e-5)), /differ in scale: column 2 of x lies between .*, where others vary by/)
  assert.match(await messageOf(scaled(2, 0)), /of the order of 1/) // a column that never varies tells nothing
  assert.match(await messageOf({ ...clusters(33), x: clusters(33).x.map((v) => 0.5 + 1e-5 * v) }), /hardly differ/)
})

test('targets of a regression are to be scaled', async () => {
  const regression = () => sequential({ input: [8], seed: 2 }, [dense(16), relu(), dense(1)])
  const { x } = clusters(34)
  const y = Float32Array.from(x.filter((_, i) => i % 8 === 0))
  const messageOf = async (change) => {
    const model = regression().compile({ loss: meanSquaredError(), optimizer: adam() })
    return result(await sanityCheck(model, { x, y: y.map(change) }), 'targetScale').message
  }
  assert.match(await messageOf((v) => v), /of the order of 1: mean/)
  assert.match(await messageOf((v) => 2e5 + 1e5 * v), /far too large: mean 19\d+/)
  assert.match(await messageOf((v) => 1e-5 * v), /far too small/)
  assert.match(await messageOf((v) => 50 + 0.1 * v), /far from 0/)
  assert.match(await messageOf(() => 3), /y is 3 everywhere/)
})

test('a bias before batch norm is named, and is no failure', async () => {
  const normed = (bias) => {
    const model = sequential({ input: [8], seed: 2 }, [dense(16, { bias }), batchNorm(), relu(), dense(4)])
    return model.compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
  }
  const { passed, message } = result(await sanityCheck(normed(true), clusters(35)), 'gradients')
  assert.ok(passed)
  assert.match(
    message,
    /but dense1\.bias, which batchNorm1 subtracts with the mean of the batch: dense\(…, \{ bias: false \}\)/,
  )
  assert.is(
    result(await sanityCheck(normed(false), clusters(35)), 'gradients').message,
    'every parameter receives a gradient',
  )
  const { warnings } = await gradientCheck(normed(true), clusters(35))
  assert.match(
    warnings[0],
    /^dense1\.bias: batchNorm1 subtracts it .* leave it out with dense\(…, \{ bias: false \}\)$/,
  )
  assert.is(warnings.length, 1)
})

test('bad input', async () => {
  const data = clusters(24)
  await refused(sanityCheck({}, data), 'GRADUS_INVALID_ARGUMENT', /^model/)
  await refused(sanityCheck(small(), []), 'GRADUS_INVALID_ARGUMENT', /^data/)
  await refused(sanityCheck(small(), data, { skip: ['everything'] }), 'GRADUS_INVALID_ARGUMENT', /^skip\[0\]/)
  await refused(sanityCheck(small(), data, { overfitExamples: 0 }), 'GRADUS_INVALID_ARGUMENT', /^overfitExamples/)
  await refused(sanityCheck(small(), { x: [], y: [] }), 'GRADUS_INVALID_ARGUMENT', /at least one example/)
  await refused(sanityCheck(sequential({ input: [8] }, [dense(4)]), data), 'GRADUS_NOT_COMPILED', /compile/)
  const enough = new Error('enough')
  await sanityCheck(small(), data, { signal: AbortSignal.abort(enough) }).then(assert.unreachable, (error) =>
    assert.is(error, enough),
  )
})

test.run()
