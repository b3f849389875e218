// Networks for images: gradients and curvature of each layer and of three shapes of networks, the same bits everywhere,
// files, dropped channels, and pools at their edges.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  add,
  averagePool1d,
  averagePool2d,
  batchNorm,
  concat,
  conv1d,
  conv2d,
  conv2dTranspose,
  cropping2d,
  dense,
  depthwiseConv2d,
  flatten,
  globalAveragePool,
  globalMaxPool,
  gradientCheck,
  graph,
  groupNorm,
  hessianVectorProduct,
  input,
  layerNorm,
  loadModel,
  maxPool1d,
  maxPool2d,
  relu,
  reshape,
  separableConv2d,
  sequential,
  sgd,
  softmaxCrossEntropy,
  spatialDropout,
  tanh,
  upsample2d,
  zeroPadding2d,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { numbers } from './support/reference.js'

const test = suite('image-nets')

const labels = (rows) => Int32Array.from({ length: rows }, (_, i) => (3 * i + (i >> 2)) % 3)
const compiled = (model) =>
  model.compile({
    loss: softmaxCrossEntropy(),
    optimizer: sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }),
  })
const images = (rows, size) => ({ x: numbers(rows * size, 2), y: labels(rows) })
const after = (shape, ...layers) => compiled(sequential({ input: shape, seed: 4 }, layers))
/** Between layers with weights, so that both gradients count. */
const between = (...layers) => after([6, 5, 2], conv2d(4, 2), ...layers, flatten(), dense(3))

function residual() {
  const image = input([8, 8, 2])
  const first = relu()(batchNorm()(conv2d(4, 3, { padding: 'same', bias: false })(image)))
  const second = batchNorm()(conv2d(4, 3, { padding: 'same', bias: false })(first))
  const joined = maxPool2d(2)(relu()(add(first, second)))
  return graph({ inputs: [image], output: dense(3)(globalAveragePool()(joined)), seed: 2 })
}
function uShaped() {
  const image = input([8, 8, 1])
  const wide = relu()(conv2d(4, 3, { padding: 'same' })(image))
  const deep = tanh()(groupNorm(2)(conv2d(6, 3, { padding: 'same' })(maxPool2d(2)(wide))))
  const back = conv2dTranspose(4, 2, { stride: 2 })(deep)
  const joined = relu()(conv2d(3, 3, { padding: 'same' })(concat(wide, back)))
  return graph({ inputs: [image], output: globalAveragePool()(joined), seed: 3 })
}
const plain = () =>
  sequential({ input: [8, 8, 3], seed: 1 }, [
    ...[conv2d(4, 3, { padding: 'same', bias: false }), batchNorm(), relu()],
    ...[conv2d(6, 3, { padding: 'same', bias: false }), maxPool2d(2), batchNorm(), relu()],
    ...[
      conv2d(8, 3, { padding: 'same', bias: false }),
      maxPool2d(2),
      batchNorm(),
      relu(),
      globalAveragePool(),
      dense(3),
    ],
  ])
const nets = { plain: [plain, 192], residual: [residual, 128], 'U-shaped': [uShaped, 64] }

const layers = {
  maxPool2d: () => between(maxPool2d(2)),
  'maxPool2d, overlapping': () => between(maxPool2d(3, { stride: 1, padding: [1, 2] })),
  'maxPool2d of large windows': () => after([18, 17, 1], conv2d(2, 1), maxPool2d([18, 17]), flatten(), dense(3)),
  averagePool2d: () => between(averagePool2d([2, 3], { stride: 1 })),
  'averagePool2d with padding': () => between(averagePool2d(3, { stride: 2, padding: 'same', countPadding: true })),
  globalMaxPool: () => after([6, 5, 2], conv2d(4, 2), tanh(), globalMaxPool(), dense(3)),
  globalAveragePool: () => after([6, 5, 2], conv2d(4, 2), tanh(), globalAveragePool(), dense(3)),
  lines: () =>
    after(
      [12, 2],
      conv1d(4, 3, { padding: 1 }),
      tanh(),
      maxPool1d(2),
      conv1d(3, 2),
      averagePool1d(2),
      flatten(),
      dense(3),
    ),
  'batchNorm of images': () => between(batchNorm(), tanh()),
  'batchNorm without gain': () => between(batchNorm({ gain: false }), tanh()),
  'batchNorm without both': () => between(batchNorm({ gain: false, bias: false }), tanh()),
  'layerNorm of images': () => between(layerNorm(), tanh()),
  groupNorm: () => between(groupNorm(2), tanh()),
  'groupNorm of one group': () => between(groupNorm(1), tanh()),
  conv2dTranspose: () => between(conv2dTranspose(3, 3, { stride: 2, padding: 1, outputPadding: 1 }), tanh()),
  'conv2dTranspose in groups': () => between(conv2dTranspose(4, [2, 3], { groups: 2, dilation: [1, 2] }), tanh()),
  depthwiseConv2d: () => between(depthwiseConv2d(3, { multiplier: 2, padding: 'same' }), tanh()),
  separableConv2d: () => between(separableConv2d(5, 2, { multiplier: 2, activation: 'tanh' })),
  spatialDropout: () => between(spatialDropout(0.3), tanh()),
  'zeroPadding2d, cropping2d': () => between(zeroPadding2d({ top: 2, right: 1 }), tanh(), cropping2d([1, 2])),
  'upsample2d, nearest': () => between(upsample2d([2, 3]), tanh()),
  'upsample2d, bilinear': () => between(upsample2d([2, 3], { interpolation: 'bilinear' }), tanh()),
}
const sizes = { 'maxPool2d of large windows': 18 * 17, lines: 24 }

