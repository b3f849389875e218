// What a gradient check says of right and wrong gradients, of kinks, of steps and of bad input.
import {
  adam,
  assertGradients,
  batchNorm,
  customLayer,
  customRegularizer,
  dataset,
  dense,
  dropout,
  elu,
  embedding,
  gradientCheck,
  gradientCheckFunction,
  graph,
  huber,
  input,
  l1,
  l2,
  layerNorm,
  maxout,
  meanAbsoluteError,
  multiclassHinge,
  relu,
  sequential,
  softmaxCrossEntropy,
  tanh,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { forward, numbers } from './support/reference.js'

const test = suite('gradient check')

const labels = (rows, classes) => Int32Array.from({ length: rows }, (_, i) => (3 * i + (i >> 2)) % classes)
const compiled = (model, loss = softmaxCrossEntropy()) => model.compile({ loss, optimizer: adam() })
const chain = (layers, options) => compiled(sequential({ input: [5], seed: 4, ...options }, layers))
const rows = 9
const data = { x: numbers(rows * 5, 2), y: labels(rows, 3) }
const small = () => chain([dense(8), tanh(), dense(3)])

const refused = async (make, code, message) => {
  try {
    await make()
  } catch (error) {
    assert.is(error.code, code, error.stack)
    assert.match(error.message, message)
    return
  }
  assert.unreachable(`expected ${code}`)
}

/** Ten ReLU layers; `middle` stands between them. */
const tenLayers = (middle = []) => {
  const hidden = Array.from({ length: 9 }, () => [dense(6, { biasInit: 0.1 }), relu()])
  hidden.splice(5, 0, middle)
  return chain([...hidden.flat(), dense(3)], { seed: 11 })
}
const many = { x: numbers(60 * 5, 7), y: labels(60, 3) }
const everything = { samplesPerParameter: 'all', examples: 60, stepSize: 1e-3 }

/** y = x · gain, whose gain has a gradient that is `factor` times the right one. */
const scale = (factor, regularizer) =>
  customLayer({
    name: 'scale',
    parameters: ([n]) => ({ gain: { shape: [n], init: 1.5, regularizer } }),
    forward(x, { gain }, { cache }) {
      cache.x = x
      return x.map((v, i) => v * gain[i % gain.length])
    },
    backward(dy, { gain }, { cache }) {
      const dGain = new Float64Array(gain.length)
      for (const [i, v] of dy.entries()) dGain[i % gain.length] += factor * v * cache.x[i]
      return { dx: dy.map((v, i) => v * gain[i % gain.length]), gradients: { gain: dGain } }
    },
  })

/** On which side of 0 each unit of each layer lies for each example. */
function sides(weights, x) {
  const layers = Object.keys(weights)
    .filter((name) => name.endsWith('.weight'))
    .flatMap((name) => [{ weight: weights[name], bias: weights[name.replace('weight', 'bias')] }, 'relu'])
  layers.pop()
  const patterns = layers.filter((layer) => layer === 'relu').map(() => '')
  for (let i = 0; i < x.length; i += 5) {
    const values = forward(layers, x.subarray(i, i + 5))
    patterns.forEach((_, layer) => {
      patterns[layer] += values[2 * layer + 1].map((z) => (z > 0 ? '+' : '-')).join('')
    })
  }
  return patterns
}

test('ten ReLU layers, a step that crosses kinks: all crossings are reported with their layer, and nothing is wrong', async () => {
  const model = tenLayers()
  const weights = model.getWeights()
  for (const weight of Object.values(weights)) weight.data = Float64Array.from(weight.data)
  const report = await gradientCheck(model, many, everything)
  const still = sides(weights, many.x)
  let crossing = 0
  let checked = 0
  for (const { name, checked: count, kinks, crossings } of report.parameters) {
    const { data } = weights[name]
    assert.is(count, data.length)
    checked += count
    const expected = []
    for (let i = 0; i < data.length; i++) {
      const kept = data[i]
      const [above, below] = [1e-3, -1e-3].map((h) => {
        data[i] = kept + h
        return sides(weights, many.x).findIndex((pattern, layer) => pattern !== still[layer])
      })
      data[i] = kept
      const layer = above >= 0 ? above : below
      if (layer >= 0) expected.push([i, `relu${layer + 1}`])
    }
    assert.equal(
      crossings.map(({ index, kink }) => [index, kink]),
      expected,
      name,
    )
    assert.is(kinks, expected.length)
    crossing += kinks
  }
  assert.ok(crossing > 0.3 * checked, `${crossing} of ${checked} cross a kink`)
  assert.ok(['satisfied', 'acceptable'].includes(report.verdict), String(report))
})

test('ten ReLU layers with a mistake among them', async () => {
  for (const factor of [1, 0.9]) {
    const report = await gradientCheck(tenLayers([scale(factor)]), many, everything)
    const wrong = report.parameters.filter(({ verdict }) => verdict === 'wrong').map(({ name }) => name)
    assert.equal(wrong, factor === 1 ? [] : ['scale.gain'], String(report))
  }
})

test('twenty tanh layers are satisfied at the step that the check finds', async () => {
  const hidden = Array.from({ length: 19 }, () => [dense(12, { init: 'xavier' }), tanh()])
  const report = await gradientCheck(chain([...hidden.flat(), dense(3)]), data, { checkInput: true })
  assert.is(report.verdict, 'satisfied', String(report))
  assert.is(report.parameters.length, 41)
  assert.match(report.rule, /for 20 layers without kinks/)
})

test('every kind of layer and loss passes, inputs too', async () => {
  const layers = {
    relu: [dense(8), relu()],
    elu: [dense(8), elu({ alpha: 0.5 })],
    maxout: [dense(8), maxout(2)],
    layerNorm: [dense(8), layerNorm()],
    batchNorm: [dense(8, { bias: false }), batchNorm(), tanh()], // a bias would have the gradient 0
    dropout: [dense(8), dropout(0.4), tanh()],
  }
  const losses = { softmaxCrossEntropy: softmaxCrossEntropy(), multiclassHinge: multiclassHinge() }
  for (const [name, middle] of Object.entries(layers)) {
    for (const [lossName, loss] of Object.entries(losses)) {
      const model = compiled(sequential({ input: [5], seed: 1 }, [...middle, dense(3, { regularizer: l1(0.1) })]), loss)
      for (const options of [{ checkInput: true }, { randomness: 'fixed', method: 'directional' }]) {
        const report = await assertGradients(model, data, options)
        assert.ok(
          report.parameters.every(({ verdict }) => verdict !== 'undecidable'),
          `${name}, ${lossName}\n${report}`,
        )
      }
    }
  }
  const regression = compiled(sequential({ input: [5], seed: 1 }, [dense(4), tanh(), dense(2)]), huber({ delta: 0.3 }))
  await assertGradients(regression, { x: data.x, y: numbers(rows * 2, 8) }, { checkInput: true })
  const absolute = compiled(sequential({ input: [5], seed: 1 }, [dense(4), tanh(), dense(2)]), meanAbsoluteError())
  await assertGradients(absolute, { x: data.x, y: numbers(rows * 2, 8) }, { checkInput: true })
  const words = input([4], { name: 'words' })
  const lookup = compiled(
    graph({ inputs: [words], output: dense(3)(tanh()(dense(4)(embedding(7, 3)(words)))) }),
    huber(),
  )
  const x = Int32Array.from({ length: rows * 4 }, (_, i) => (i * 5) % 7)
  await assertGradients(lookup, { x, y: numbers(rows * 12, 3) }, { checkInput: true })
})

test('terms apart: a regularizer does not hide a wrong data gradient, nor the other way round', async () => {
  const make = (dataFactor, penaltyFactor) => {
    const regularizer = customRegularizer({
      loss: (w) => 500 * w.reduce((total, v) => total + v * v, 0),
      gradient: (w) => w.map((v) => penaltyFactor * 1000 * v),
    })
    return chain([dense(6), scale(dataFactor, regularizer), dense(3)])
  }
  const gainOf = (report) => report.parameters.find(({ name }) => name === 'scale.gain')
  const hidden = await gradientCheck(make(2, 1), data, { term: 'total' })
  assert.ok(gainOf(hidden).maxRelativeError < 1e-2, 'the total hides it')
  const found = await gradientCheck(make(2, 1), data)
  assert.is(gainOf(found).verdict, 'wrong')
  assert.is(gainOf(found).terms.data.verdict, 'wrong')
  assert.is(gainOf(found).terms.regularization.verdict, 'satisfied')
  const other = await gradientCheck(make(1, 2), data)
  assert.is(gainOf(other).terms.data.verdict, 'satisfied')
  assert.is(gainOf(other).terms.regularization.verdict, 'wrong')
  assert.is((await gradientCheck(make(2, 1), data, { term: 'regularization' })).verdict, 'satisfied')
  assert.is((await gradientCheck(make(1, 1), data)).verdict, 'satisfied')
})

test('a fixed step in a bad place is warned of, and noise is no mistake', async () => {
  const good = await gradientCheck(small(), data, { stepSize: 1e-5 })
  assert.equal(good.warnings, [])
  assert.is(good.stepSize, 1e-5)
  const large = await gradientCheck(small(), data, { stepSize: 0.3 })
  assert.match(large.warnings[0], /stepSize 0.3 is too large/)
  const tiny = await gradientCheck(small(), data, { stepSize: 1e-13 })
  assert.match(tiny.warnings[0], /stepSize 1e-13 is too small/)
  assert.is(tiny.verdict, 'undecidable', String(tiny))
  const { curve } = await gradientCheck(small(), data)
  const at = (step) => curve.find(({ stepSize }) => Math.abs(Math.log10(stepSize / step)) < 0.1).relativeChange
  assert.ok(at(1e-4) < at(1e-1) && at(1e-4) < at(1e-9), 'truncation on one side, rounding on the other')
})

test('the model is not changed, and burn-in trains a copy', async () => {
  const model = small()
  const before = model.getWeights()
  const fresh = await gradientCheck(model, data)
  const burnt = await gradientCheck(model, data, { burnIn: 40 })
  assert.equal(model.getWeights(), before)
  assert.is(burnt.verdict, 'satisfied')
  assert.is.not(burnt.parameters[0].worst[0].analytic, fresh.parameters[0].worst[0].analytic)
  const size = ({ parameters }) =>
    Math.max(...parameters.flatMap(({ worst }) => worst.map((w) => Math.abs(w.analytic))))
  assert.ok(size(burnt) < size(fresh), 'the loss has fallen')
})

test('a layer that differs between equal evaluations is named', async () => {
  const noisy = customLayer({
    name: 'noisy',
    forward: (x) => x.map((v) => v + Math.random()),
    backward: (dy) => ({ dx: dy }),
  })
  const model = chain([dense(4), noisy, tanh(), dense(3)])
  await refused(() => gradientCheck(model, data), 'GRADUS_NOT_DETERMINISTIC', /^noisy differs/)
  const f = () => Math.random()
  await refused(() => gradientCheckFunction(f, (x) => x, [1]), 'GRADUS_NOT_DETERMINISTIC', /fix its randomness/)
})

test('the report: samples, JSON and a table', async () => {
  const model = chain([dense(30, { regularizer: l2(0.1) }), tanh(), dense(3)])
  const report = await gradientCheck(model, dataset(data), { seed: 3 })
  assert.is(report.verdict, 'satisfied')
  assert.equal(
    report.parameters.map(({ name, checked }) => [name, checked]),
    [
      ['dense1.weight', 20],
      ['dense1.bias', 20],
      ['dense2.weight', 20],
      ['dense2.bias', 3],
    ],
  )
  const json = JSON.parse(JSON.stringify(report))
  assert.equal(json.parameters[0].worst.length, 5)
  assert.equal(Object.keys(json.parameters[0].worst[0]).slice(0, 2), ['index', 'term'])
  assert.is(json.maxRelativeError, Math.max(...json.parameters.map((parameter) => parameter.maxRelativeError)))
  assert.match(String(report), /^gradient check: satisfied/)
  assert.match(String(report), /dense1.weight\s+satisfied/)
  assert.equal(JSON.parse(JSON.stringify(await gradientCheck(model, data, { seed: 3 }))), json, 'the same seed')
  const progress = []
  await gradientCheck(model, data, { onProgress: (at) => progress.push(at) })
  assert.ok(progress.length > 4 && progress.every(({ done, total }) => done <= total))
})

test('functions', async () => {
  const cubes = (x) => x.reduce((sum, v) => sum + v ** 3, 0)
  const right = gradientCheckFunction(cubes, (x) => x.map((v) => 3 * v * v), new Float64Array([1, -2, 0, 3]))
  assert.is(right.verdict, 'satisfied')
  assert.is(right.parameters[0].checked, 4)
  const wrong = gradientCheckFunction(cubes, (x) => x.map((v) => 3.1 * v * v), [1, 2])
  assert.is(wrong.verdict, 'wrong')
  assert.ok(Math.abs(wrong.maxRelativeError - 0.1 / 3.1) < 1e-6)
  const softmax = (x) => Math.log(x.reduce((sum, v) => sum + Math.exp(v), 0)) - x[0]
  const slope = (x) => {
    const total = x.reduce((sum, v) => sum + Math.exp(v), 0)
    return x.map((v, i) => Math.exp(v) / total - (i === 0 ? 1 : 0))
  }
  assert.is(gradientCheckFunction(softmax, slope, numbers(50, 3)).verdict, 'satisfied')
  const uneasy = gradientCheckFunction(softmax, (x) => slope(x).map((v) => v * 1.001), numbers(50, 3))
  assert.is(uneasy.verdict, 'uneasy')
})

test('bad input', async () => {
  const model = small()
  const bad = (options, message) =>
    refused(() => gradientCheck(model, data, options), 'GRADUS_INVALID_ARGUMENT', message)
  await bad({ samples: 3 }, /there is no option "samples"/)
  await bad({ samplesPerParameter: 0 }, /^samplesPerParameter/)
  await bad({ stepSize: -1 }, /^stepSize/)
  await bad({ term: 'both' }, /^term/)
  await bad({ term: 'regularization' }, /the model has no regularizer/)
  await bad({ method: 'full' }, /^method/)
  await bad({ burnIn: -1 }, /^burnIn/)
  await bad({ signal: 5 }, /^signal/)
  await refused(() => gradientCheck({}, data), 'GRADUS_INVALID_ARGUMENT', /^model/)
  await refused(() => gradientCheck(model, []), 'GRADUS_INVALID_ARGUMENT', /^data/)
  await refused(() => gradientCheck(model, { x: new Float64Array(0), y: [] }), 'GRADUS_INVALID_ARGUMENT', /example/)
  const bare = sequential({ input: [5] }, [dense(3)])
  await refused(() => gradientCheck(bare, data), 'GRADUS_NOT_COMPILED', /compile/)
  const frozen = chain([dense(3, { trainable: false })])
  await refused(() => gradientCheck(frozen, data), 'GRADUS_INVALID_ARGUMENT', /frozen/)
  const stop = AbortSignal.abort(new Error('enough'))
  await gradientCheck(model, data, { signal: stop }).then(assert.unreachable, (error) =>
    assert.is(error.message, 'enough'),
  )
  await refused(() => gradientCheckFunction(1, 2, 3), 'GRADUS_INVALID_ARGUMENT', /^f:/)
  await refused(
    () =>
      gradientCheckFunction(
        () => 1,
        (x) => x,
        ['a'],
      ),
    'GRADUS_INVALID_ARGUMENT',
    /^x/,
  )
  await refused(
    () =>
      gradientCheckFunction(
        () => 1,
        () => [1],
        [1, 2],
      ),
    'GRADUS_INVALID_ARGUMENT',
    /^gradient/,
  )
  await refused(
    () =>
      gradientCheckFunction(
        () => Number.NaN,
        (x) => x,
        [1],
      ),
    'GRADUS_NON_FINITE',
    /f\(x\)/,
  )
})

test.run()
