// Weights of other libraries: networks of PyTorch answer as they did there (fixtures/images/import.py made them), those of
// Keras as their own layout says, and what fits nothing or too much is told.
import { readFileSync } from 'node:fs'
import * as gradus from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { naive } from './support/naive-layers.js'
import { numbers } from './support/reference.js'

const factories = { ...gradus }
const { batchNorm, conv2d, dense, flatten, importWeights, reshape, sequential } = gradus
const test = suite('import weights')
const { cases } = JSON.parse(readFileSync(new URL('./fixtures/images/import.json', import.meta.url), 'utf8'))

const farthest = (a, b) => a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0)
const made = (shape, calls, dtype = 'float64') =>
  sequential(
    { input: shape, seed: 1, dtype },
    calls.map(([factory, ...given]) => factories[factory](...given)),
  )

for (const { name, file, input, calls, x, y } of cases) {
  for (const [dtype, tolerance] of [
    ['float64', 1e-10],
    ['float32', 1e-5],
  ]) {
    test(`answers as in PyTorch: ${name}, ${dtype}`, async () => {
      const model = made(input, calls, dtype)
      const from = await importWeights(model, Buffer.from(file, 'base64'), { from: 'pytorch' })
      assert.equal(Object.keys(from), Object.keys(model.getWeights()))
      const { data } = await model.predict(Float64Array.from(x))
      assert.is(data.length, y.length)
      const distance = farthest(Array.from(data), y)
      assert.ok(distance < tolerance, `${distance}`)
    })
  }
}

const sizes = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8 }
/** The bytes of a safetensors file: name → [shape, values], as float64 or as it says. */
function fileOf(tensors, dtypes = {}) {
  let end = 0
  const parts = []
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, [shape, values]]) => {
      const dtype = dtypes[name] ?? 'F64'
      const begin = end
      end += sizes[dtype] * shape.reduce((a, b) => a * b, 1)
      parts.push(dtype === 'F64' ? new Uint8Array(Float64Array.from(values).buffer) : new Uint8Array(values.buffer))
      return [name, { dtype, shape, data_offsets: [begin, end] }]
    }),
  )
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, json, ...parts])
}
const filled = (shape, seed) => [
  shape,
  numbers(
    shape.reduce((a, b) => a * b, 1),
    seed,
  ),
]
const positive = ([shape, values]) => [shape, values.map((value) => 1.5 + value)]

