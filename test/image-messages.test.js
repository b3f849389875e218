// What of networks for images cannot be: each layer with windows says so in a sentence that names layer, argument and what came.
import {
  averagePool1d,
  averagePool2d,
  conv1d,
  conv2d,
  conv2dTranspose,
  cropping2d,
  cutmix,
  dense,
  depthwiseConv2d,
  flatten,
  globalAveragePool,
  globalMaxPool,
  groupNorm,
  huber,
  maxPool1d,
  maxPool2d,
  meanSquaredError,
  mixup,
  multiclassHinge,
  randomFlip,
  separableConv2d,
  sequential,
  sgd,
  softmaxCrossEntropy,
  spatialDropout,
  upsample2d,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('image-messages')
const argument = 'GRADUS_INVALID_ARGUMENT'
const mismatch = 'GRADUS_SHAPE_MISMATCH'
const build = (shape, ...layers) => sequential({ input: shape, seed: 1 }, layers)

async function refused(work, code, message) {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => null,
      (caught) => caught,
    )
  assert.is(error?.code, code, error?.stack ?? `nothing was thrown, expected ${message}`)
  assert.is(error.message, message)
}

const windows = {
  conv1d: (extent, options) => conv1d(4, extent, options),
  conv2d: (extent, options) => conv2d(4, extent, options),
  conv2dTranspose: (extent, options) => conv2dTranspose(4, extent, options),
  depthwiseConv2d,
  separableConv2d: (extent, options) => separableConv2d(4, extent, options),
  maxPool1d,
  maxPool2d,
  averagePool1d,
  averagePool2d,
}
for (const [name, make] of Object.entries(windows)) {
  const [isLine, isPool] = [name.endsWith('1d'), name.includes('Pool')]
  const [axes, image] = isLine ? ['length and channels', [9, 2]] : ['height, width and channels', [9, 9, 2]]
  const layer = (options, more = {}) => make(3, { name: 'third', ...options, ...more })

  test(`${name}: strides, extents and padding`, async () => {
    const integer = 'expected a positive integer, received'
    await refused(() => layer({ stride: 0 }), argument, `third: stride: ${integer} 0`)
    await refused(() => layer({ stride: 1.5 }), argument, `third: stride: ${integer} 1.5`)
    await refused(() => make(0), argument, `${name}: ${isPool ? 'size' : 'kernel'}: ${integer} 0`)
    await refused(() => make(-2), argument, `${name}: ${isPool ? 'size' : 'kernel'}: ${integer} -2`)
    await refused(
      () => layer({ padding: -1 }),
      argument,
      'third: padding: expected a whole number from 0 up, received -1',
    )
    const extent = "third: padding: expected less than the kernel's extent of 3, received"
    await refused(() => build(image, layer({ padding: 3 })), argument, `${extent} 3`)
    await refused(() => build(image, layer({ padding: 40 })), argument, `${extent} 40`)
  })

  test(`${name}: inputs`, async () => {
    const without = isLine ? [9] : [9, 9]
    const shown = `[${without.join(', ')}]`
    const reshaped = `[${[...without, 1].join(', ')}]`
    await refused(
      () => build(without, layer()),
      mismatch,
      `third: expected ${axes}, received an input of shape ${shown}; put reshape(${reshaped}) before it`,
    )
    await refused(
      () => build([2, 9, 9, 2], layer()),
      mismatch,
      `third: expected ${axes}, received an input of shape [2, 9, 9, 2]`,
    )
    if (name === 'conv2dTranspose') return
    // What the layer before has left.
    const [small, least] = isLine ? ['[2, 4]', '3'] : ['[2, 2, 4]', '3×3']
    const before = isLine ? conv1d(4, 8) : conv2d(4, 8)
    await refused(
      () => build(image, before, layer()),
      mismatch,
      `third: expected an input of at least ${least}, received an input of shape ${small}`,
    )
  })
}

