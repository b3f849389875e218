// Layers as they are described to the core: shapes, parameters, starting values, and what is said of bad arguments.
import {
  averagePool1d,
  averagePool2d,
  batchNorm,
  conv1d,
  conv2d,
  conv2dTranspose,
  cropping2d,
  dense,
  depthwiseConv2d,
  dropout,
  elastic,
  elu,
  embedding,
  flatten,
  gelu,
  globalAveragePool,
  globalMaxPool,
  groupNorm,
  l1,
  l2,
  layerNorm,
  leakyRelu,
  maxout,
  maxPool1d,
  maxPool2d,
  randomNormal,
  randomUniform,
  relu,
  reshape,
  separableConv2d,
  sequential,
  sigmoid,
  silu,
  softmax,
  softplus,
  spatialDropout,
  tanh,
  upsample2d,
  zeroPadding2d,
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
  ['conv1d', [9, 6], conv1d(4, 3, { stride: 2, padding: 1 }), [5, 4], 76],
  ['conv2dTranspose', [3, 4, 6], conv2dTranspose(4, 3, { stride: 2, padding: 'same' }), [6, 8, 4], 220],
  ['depthwiseConv2d', [8, 7, 6], depthwiseConv2d(3, { multiplier: 2, padding: 'same' }), [8, 7, 12], 120],
  ['separableConv2d', [8, 7, 6], separableConv2d(4, 3, { multiplier: 2 }), [6, 5, 4], 108 + 52],
  ['maxPool2d', [8, 7, 6], maxPool2d([2, 3]), [4, 2, 6], 0],
  ['averagePool2d', [8, 7, 6], averagePool2d(3, { stride: 1, padding: 'same' }), [8, 7, 6], 0],
  ['maxPool1d', [9, 6], maxPool1d(2), [4, 6], 0],
  ['averagePool1d', [9, 6], averagePool1d(3, { stride: 2, padding: 1 }), [5, 6], 0],
  ['globalMaxPool', [8, 7, 6], globalMaxPool(), [6], 0],
  ['globalAveragePool', [8, 7, 6], globalAveragePool(), [6], 0],
  ['globalMaxPool of lines', [600, 6], globalMaxPool(), [6], 0],
  ['upsample2d', [3, 4, 2], upsample2d([2, 3]), [6, 12, 2], 0],
  ['zeroPadding2d', [3, 4, 2], zeroPadding2d({ top: 1, right: 2 }), [4, 6, 2], 0],
  ['cropping2d', [5, 6, 2], cropping2d([1, 2]), [3, 2, 2], 0],
  ['spatialDropout', [5, 6, 2], spatialDropout(0.2), [5, 6, 2], 0],
  ['groupNorm', [5, 6, 4], groupNorm(2), [5, 6, 4], 8],
  ['layerNorm of an image', [5, 6, 4], layerNorm(), [5, 6, 4], 8],
  ['batchNorm of an image', [5, 6, 4], batchNorm(), [5, 6, 4], 16],
  ['batchNorm without gain', [5, 6, 4], batchNorm({ gain: false }), [5, 6, 4], 12],
  ['batchNorm without gain and bias', [6], batchNorm({ gain: false, bias: false }), [6], 12],
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
  [
    'reshape to another size',
    () => build([6], reshape([4, 2])),
    /^reshape1: expected the 8 elements of \[4, 2\].*\[6\]/,
  ],
  ['maxout of a remainder', () => build([7], maxout(2)), /^maxout1: expected a last dimension.*multiple of 2.*\[7\]/],
  ['norm of a number', () => build([], layerNorm()), /^layerNorm1: expected at least one dimension/],
  [
    'group norm of a remainder',
    () => build([3, 3, 4], groupNorm(3)),
    /^groupNorm1: expected a number of channels that 3/,
  ],
  ['dropout of channels of a line', () => build([4], spatialDropout(0.5)), /^spatialDropout1: .*two.*; dropout\(\)/],
  ['a pool of an image without channels', () => build([8, 8], maxPool2d(2)), /^maxPool2d1: .*reshape\(\[8, 8, 1\]\)/],
  [
    'a pool beyond the image',
    () => build([9, 9, 1], maxPool2d(3, { name: 'pool3' }), averagePool2d(5)),
    /^averagePool2d1: expected an input of at least 5×5, received an input of shape \[3, 3, 1\]/,
  ],
  ['a pool of a short line', () => build([3, 2], maxPool1d(5)), /^maxPool1d1: expected an input of at least 5, rec/],
  ['a pool of all of a number', () => build([3], globalMaxPool()), /^globalMaxPool1: expected height, width and/],
  [
    'nothing left of an image',
    () => build([4, 9, 1], cropping2d(2)),
    /^cropping2d1: expected an input of at least 5×5/,
  ],
  ['a line made larger', () => build([9, 2], upsample2d(2)), /^upsample2d1: expected height, width and channels/],
  [
    'a transposed convolution cut to nothing',
    () => build([1, 2, 1], conv2dTranspose(2, 3, { padding: 2 })),
    /^conv2dTranspose1: expected an input of at least 3×3, received/,
  ],
  [
    'a convolution of a line',
    () => build([9], conv1d(2, 3)),
    /^conv1d1: expected length and channels.*reshape\(\[9, 1\]/,
  ],
]
for (const [name, work, message] of misfits) {
  layers(`a shape that does not fit names the layer: ${name}`, () => {
    assert.throws(work, (error) => error.code === 'GRADUS_SHAPE_MISMATCH' && message.test(error.message))
  })
}

const bad = [
  [() => dense(0), 'dense: units'],
  [() => dense(1.5), 'dense: units'],
  [() => dense('10'), 'dense: units'],
  [() => dense(), 'dense: units'],
  [() => dense(3, 'relu'), 'dense: expected an options object, received "relu"; did you mean { activation: "relu" }?'],
  [() => dense(3, null), 'dense: expected an options object'],
  [() => dense(3, { activaton: 'relu' }), 'dense: there is no option "activaton"; did you mean activation?'],
  [() => dense(3, { activation: 'swish' }), 'dense: activation'],
  [() => dense(3, { init: 'xavierr' }), 'dense: init'],
  [() => dense(3, { init: 'toString' }), 'dense: init'],
  [() => dense(3, { init: Number.NaN }), 'dense: init'],
  [() => dense(3, { biasInit: {} }), 'dense: biasInit'],
  [() => dense(3, { bias: 0 }), 'dense: bias'],
  [() => dense(3, { regularizer: 0.1 }), 'dense: regularizer: expected a regularizer, such as l2(0.1), received 0.1'],
  [() => dense(3, { regularizer: { l2: -1 } }), 'dense: regularizer.l2'],
  [() => dense(3, { maxNorm: 0 }), 'dense: maxNorm'],
  [() => dense(3, { trainable: 'no' }), 'dense: trainable'],
  [() => dense(3, { name: 'a/b' }), 'dense: name'],
  [() => dense(3, { name: '__proto__' }), 'dense: name'],
  [() => dense(3, { name: '' }), 'dense: name'],
  [() => dropout(1), 'dropout: rate'],
  [() => dropout(-0.1), 'dropout: rate'],
  [() => dropout(Number.NaN), 'dropout: rate'],
  [() => maxout(0), 'maxout: pieces'],
  [() => leakyRelu({ slope: -1 }), 'leakyRelu: slope'],
  [() => elu({ alpha: 0 }), 'elu: alpha'],
  [() => relu(3), 'relu: expected an options object'],
  [() => relu({ slope: 1 }), 'relu: there is no option "slope", which leakyRelu takes'],
  [() => reshape('4'), 'reshape: shape'],
  [() => reshape([2, 0]), 'reshape: shape[1]'],
  [() => layerNorm({ epsilon: 0 }), 'layerNorm: epsilon'],
  [() => groupNorm(0), 'groupNorm: groups'],
  [() => batchNorm({ gain: 1 }), 'batchNorm: gain'],
  [() => maxPool2d(0), 'maxPool2d: size'],
  [() => maxPool2d(300), 'maxPool2d: size'],
  [() => maxPool2d(2, { stride: 0 }), 'maxPool2d: stride'],
  [() => maxPool1d([2, 2]), 'maxPool1d: size'],
  [() => maxPool1d(2, { padding: { left: 1 } }), 'maxPool1d: padding'],
  [() => averagePool2d(2, { countPadding: 1 }), 'averagePool2d: countPadding'],
  [() => spatialDropout(1), 'spatialDropout: rate'],
  [() => upsample2d(0.5), 'upsample2d: factor'],
  [() => upsample2d(2, { interpolation: 'cubic' }), 'upsample2d: interpolation'],
  [() => zeroPadding2d(-1), 'zeroPadding2d: padding'],
  [() => zeroPadding2d('same'), 'zeroPadding2d: padding'],
  [() => cropping2d({ up: 1 }), 'cropping2d: cropping'],
  [() => conv2dTranspose(4, 3, { outputPadding: -1 }), 'conv2dTranspose: outputPadding'],
  [() => conv2dTranspose(4, 3, { groups: 3 }), 'conv2dTranspose: groups'],
  [() => depthwiseConv2d(3, { multiplier: 0 }), 'depthwiseConv2d: multiplier'],
  [() => separableConv2d(0, 3), 'separableConv2d: filters'],
  [() => conv1d(2, 0), 'conv1d: kernel'],
  [() => batchNorm({ momentum: 1 }), 'batchNorm: momentum'],
  [() => embedding(0, 3), 'embedding: vocabulary'],
  [() => embedding(3, -3), 'embedding: dimension'],
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