test('answers as Keras says its layers do', async () => {
  // Written by hand in the layouts of Keras's documentation; Keras itself was not asked.
  const tensors = {
    'net/conv2d/kernel': filled([3, 2, 2, 4], 1),
    'net/conv2d/bias': filled([4], 2),
    'net/batch_normalization/gamma': positive(filled([4], 3)),
    'net/batch_normalization/beta': filled([4], 4),
    'net/batch_normalization/moving_mean': filled([4], 5),
    'net/batch_normalization/moving_variance': positive(filled([4], 6)),
    'net/depthwise_conv2d/kernel': filled([2, 2, 4, 2], 7),
    'net/depthwise_conv2d/bias': filled([8], 8),
    'net/separable_conv2d/depthwise_kernel': filled([2, 1, 8, 1], 9),
    'net/separable_conv2d/pointwise_kernel': filled([1, 1, 8, 3], 10),
    'net/separable_conv2d/bias': filled([3], 11),
    'net/conv2d_transpose/kernel': filled([3, 2, 2, 3], 12),
    'net/conv2d_transpose/bias': filled([2], 13),
    'net/dense/kernel': filled([100, 5], 14),
    'net/dense/bias': filled([5], 15),
  }
  const model = made(
    [6, 7, 2],
    [
      ['conv2d', 4, [3, 2]],
      ['batchNorm', { epsilon: 1e-3 }],
      ['depthwiseConv2d', 2, { multiplier: 2 }],
      ['separableConv2d', 3, [2, 1]],
      ['conv2dTranspose', 2, [3, 2], { stride: 2 }],
      ['flatten'],
      ['dense', 5],
    ],
  )
  const from = await importWeights(model, fileOf(tensors), { from: 'keras' })
  assert.is(from['separableConv2d1.depthwise'], 'net/separable_conv2d/depthwise_kernel')
  const x = numbers(84, 20)
  const t = (name) => tensors[`net/${name}`][1]
  let image = { shape: [6, 7, 2], data: x }
  image = naive.conv2d(image, tensors['net/conv2d/kernel'], t('conv2d/bias'))
  const gain = t('batch_normalization/gamma')
  image.data = image.data.map((value, i) => {
    const c = i % 4
    const deviation = Math.sqrt(t('batch_normalization/moving_variance')[c] + 1e-3)
    return ((value - t('batch_normalization/moving_mean')[c]) / deviation) * gain[c] + t('batch_normalization/beta')[c]
  })
  image = naive.depthwise(image, tensors['net/depthwise_conv2d/kernel'], t('depthwise_conv2d/bias'))
  image = naive.depthwise(image, tensors['net/separable_conv2d/depthwise_kernel'])
  image = naive.conv2d(image, tensors['net/separable_conv2d/pointwise_kernel'], t('separable_conv2d/bias'))
  image = naive.transposed(image, tensors['net/conv2d_transpose/kernel'], t('conv2d_transpose/bias'), 2)
  const expected = Array.from(t('dense/bias'), (bias, o) =>
    image.data.reduce((sum, value, i) => sum + value * t('dense/kernel')[i * 5 + o], bias),
  )
  const { data } = await model.predict(x)
  assert.ok(farthest(Array.from(data), expected) < 1e-10, `${data}, ${expected}`)
})

test('names of Keras before 3, and depthwise kernels by their old name', async () => {
  const model = made(
    [4, 4, 2],
    [
      ['conv2d', 2, 1],
      ['depthwiseConv2d', 3],
      ['conv2d', 2, 1],
    ],
  )
  const tensors = {
    'conv2d_10/kernel:0': filled([1, 1, 2, 2], 1),
    'conv2d_10/bias:0': filled([2], 2),
    'conv2d_9/kernel:0': filled([1, 1, 2, 2], 3),
    'conv2d_9/bias:0': filled([2], 4),
    'depthwise_conv2d/depthwise_kernel:0': filled([3, 3, 2, 1], 5),
    'depthwise_conv2d/bias:0': filled([2], 6),
  }
  const from = await importWeights(model, fileOf(sorted(tensors)), { from: 'keras' })
  assert.is(from['conv2d1.weight'], 'conv2d_9/kernel:0')
  assert.is(from['conv2d2.weight'], 'conv2d_10/kernel:0')
  assert.equal(
    [...model.getWeights()['depthwiseConv2d1.weight'].data],
    [...tensors['depthwise_conv2d/depthwise_kernel:0'][1]],
  )
})

const sorted = (tensors) => Object.fromEntries(Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1)))
const failure = async (work) => {
  try {
    await work()
  } catch (error) {
    return error
  }
  assert.unreachable('expected an error')
}
const two = () => made([3], [['dense', 3, { name: 'first' }], ['tanh'], ['dense', 3, { name: 'second' }]])
const square = (seed) => filled([3, 3], seed)
const pair = {
  'encoder.weight': square(1),
  'encoder.bias': filled([3], 2),
  'decoder.weight': square(3),
  'decoder.bias': filled([3], 4),
}

test('layers alike go by the order of the file, unless that is only one of names', async () => {
  assert.is((await importWeights(two(), fileOf(pair), { from: 'pytorch' }))['first.weight'], 'encoder.weight')
  const error = await failure(() => importWeights(two(), fileOf(sorted(pair)), { from: 'pytorch' }))
  assert.is(error.code, 'GRADUS_BAD_FILE')
  assert.match(
    error.message,
    /"decoder", "encoder" all fit first, second, and the file has them by name, not by their order/,
  )
  for (const names of [
    { first: 'encoder' },
    { second: 'decoder' },
    { 'second.weight': 'decoder.weight', 'second.bias': 'decoder.bias' },
  ]) {
    const from = await importWeights(two(), fileOf(sorted(pair)), { from: 'pytorch', names })
    assert.is(from['first.weight'], 'encoder.weight')
    assert.is(from['second.bias'], 'decoder.bias')
  }
})

