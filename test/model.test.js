// Models: weights, compiling, and training steps against a plain float64 reference.
import {
  adagrad,
  adam,
  averagedWeights,
  binaryCrossEntropy,
  cosine,
  dense,
  dropout,
  equalAverage,
  huber,
  meanSquaredError,
  multiclassHinge,
  oneVsAllHinge,
  powerAverage,
  r2,
  relu,
  rmsprop,
  sequential,
  sgd,
  sigmoid,
  softmax,
  softmaxCrossEntropy,
  tanh,
  topKAccuracy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { firstCall } from './support/first-call.js'
import { denseOf, difference, failure, forward, functions, numbers } from './support/reference.js'

const models = suite('model')
const rows = 10
const x = numbers(5 * rows)
const examples = Array.from({ length: rows }, (_, i) => x.slice(5 * i, 5 * i + 5))
const y = Int32Array.from({ length: rows }, (_, i) => (i * i) % 3)
const small = (options = {}, dtype = 'float64') =>
  sequential({ input: [5], seed: 3, dtype }, [dense(7, options), tanh(), dense(3, options)])
const _plain = (weights) => [denseOf(weights, 'dense1'), 'tanh', denseOf(weights, 'dense2')]
const whole = (epochs) => ({ epochs, batchSize: rows, shuffle: false, quiet: true })

models('weights are copies, in layer order', () => {
  const model = small({}, 'float32')
  const weights = model.getWeights()
  assert.equal(Object.keys(weights), ['dense1.weight', 'dense1.bias', 'dense2.weight', 'dense2.bias'])
  assert.equal(weights['dense1.weight'].shape, [5, 7])
  assert.ok(weights['dense1.weight'].data instanceof Float32Array)
  weights['dense1.weight'].data.fill(9)
  weights['dense1.weight'].shape[0] = 9
  assert.not.equal(model.getWeights(), weights)
  assert.is(model.parameterCount, 5 * 7 + 7 + 7 * 3 + 3)
  assert.ok(model.getWeights()['dense1.bias'].data.every((value) => value === 0))
})

models('the same seed starts with the same weights, another with others', () => {
  const start = (seed) => sequential({ input: [5], seed }, [dense(40)]).getWeights()['dense1.weight'].data
  assert.equal(start(3), start(3))
  assert.not.equal(start(3), start(4))
  assert.equal(start(undefined), start(0))
})

const starts = [
  ['he', 0, Math.sqrt(2 / 400)],
  ['lecun', 0, Math.sqrt(1 / 400)],
  ['xavier', 0, Math.sqrt(6 / 500 / 3)],
]
for (const [init, mean, deviation] of starts) {
  models(`weights start as ${init} says`, () => {
    const { data } = sequential({ input: [400], seed: 2 }, [dense(100, { init })]).getWeights()['dense1.weight']
    const average = data.reduce((sum, value) => sum + value, 0) / data.length
    const spread = Math.sqrt(data.reduce((sum, value) => sum + (value - average) ** 2, 0) / data.length)
    // 40,000 draws: five standard errors.
    assert.ok(Math.abs(average - mean) < (5 * deviation) / 200)
    assert.ok(Math.abs(spread / deviation - 1) < 5 / Math.sqrt(80_000))
    if (init === 'xavier') assert.ok(data.every((value) => Math.abs(value) <= Math.fround(Math.sqrt(6 / 500))))
  })
}

for (const name of Object.keys(functions)) {
  models(`predictions equal the reference: ${name}`, async () => {
    for (const [dtype, tolerance] of [
      ['float64', 1e-13],
      ['float32', 1e-5],
    ]) {
      const list = [dense(6), dense(4, { activation: name, bias: false }), dense(2)]
      const model = sequential({ input: [5], seed: 3, dtype }, list)
      const weights = model.getWeights()
      const layers = [denseOf(weights, 'dense1'), denseOf(weights, 'dense2'), name, denseOf(weights, 'dense3')]
      const outputs = await model.predict(x)
      const expected = examples.flatMap((example) => forward(layers, example).at(-1))
      assert.ok(difference(outputs.data, expected) < tolerance, `${name} ${dtype}`)
    }
  })
}

models('weights can be set, in either dtype, and come back', async () => {
  const model = small({}, 'float32')
  const other = sequential({ input: [5], seed: 8, dtype: 'float64' }, [dense(7), tanh(), dense(3)]).getWeights()
  model.setWeights(other)
  const rounded = Object.entries(other).map(([name, { data }]) => [name, Float32Array.from(data)])
  for (const [name, data] of rounded) assert.equal(model.getWeights()[name].data, data)
})

const wrong = [
  ['nothing', () => undefined, 'weights'],
  ['a missing weight', ({ 'dense2.bias': _, ...rest }) => rest, 'weights["dense2.bias"]'],
  [
    'one too many',
    (weights) => ({ ...weights, 'dense9.bias': weights['dense1.bias'] }),
    'weights: the model has no "dense9.bias"',
  ],
  ['null', (weights) => ({ ...weights, 'dense2.bias': null }), 'weights["dense2.bias"]'],
  [
    'a plain list',
    (weights) => ({ ...weights, 'dense2.bias': { shape: [3], data: [1, 2, 3] } }),
    'weights["dense2.bias"].data',
  ],
  [
    'another shape',
    (weights) => ({ ...weights, 'dense2.bias': { shape: [4], data: new Float32Array(4) } }),
    'weights["dense2.bias"].shape',
    'GRADUS_SHAPE_MISMATCH',
  ],
  [
    'no shape',
    (weights) => ({ ...weights, 'dense2.bias': { data: new Float32Array(3) } }),
    'weights["dense2.bias"].shape',
    'GRADUS_SHAPE_MISMATCH',
  ],
  [
    'fewer elements',
    (weights) => ({ ...weights, 'dense2.bias': { shape: [3], data: new Float32Array(2) } }),
    'weights["dense2.bias"].data',
  ],
  [
    'a detached array',
    (weights) => ({ ...weights, 'dense2.bias': { shape: [3], data: detached() } }),
    'weights["dense2.bias"].data',
  ],
  [
    'NaN',
    (weights) => ({ ...weights, 'dense2.bias': { shape: [3], data: Float64Array.of(0, NaN, 0) } }),
    'weights["dense2.bias"].data[1]',
  ],
  [
    'beyond float32',
    (weights) => ({ ...weights, 'dense2.bias': { shape: [3], data: Float64Array.of(0, 0, 1e39) } }),
    'weights["dense2.bias"].data[2]',
  ],
]
function detached() {
  const data = new Float32Array(3)
  structuredClone(data, { transfer: [data.buffer] })
  return data
}
for (const [name, change, argument, code = 'GRADUS_INVALID_ARGUMENT'] of wrong) {
  models(`setting weights refuses ${name}, and changes nothing`, async () => {
    const model = small({}, 'float32')
    const before = model.getWeights()
    const others = sequential({ input: [5], seed: 9 }, [dense(7), tanh(), dense(3)]).getWeights()
    const error = await failure(() => model.setWeights(change(others)))
    assert.is(error.code, code)
    assert.ok(error.message.startsWith(argument), error.message)
    assert.equal(model.getWeights(), before)
  })
}

models('shared memory may hold weights', () => {
  const model = sequential({ input: [1] }, [dense(1, { bias: false })])
  const data = new Float32Array(new SharedArrayBuffer(4)).fill(0.5)
  model.setWeights({ 'dense1.weight': { shape: [1, 1], data } })
  assert.is(model.getWeights()['dense1.weight'].data[0], 0.5)
})

models('compiling again keeps the weights', async () => {
  const model = small().compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'] })
  await model.fit({ x, y }, whole(2)).done
  const weights = model.getWeights()
  const outputs = await model.predict(x)
  model.compile({ loss: multiclassHinge(), optimizer: sgd({ momentum: 0.5 }), metrics: [topKAccuracy(2)] })
  assert.equal(model.getWeights(), weights)
  assert.equal(await model.predict(x), outputs)
  assert.ok((await model.evaluate({ x, y })).top2Accuracy >= 0)
  await model.fit({ x, y }, whole(1)).done
  assert.not.equal(model.getWeights(), weights)
})

models('a model that is not compiled can predict and nothing else', async () => {
  const model = small()
  assert.is((await model.predict(x)).data.length, 3 * rows)
  for (const call of [() => model.fit({ x, y }), () => model.evaluate({ x, y })]) {
    const error = await failure(call)
    assert.is(error.code, 'GRADUS_NOT_COMPILED')
  }
})

const image = () => sequential({ input: [28, 28] }, [dense(10)])
const head = (...layers) => sequential({ input: [5] }, layers)
const compile = (model, options) => model.compile({ loss: meanSquaredError(), optimizer: sgd(), ...options })
const bad = [
  [() => small().compile(), 'loss: expected a loss such as softmaxCrossEntropy(), received undefined'],
  [() => small().compile({ optimizer: sgd() }), 'loss'],
  [() => small().compile({ loss: meanSquaredError() }), 'optimizer'],
  [
    () => compile(small(), { loss: softmaxCrossEntropy }),
    'loss: expected a loss such as softmaxCrossEntropy(), received function softmaxCrossEntropy; did you mean softmaxCrossEntropy()?',
  ],
  [
    () => compile(small(), { loss: 'mse' }),
    'loss: expected a loss such as softmaxCrossEntropy(), received "mse"; did you mean meanSquaredError()?',
  ],
  [
    () => compile(small(), { optimizer: 'adam' }),
    'optimizer: expected an optimizer such as adam(), received "adam"; did you mean adam()?',
  ],
  [() => compile(small(), { metric: ['accuracy'] }), 'compile: there is no option "metric"; did you mean metrics?'],
  [() => compile(small(), { metrics: 'accuracy' }), 'metrics'],
  [() => compile(small(), { metrics: ['acuracy'] }), 'metrics[0]'],
  [() => compile(small(), { metrics: ['r2', r2()] }), 'metrics[1]'],
  [() => compile(small(), { metrics: ['toString'] }), 'metrics[0]'],
  [() => compile(head(dense(3), softmax()), { loss: softmaxCrossEntropy() }), 'loss'],
  [() => compile(head(dense(3, { activation: 'softmax' })), { loss: softmaxCrossEntropy() }), 'loss'],
  [() => compile(head(dense(3), sigmoid()), { loss: binaryCrossEntropy() }), 'loss'],
  [() => compile(head(dense(1)), { loss: softmaxCrossEntropy() }), 'loss', 'GRADUS_SHAPE_MISMATCH'],
  [() => compile(image(), { loss: softmaxCrossEntropy() }), 'loss', 'GRADUS_SHAPE_MISMATCH'],
  [() => compile(small(), { metrics: [topKAccuracy(4)] }), 'metrics[0]'],
  [() => sgd({ learningRate: -1 }), 'learningRate'],
  [() => sgd({ lr: 1 }), 'sgd: there is no option "lr"; did you mean learningRate?'],
  [() => sgd({ momentum: 1 }), 'momentum'],
  [
    () => adam({ learningRate: cosine({ length: 3 }) }),
    'learningRate: expected a number of at least 0, received a function; fit takes a schedule',
  ],
  [() => adam(0.1), 'adam: expected an options object, received 0.1; did you mean { learningRate: 0.1 }?'],
  [() => sgd({ nesterov: true }), 'nesterov'],
  [() => adam({ beta1: -0.1 }), 'beta1'],
  [() => adam({ beta2: 1 }), 'beta2'],
  [() => adam({ epsilon: 0 }), 'epsilon'],
  [() => adam({ weightDecay: -1 }), 'weightDecay'],
  [() => adam({ averageDecay: 0.9 }), 'adam: there is no option "averageDecay"; did you mean average?'],
  [
    () => adam({ average: 0.9 }),
    'average: expected an average such as averagedWeights({ decay: 0.999 }), received 0.9',
  ],
  [() => adam({ average: averagedWeights }), 'average: expected an average such as'],
  [() => averagedWeights({ decay: 1 }), 'decay'],
  [() => equalAverage({}), 'from'],
  [() => equalAverage({ from: 0 }), 'from'],
  [() => equalAverage({ from: 2, every: 0 }), 'every'],
  [() => equalAverage({ from: 2, unit: 'batch' }), 'unit'],
  [() => powerAverage({ gamma: -1 }), 'gamma'],
  [() => rmsprop({ decayRate: 1 }), 'decayRate'],
  [() => adagrad({ epsilon: '1' }), 'epsilon'],
  [() => multiclassHinge({ margin: 0 }), 'margin'],
  [() => oneVsAllHinge({ delta: 1 }), 'oneVsAllHinge: there is no option "delta", which huber takes; known are margin'],
  [() => huber({ delta: -1 }), 'delta'],
  [() => topKAccuracy(0), 'k'],
  [() => small().getWeights({ mean: true }), 'getWeights: there is no option "mean"'],
]
bad.forEach(([work, argument, code = 'GRADUS_INVALID_ARGUMENT'], i) => {
  models(`a bad argument is named: ${argument} (${i})`, async () => {
    const error = await failure(work)
    assert.is(error.code, code, error.stack)
    assert.ok(error.message.startsWith(argument), error.message)
  })
})

models('the summary is a table with totals', () => {
  const list = [dense(256), relu(), dropout(0.5), dense(10, { trainable: false })]
  assert.is(
    sequential({ input: [784] }, list).summary(),
    [
      'layer     output shape  parameters',
      '──────────────────────────────────',
      'input     [784]                  0',
      'dense1    [256]            200,960',
      'relu1     [256]                  0',
      'dropout1  [256]                  0',
      'dense2    [10]               2,570',
      '──────────────────────────────────',
      '203,530 parameters, 200,960 of them trained',
    ].join('\n'),
  )
})

models('a disposed model says so, and may be disposed again', async () => {
  const model = small().compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
  model[Symbol.dispose]()
  model.dispose()
  const calls = [
    () => model.getWeights(),
    () => model.setWeights({}),
    () => model.predict(x),
    () => model.evaluate({ x, y }),
    () => model.fit({ x, y }).done,
    () => model.save('never.safetensors'),
    () => model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd() }),
  ]
  for (const call of calls) assert.is((await failure(call)).code, 'GRADUS_DISPOSED', call)
})

models('a busy model refuses to change, and the run goes on unharmed', async () => {
  const model = small().compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
  const other = small().compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
  await other.fit({ x, y }, whole(500)).done
  const begun = firstCall(model.program)
  const run = model.fit({ x, y }, whole(500))
  await begun
  const calls = [
    () => model.getWeights(),
    () => model.setWeights(other.getWeights()),
    () => model.compile({ loss: meanSquaredError(), optimizer: sgd() }),
  ]
  for (const call of calls) assert.is((await failure(call)).code, 'GRADUS_BUSY')
  await run.done
  assert.equal(model.getWeights(), other.getWeights())
})

models.run()
