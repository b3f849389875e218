// Layers as they are described to the core: shapes, parameters, starting values, and what is said of bad arguments.
import {
  batchNorm,
  conv2d,
  dense,
  dropout,
  elastic,
  elu,
  embedding,
  flatten,
  gelu,
  l1,
  l2,
  layerNorm,
  leakyRelu,
  maxout,
  randomNormal,
  randomUniform,
  relu,
  reshape,
  sequential,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const layers = suite('layers')
const build = (input, ...list) => sequential({ input, seed: 1 }, list)

const shapes = [
  ['dense', [7], dense(3), [3], 24],
  ['dense on the last dimension', [4, 7], dense(3), [4, 3], 24],
  ['dense without bias', [7], dense(3, { bias: false }), [3], 21],
  ['dense with an activation', [7], dense(3, { activation: 'tanh' }), [3], 24],
  ['conv2d', [8, 7, 6], conv2d(4, [3, 2], { groups: 2, stride: 2 }), [3, 3, 4], 76],
  ['relu', [2, 3], relu(), [2, 3], 0],
  ['leakyRelu', [5], leakyRelu({ slope: 0.2 }), [5], 0],
  ['elu', [5], elu(), [5], 0],
  ['gelu', [5], gelu(), [5], 0],
  ['silu', [5], silu(), [5], 0],
  ['tanh', [5], tanh(), [5], 0],
  ['sigmoid', [5], sigmoid(), [5], 0],
  ['softplus', [5], softplus(), [5], 0],
  ['softmax', [5], softmax(), [5], 0],
  ['maxout', [12], maxout(3), [4], 0],
  ['dropout', [2, 3, 4], dropout(0.5), [2, 3, 4], 0],
  ['flatten', [2, 3, 4], flatten(), [24], 0],
  ['reshape', [2, 3, 4], reshape([6, 4]), [6, 4], 0],
  ['layerNorm', [6], layerNorm(), [6], 12],
  ['batchNorm', [6], batchNorm(), [6], 24],
  ['embedding', [5], embedding(100, 8), [5, 8], 800],
]
for (const [name, input, layer, output, count] of shapes) {
  layers(`${name}: output shape and number of parameters`, () => {
    const model = build(input, layer)
    assert.equal(model.outputShape, output)
    assert.is(model.parameterCount, count)
  })
}

layers('weights are named by role, and layers counted by kind in their order', () => {
  const model = build([4], dense(4), relu(), dense(4, { name: 'dense3' }), batchNorm(), dense(2), dense(2), layerNorm())
  assert.equal(
    model.descriptor.parameters.map(({ name }) => name),
    [
      'dense1.weight',
      'dense1.bias',
      'dense3.weight',
      'dense3.bias',
      'batchNorm1.gain',
      'batchNorm1.bias',
      'batchNorm1.mean',
      'batchNorm1.variance',
      'dense2.weight',
      'dense2.bias',
      'dense4.weight',
      'dense4.bias',
      'layerNorm1.gain',
      'layerNorm1.bias',
    ],
  )
})

const close = (a, b) => assert.ok(Math.abs(a - b) <= 1e-15 * Math.abs(b), `${a} is not ${b}`)
const started = (init) => build([50], dense(150, { init })).descriptor.parameters[0].initializer

layers('initializers follow the sizes of the layer', () => {
  close(started('he').deviation, 0.2)
  close(started('lecun').deviation, Math.SQRT2 / 10)
  close(started('xavier').high, Math.sqrt(0.03))
  close(started('xavier').low, -Math.sqrt(0.03))
  assert.equal(started(undefined), started('he'))
  assert.equal(started('zeros'), { kind: 'constant', value: 0 })
  assert.equal(started('ones'), { kind: 'constant', value: 1 })
  assert.equal(started(0.25), { kind: 'constant', value: 0.25 })
  assert.equal(started(randomNormal({ deviation: 0.01 })), { kind: 'normal', mean: 0, deviation: 0.01 })
  assert.equal(started(randomNormal({ mean: 2, deviation: 0 })), { kind: 'normal', mean: 2, deviation: 0 })
  assert.equal(started(randomUniform({ limit: 3 })), { kind: 'uniform', low: -3, high: 3 })
})

layers('regularizers and limits reach the weights they are for', () => {
  const options = { regularizer: l2(0.1), biasRegularizer: l1(0.2), maxNorm: 3, trainable: false }
  const { parameters } = build([2], dense(2, options), dense(2, { regularizer: elastic({ l1: 1, l2: 2 }) })).descriptor
  const seen = parameters.map(({ l1, l2, maxNorm, trainable }) => ({ l1, l2, maxNorm, trainable }))
  assert.equal(seen, [
    { l1: 0, l2: 0.1, maxNorm: 3, trainable: false },
    { l1: 0.2, l2: 0, maxNorm: undefined, trainable: false },
    { l1: 1, l2: 2, maxNorm: undefined, trainable: true },
    { l1: undefined, l2: undefined, maxNorm: undefined, trainable: true },
  ])
})

const misfits = [
  ['dense on a number', () => build([], relu(), dense(3, { name: 'head' })), /^head: expected at least one dimension/],
  ['second norm on an image', () => build(4, layerNorm(), reshape([2, 2]), layerNorm()), /^layerNorm2: .*flatten\(\)/],
  [
    'reshape to another size',
    () => build([6], reshape([4, 2])),
    /^reshape1: expected the 8 elements of \[4, 2\].*\[6\]/,
  ],
  ['maxout of a remainder', () => build([7], maxout(2)), /^maxout1: expected a last dimension.*multiple of 2.*\[7\]/],
  ['norm of an image', () => build([4, 4], layerNorm()), /^layerNorm1: expected one dimension/],
  ['batch norm of an image', () => build([4, 4], batchNorm()), /^batchNorm1: expected one dimension/],
]
for (const [name, work, message] of misfits) {
  layers(`a shape that does not fit names the layer: ${name}`, () => {
    assert.throws(work, (error) => error.code === 'GRADUS_SHAPE_MISMATCH' && message.test(error.message))
  })
}

const bad = [
  [() => dense(0), 'units'],
  [() => dense(1.5), 'units'],
  [() => dense('10'), 'units'],
  [() => dense(), 'units'],
  [() => dense(3, 'relu'), 'dense: expected an options object, received "relu"; did you mean { activation: "relu" }?'],
  [() => dense(3, null), 'dense: expected an options object'],
  [() => dense(3, { activaton: 'relu' }), 'dense: there is no option "activaton"; did you mean activation?'],
  [() => dense(3, { activation: 'swish' }), 'activation'],
  [() => dense(3, { init: 'xavierr' }), 'init'],
  [() => dense(3, { init: 'toString' }), 'init'],
  [() => dense(3, { init: Number.NaN }), 'init'],
  [() => dense(3, { biasInit: {} }), 'biasInit'],
  [() => dense(3, { bias: 0 }), 'bias'],
  [() => dense(3, { regularizer: 0.1 }), 'regularizer: expected a regularizer, such as l2(0.1), received 0.1'],
  [() => dense(3, { regularizer: { l2: -1 } }), 'regularizer.l2'],
  [() => dense(3, { maxNorm: 0 }), 'maxNorm'],
  [() => dense(3, { trainable: 'no' }), 'trainable'],
  [() => dense(3, { name: 'a/b' }), 'name'],
  [() => dense(3, { name: '__proto__' }), 'name'],
  [() => dense(3, { name: '' }), 'name'],
  [() => dropout(1), 'rate'],
  [() => dropout(-0.1), 'rate'],
  [() => dropout(Number.NaN), 'rate'],
  [() => maxout(0), 'pieces'],
  [() => leakyRelu({ slope: -1 }), 'slope'],
  [() => elu({ alpha: 0 }), 'alpha'],
  [() => relu(3), 'relu: expected an options object'],
  [() => relu({ slope: 1 }), 'relu: there is no option "slope", which leakyRelu takes'],
  [() => reshape('4'), 'shape'],
  [() => reshape([2, 0]), 'shape[1]'],
  [() => layerNorm({ epsilon: 0 }), 'epsilon'],
  [() => batchNorm({ momentum: 1 }), 'momentum'],
  [() => embedding(0, 3), 'vocabulary'],
  [() => embedding(3, -3), 'dimension'],
  [() => l1(-1), 'strength'],
  [() => l2('1'), 'strength'],
  [() => elastic({ l1: 1, l3: 1 }), 'strengths'],
  [() => randomNormal({ deviation: -1 }), 'deviation'],
  [() => randomNormal({ sigma: 1 }), 'randomNormal: there is no option "sigma"'],
  [() => randomUniform({ limit: Infinity }), 'limit'],
  [() => sequential({ input: [3] }, []), 'layers'],
  [() => sequential({ input: [3] }), 'layers'],
  [() => sequential({ input: [3] }, [relu]), 'layers[0]'],
  [() => sequential({ input: [3] }, [relu(), null]), 'layers[1]'],
  [() => sequential({ input: [3, -1] }, [relu()]), 'input[1]'],
  [() => sequential({}, [relu()]), 'input'],
  [() => sequential({ input: [3], seed: -1 }, [relu()]), 'seed'],
  [() => sequential({ input: [3], seed: 2 ** 53 }, [relu()]), 'seed'],
  [() => sequential({ input: [3], dtype: 'float16' }, [relu()]), 'dtype'],
  [() => sequential({ inputs: [3] }, [relu()]), 'sequential: there is no option "inputs"; did you mean input?'],
  [() => sequential([relu()]), 'sequential: expected options before the layers, as in sequential({ input'],
  [() => build([3], relu({ name: 'a' }), relu({ name: 'a' })), 'name'],
  [() => build([3], relu({ name: 'input' })), 'name'],
  [() => build([3], dense(3), embedding(9, 2)), 'embedding1'],
]
bad.forEach(([work, argument], i) => {
  layers(`a bad argument is named: ${argument} (${i})`, () => {
    assert.throws(work, (error) => {
      assert.is(error.code, 'GRADUS_INVALID_ARGUMENT', error.stack)
      assert.ok(error.message.startsWith(argument), error.message)
      return true
    })
  })
})

layers('sizes that overflow are refused', () => {
  const code = (work) => assert.throws(work, (error) => error.code === 'GRADUS_TOO_LARGE')
  code(() => build([2 ** 30, 2 ** 30], relu()))
  code(() => build([2 ** 30], embedding(2 ** 20, 2 ** 30)))
})

layers.run()