test('what fits only transposed is told', async () => {
  const model = () => made([4], [['dense', 3]])
  const file = fileOf({ 'fc.weight': filled([4, 3], 1), 'fc.bias': filled([3], 2) })
  for (const names of [undefined, { dense1: 'fc' }, { 'dense1.weight': 'fc.weight', 'dense1.bias': 'fc.bias' }]) {
    const error = await failure(() => importWeights(model(), file, { from: 'pytorch', names }))
    assert.is(error.code, 'GRADUS_BAD_FILE')
    assert.match(
      error.message,
      /dense1\.weight: expected a tensor of shape \[3, 4\], received "fc\.weight" of shape \[4, 3\], which fits only transposed/,
    )
  }
  const kernel = fileOf({ 'conv.kernel': filled([5, 2, 3, 3], 1), 'conv.bias': filled([5], 2) })
  const error = await failure(() => importWeights(made([6, 6, 2], [['conv2d', 5, 3]]), kernel, { from: 'keras' }))
  assert.match(
    error.message,
    /expected a tensor of shape \[3, 3, 2, 5\], .* fits only transposed: is it not from 'keras'\?$/,
  )
})

test('what does not fit is told, and then nothing has changed', async () => {
  const model = () => made([3], [['dense', 3, { name: 'first' }]])
  const weights = { 'a.weight': square(1), 'a.bias': filled([3], 2) }
  const wrong = [
    [
      { 'a.weight': square(1) },
      {},
      'BAD_FILE',
      /first: there is nothing with weight \[3, 3\], bias \[3\] alone; there are "a" \(weight/,
    ],
    [
      { ...weights, 'b.weight': square(3), 'b.bias': filled([3], 4) },
      {},
      'BAD_FILE',
      /"a", "b" fit first, which is one: say with/,
    ],
    [
      weights,
      { names: { frist: 'a' } },
      'INVALID_ARGUMENT',
      /^names: the model has no layer or weight "frist" .*first/,
    ],
    [weights, { names: { first: 'b' } }, 'BAD_FILE', /there is no layer "b", which names says is first/],
    [weights, { names: { 'first.weight': 'a.weight' } }, 'INVALID_ARGUMENT', /^names: "first.bias" is not among them/],
    [
      weights,
      { names: { 'first.weight': 'w', 'first.bias': 'a.bias' } },
      'BAD_FILE',
      /there is no tensor "w", which names/,
    ],
    [weights, { names: ['a'] }, 'INVALID_ARGUMENT', /^names: expected a record of names/],
    [weights, { from: 'caffe' }, 'INVALID_ARGUMENT', /^from: expected one of 'pytorch', 'keras', received "caffe"/],
    [weights, { from: undefined }, 'INVALID_ARGUMENT', /^from: expected/],
    [
      { ...weights, 'a.weight': [[3, 3], Array(9).fill(Number.NaN)] },
      {},
      'BAD_FILE',
      /"a.weight", element 0: expected a finite/,
    ],
  ]
  for (const [tensors, options, code, message] of wrong) {
    const to = model()
    const before = to.getWeights()
    const error = await failure(() => importWeights(to, fileOf(tensors), { from: 'pytorch', ...options }))
    assert.is(error.code, `GRADUS_${code}`, error.stack)
    assert.match(error.message, message)
    assert.equal(to.getWeights(), before)
  }
  const integers = fileOf({ ...weights, 'a.bias': [[3], BigInt64Array.of(1n, 2n, 3n)] }, { 'a.bias': 'I64' })
  const error = await failure(() => importWeights(model(), integers, { from: 'pytorch' }))
  assert.match(error.message, /tensor "a.bias" is I64; floats are read/)
  assert.is((await failure(() => importWeights({}, integers, { from: 'pytorch' }))).code, 'GRADUS_INVALID_ARGUMENT')
})

test('a separable convolution is two of theirs, by weights', async () => {
  const model = () => made([4, 4, 2], [['separableConv2d', 3, 2]])
  const file = fileOf({
    'a.weight': filled([2, 1, 2, 2], 1),
    'b.weight': filled([3, 2, 1, 1], 2),
    'b.bias': filled([3], 3),
  })
  const error = await failure(() => importWeights(model(), file, { from: 'pytorch', names: { separableConv2d1: 'a' } }))
  assert.match(error.message, /is made of several of their layers: name its weights, "separableConv2d1.depthwise"/)
  const names = { 'separableConv2d1.depthwise': 'a.weight' }
  assert.is((await importWeights(model(), file, { from: 'pytorch', names }))['separableConv2d1.weight'], 'b.weight')
})

test('what else lies in the file is left alone, and a reshape that mixes pixels and channels is refused', async () => {
  const model = made([3], [['dense', 3, { name: 'first' }]])
  await importWeights(model, fileOf({ ...pair, 'decoder.bias': filled([4], 1) }), {
    from: 'pytorch',
    names: { first: 'encoder' },
  })
  const mixed = sequential({ input: [4, 4, 2] }, [conv2d(2, 1), reshape([2, 4, 4]), flatten(), dense(1)])
  const error = await failure(() => importWeights(mixed, fileOf(pair), { from: 'pytorch' }))
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(error.message, /^reshape1: a reshape of images from \[4, 4, 2\] to \[2, 4, 4\]/)
  // Batch norm's numbers are weights like others.
  const norm = sequential({ input: [2] }, [batchNorm()])
  const parts = {
    'n.weight': filled([2], 1),
    'n.bias': filled([2], 2),
    'n.running_mean': filled([2], 3),
    'n.running_var': positive(filled([2], 4)),
  }
  const counted = { ...parts, 'n.num_batches_tracked': [[], BigInt64Array.of(7n)] }
  await importWeights(norm, fileOf(counted, { 'n.num_batches_tracked': 'I64' }), { from: 'pytorch' })
  assert.equal(norm.getWeights()['batchNorm1.variance'].data, Float32Array.from(parts['n.running_var'][1]))
})

test('halves are read bit by bit, by loadWeights too', async () => {
  const model = sequential({ input: [1] }, [dense(8, { name: 'a', bias: false })])
  // Zero, the least and the largest below normal, the least normal, one, a third, the largest, minus two.
  const half = Uint16Array.of(0x0000, 0x0001, 0x03ff, 0x0400, 0x3c00, 0x3555, 0x7bff, 0xc000)
  await model.loadWeights(fileOf({ 'a.weight': [[1, 8], half] }, { 'a.weight': 'F16' }))
  assert.equal(
    [...model.getWeights()['a.weight'].data],
    [0, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 1, 0.333251953125, 65504, -2],
  )
  const brain = Uint16Array.of(0x0000, 0x3f80, 0x3eab, 0x7f7f, 0xc000, 0x0080, 0x0001, 0x4049)
  await model.loadWeights(fileOf({ 'a.weight': [[1, 8], brain] }, { 'a.weight': 'BF16' }))
  assert.equal(
    [...model.getWeights()['a.weight'].data],
    [0, 1, 0.333984375, 255 * 2 ** 120, -2, 2 ** -126, 2 ** -133, 3.140625],
  )
  const infinite = fileOf({ 'a.weight': [[1, 8], Uint16Array.of(0, 0, 0x7c00, 0, 0, 0, 0, 0)] }, { 'a.weight': 'F16' })
  assert.match(
    (await failure(() => model.loadWeights(infinite))).message,
    /element 2: expected a finite float32, received Inf/,
  )
})

test.run()
