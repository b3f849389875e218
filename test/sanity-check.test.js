// Broken setups are named, sound ones pass, and nothing of the model is changed.
import {
  adam,
  customRegularizer,
  dense,
  l2,
  meanSquaredError,
  relu,
  sanityCheck,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
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
  assert.match(result(await sanityCheck(small(), rare), 'initialLoss').message, /always giving the classes' shares/)
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

test('what cannot be learnt by heart says how far it got', async () => {
  const data = clusters(22)
  data.x.forEach((_, i) => {
    data.x[i] = data.x[i % 8]
  }) // one input, four targets
  const { passed, message } = result(await sanityCheck(small(), data), 'overfit')
  assert.not(passed)
  assert.match(message, /20 examples are not learnt by heart: after \d+ steps the loss is [\d.]+, \d/)
})

test('the model stays as it is; checks can be left out; the report is a list', async () => {
  const model = small()
  const before = model.getWeights()
  const report = await sanityCheck(model, clusters(23), { skip: ['overfit', 'shuffledLabels'] })
  assert.equal(model.getWeights(), before)
  assert.equal(report.skipped, ['overfit', 'shuffledLabels'])
  assert.match(String(report), /^sanity checks: all passed\n✓ finiteData/)
  assert.is(JSON.parse(JSON.stringify(report)).passed, true)
  assert.equal(Object.keys(report.checks[0]).sort(), ['actual', 'advice', 'expected', 'message', 'name', 'passed'])
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