const check = async (model, data, name) => {
  for (const options of [{ checkInput: true }, { method: 'directional' }]) {
    const report = await gradientCheck(model, data, options)
    assert.is(report.verdict, 'satisfied', `${name}: ${report}`)
  }
}
for (const [name, make] of Object.entries(layers)) {
  test(`the gradient check is satisfied, inputs too: ${name}`, () => check(make(), images(7, sizes[name] ?? 60), name))
}
test('the gradient goes through the channels that dropout has left, and no others', async () => {
  const options = { randomness: 'fixed', checkInput: true }
  const report = await gradientCheck(between(spatialDropout(0.5), tanh()), images(7, 60), options)
  assert.is(report.verdict, 'satisfied', `${report}`)
})

for (const [name, [make, size]] of Object.entries(nets)) {
  test(`the gradient check is satisfied, inputs too: ${name}`, () => check(compiled(make()), images(7, size), name))

  test(`a saved network predicts the same bits: ${name}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
    try {
      const model = compiled(make())
      await model.fit(images(12, size), { epochs: 2, batchSize: 6, quiet: true }).done
      await model.save(join(folder, 'model.safetensors'))
      const loaded = await loadModel(join(folder, 'model.safetensors'))
      const x = Float32Array.from(numbers(3 * size, 4))
      assert.equal(await loaded.predict(x), await model.predict(x))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test(`products with the Hessian are symmetric: ${name}`, async () => {
    const model = compiled(make())
    const data = images(7, size)
    const trainable = model.descriptor.parameters.filter((parameter) => parameter.trainable)
    const directionOf = (seed) =>
      Object.fromEntries(
        trainable.map(({ name, shape }, i) => [
          name,
          {
            shape,
            data: numbers(
              shape.reduce((a, b) => a * b, 1),
              seed + i,
            ),
          },
        ]),
      )
    const [v, w] = [directionOf(5), directionOf(50)]
    const inner = (a, b) =>
      trainable.reduce((sum, { name }) => sum + a[name].data.reduce((part, x, i) => part + x * b[name].data[i], 0), 0)
    const [ofV, ofW] = [await hessianVectorProduct(model, data, v), await hessianVectorProduct(model, data, w)]
    const [left, right] = [inner(w, ofV), inner(v, ofW)]
    assert.ok(Math.abs(left - right) < 1e-9 * Math.max(1, Math.abs(left)), `${left}, ${right}`)
    assert.ok(left !== 0)
  })
}

/** Of the plain network with dropout of channels, after 50 steps. */
async function bitsAfterFiftySteps(threads) {
  const model = compiled(
    sequential({ input: [9, 8, 3], seed: 5 }, [
      ...[conv2d(8, 3, { padding: 'same', bias: false }), batchNorm(), relu(), spatialDropout(0.2)],
      ...[conv2d(17, 3, { padding: 'same', bias: false }), maxPool2d(2), batchNorm(), relu()],
      ...[
        separableConv2d(16, 3, { padding: 'same' }),
        groupNorm(4),
        relu(),
        averagePool2d(3, { stride: 1, padding: 1 }),
      ],
      ...[conv2dTranspose(5, 3, { stride: 2 }), maxPool2d(3, { stride: 2, padding: 1 }), relu()],
      ...[upsample2d(2, { interpolation: 'bilinear' }), globalAveragePool(), dense(3)],
    ]),
  )
  const x = numbers(50 * 216, 9)
  await model.fit({ x, y: labels(50) }, { epochs: 10, batchSize: 10, threads, quiet: true }).done
  const hash = createHash('sha256')
  for (const { data } of Object.values(model.getWeights())) hash.update(data)
  return hash.digest('hex')
}

test('training gives the same bits on 1, 2, 3 and 5 threads and on every ISA', async () => {
  const expected = await bitsAfterFiftySteps(1)
  for (const threads of [2, 3, 5]) assert.is(await bitsAfterFiftySteps(threads), expected, `${threads} threads`)
  const here = fileURLToPath(import.meta.url)
  for (const isa of native.availableIsas) {
    const env = { ...process.env, GRADUS_ISA: isa, GRADUS_PRINT_BITS: '1' }
    const printed = execFileSync(process.execPath, [here], { env, encoding: 'utf8', cwd: dirname(here) })
    assert.is(printed.trim(), expected, isa)
  }
})

const answer = async (shape, x, ...list) => {
  const model = sequential({ input: shape, seed: 1, dtype: 'float64' }, list)
  return [...(await model.predict(Float64Array.from(x))).data]
}

test('a maximum is never that of the padding', async () => {
  const x = [-4, -3, -2, -1]
  assert.equal(
    await answer([2, 2, 1], x, maxPool2d(2, { stride: 1, padding: 1 })),
    [-4, -3, -3, -2, -1, -1, -2, -1, -1],
  )
  assert.equal(await answer([4, 1], [1, 5, 2, 3], maxPool1d(2)), [5, 3])
})

test('an average counts the padding only where that is asked for', async () => {
  const x = [4, 8, 12, 16]
  assert.equal(await answer([2, 2, 1], x, averagePool2d(2, { padding: 1 })), [4, 8, 12, 16])
  assert.equal(await answer([2, 2, 1], x, averagePool2d(2, { padding: 1, countPadding: true })), [1, 2, 3, 4])
  assert.equal(await answer([2, 2, 1], x, globalAveragePool()), [10])
})

test('the maximum of all of a large image is found, by rows and then by columns', async () => {
  for (const shape of [
    [300, 3, 2],
    [3, 300, 2],
    [700, 2],
    [20, 21, 2],
  ]) {
    const x = numbers(
      shape.reduce((a, b) => a * b),
      8,
    )
    const largest = [0, 1].map((channel) => Math.max(...x.filter((_, i) => i % 2 === channel)))
    assert.equal(await answer(shape, x, globalMaxPool()), largest, `${shape}`)
  }
})

test('of equal ones the first has the whole gradient, in windows of any size', async () => {
  // The weight of each pixel is moved by its gradient: 1 for the winner.
  for (const [shape, layer, first] of [
    [[2, 2, 1], maxPool2d(2), 0],
    [[20, 20, 1], maxPool2d(20), 0],
    [[3, 3, 1], maxPool2d(3), 1],
  ]) {
    const size = shape[0] * shape[1]
    const model = sequential({ input: [1], seed: 1, dtype: 'float64' }, [
      ...[
        dense(size, { bias: false, init: 'zeros' }),
        reshape(shape),
        layer,
        flatten(),
        dense(2, { bias: false, init: 0.5 }),
      ],
    ])
    const weights = model.getWeights()
    if (first) weights['dense1.weight'].data.set([1, 3, 1, 1, 3, 3, 1, 1, 3])
    weights['dense2.weight'].data.set([1, -1])
    model.setWeights(weights)
    model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 1 }) })
    await model.fit({ x: Float64Array.of(1), y: Int32Array.of(0) }, { epochs: 1, batchSize: 1, quiet: true }).done
    const moved = model.getWeights()['dense1.weight'].data
    const changed = [...moved].flatMap((w, i) => (w === weights['dense1.weight'].data[i] ? [] : [i]))
    assert.equal(changed, [first])
  }
})

test('spatial dropout drops whole channels, about as many as it should, and none outside training', async () => {
  const channels = 1000
  const model = sequential({ input: [3, 4, channels], seed: 3, dtype: 'float64' }, [
    ...[spatialDropout(0.25), globalAveragePool(), dense(2, { bias: false, init: 'zeros' })],
  ])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 1 }) })
  const x = new Float64Array(12 * channels).fill(1)
  await model.fit({ x, y: Int32Array.of(0) }, { epochs: 1, batchSize: 1, quiet: true }).done
  // Half the mean of the channel over its pixels.
  const { data } = model.getWeights()['dense1.weight']
  const moved = [...data].filter((_, i) => i % 2 === 0)
  for (const step of moved) assert.ok(step === 0 || Math.abs(step - 0.5 / 0.75) < 1e-12, `${step}`)
  const dropped = moved.filter((step) => step === 0).length
  assert.ok(dropped > 190 && dropped < 310, `${dropped}`)
  const [score] = (await model.predict(x)).data
  assert.ok(Math.abs(score - moved.reduce((a, b) => a + b)) < 1e-9)
})

const build = (shape, ...list) => sequential({ input: shape, seed: 1 }, list)
test('what would lie in the padding alone is refused', () => {
  for (const [work, message] of [
    [
      () => build([9, 9, 1], maxPool2d(2, { padding: 2 })),
      /^maxPool2d1: padding: expected less than .* extent of 2, rec/,
    ],
    [
      () => build([3, 3, 1], conv2dTranspose(2, 3, { stride: 2, outputPadding: 2 })),
      /^conv2dTranspose1: outputPadding: expected less than the stride of 2, received 2/,
    ],
  ]) {
    assert.throws(work, (error) => error.code === 'GRADUS_INVALID_ARGUMENT' && message.test(error.message))
  }
})

if (process.env.GRADUS_PRINT_BITS) console.log(await bitsAfterFiftySteps(2))
else test.run()