test('a layer is called as its name says, or as its factory where that is no name', async () => {
  const kernel = 'kernel: expected a positive integer, received 0'
  await refused(() => conv2d(4, 0), argument, `conv2d: ${kernel}`)
  await refused(() => conv2d(4, 0, { name: 'eyes' }), argument, `eyes: ${kernel}`)
  await refused(() => conv2d(4, 0, { name: 'two eyes' }), argument, `conv2d: ${kernel}`)
  const unknown = 'conv2d: there is no option "strides"; did you mean stride?'
  await refused(() => conv2d(4, 3, { name: 'eyes', strides: 2 }), argument, unknown)
})

test('groups that divide neither side', async () => {
  for (const make of [conv1d, conv2d, conv2dTranspose])
    await refused(
      () => make(4, 3, { groups: 3 }),
      argument,
      `${make.name}: groups: expected a divisor of the 4 filters, received 3`,
    )
  for (const layer of [conv2d(4, 3, { groups: 2, name: 'a' }), conv2dTranspose(4, 3, { groups: 2, name: 'a' })])
    await refused(
      () => build([9, 9, 3], layer),
      mismatch,
      'a: expected a number of channels that 2 groups divide, received an input of shape [9, 9, 3]',
    )
  await refused(
    () => build([9, 9, 4], groupNorm(3)),
    mismatch,
    'groupNorm1: expected a number of channels that 3 groups divide, received an input of shape [9, 9, 4]',
  )
})

test('layers of whole images', async () => {
  for (const [name, layer] of Object.entries({ cropping2d: cropping2d(1), upsample2d: upsample2d(2) }))
    await refused(
      () => build([9, 9], layer),
      mismatch,
      `${name}1: expected height, width and channels, received an input of shape [9, 9]; put reshape([9, 9, 1]) before it`,
    )
  for (const [name, make] of Object.entries({ globalAveragePool, globalMaxPool }))
    await refused(
      () => build([9], make()),
      mismatch,
      `${name}1: expected height, width and channels, or length and channels, received an input of shape [9]`,
    )
  await refused(
    () => build([9, 9, 4], cropping2d(5)),
    mismatch,
    'cropping2d1: expected an input of at least 11×11, received an input of shape [9, 9, 4]',
  )
  await refused(
    () => build([9], spatialDropout(0.5)),
    mismatch,
    'spatialDropout1: expected at least two dimensions, received an input of shape [9]; dropout() takes one',
  )
  await refused(() => upsample2d(0), argument, 'upsample2d: factor: expected a positive integer, received 0')
})

const rows = 9
const x = { data: new Uint8Array(rows * 108), shape: [rows, 6, 6, 3] }
const labels = new Int32Array(rows)
const network = (loss) =>
  build([6, 6, 3], conv2d(2, 3), flatten(), dense(3)).compile({ loss, optimizer: sgd({ learningRate: 0.1 }) })

test('augment on what is no images', async () => {
  const shapes = [
    [[12], '[12]'],
    [[3, 4], '[3, 4]; an input of [28, 28, 1] takes [28, 28] as well'],
    [[2, 3, 2, 1], '[2, 3, 2, 1]'],
  ]
  for (const [shape, shown] of shapes) {
    const flat = build(shape, flatten(), dense(3)).compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
    const data = { x: { data: new Float32Array(rows * 12), shape: [rows, ...shape] }, y: labels }
    await refused(
      () => flat.fit(data, { augment: [randomFlip()], quiet: true }),
      argument,
      `augment: expected one input of images, [height, width, channels], received ${shown}`,
    )
  }
})

test('mixed examples beside losses and targets that are not mixed', async () => {
  for (const mix of [mixup(), cutmix()]) {
    const fit = (loss) => () => network(loss).fit({ x, y: labels }, { augment: [mix], quiet: true })
    await refused(
      fit(multiclassHinge()),
      argument,
      `augment: expected a loss that takes two labels beside ${mix.call[0]}, as softmaxCrossEntropy(), received multiclassHinge`,
    )
    // Class numbers are no targets of these: nine of them are three examples.
    for (const loss of [meanSquaredError(), huber()])
      await refused(fit(loss), argument, 'y: expected 9 rows, as many as the first input has, received 3')
    await network(softmaxCrossEntropy()).fit({ x, y: labels }, { augment: [mix], quiet: true })
  }
})

test.run()
