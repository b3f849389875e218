// Convolutions as a user meets them: shapes, values, gradients, curvature, bits, files, and what is said of bad input.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  add,
  conv2d,
  dense,
  dropout,
  flatten,
  gradientCheck,
  graph,
  hessian,
  input,
  loadModel,
  relu,
  reshape,
  sequential,
  sgd,
  softmaxCrossEntropy,
  tanh,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { numbers } from './support/reference.js'

const test = suite('convolution')

/** One example through one filter bank, with the padding written out: [top, bottom, left, right]. */
function convolve(x, [height, width, channels], { shape, data }, bias, { stride, padding, dilation, groups }) {
  const [kernelHeight, kernelWidth, inputs, filters] = shape
  const outputs = (pixels, kernel, i) =>
    Math.floor((pixels + padding[2 * i] + padding[2 * i + 1] - (kernel - 1) * dilation[i] - 1) / stride[i]) + 1
  const y = []
  for (let i = 0; i < outputs(height, kernelHeight, 0); i++)
    for (let j = 0; j < outputs(width, kernelWidth, 1); j++)
      for (let f = 0; f < filters; f++) {
        let sum = bias[f]
        const group = Math.floor(f / (filters / groups))
        for (let p = 0; p < kernelHeight; p++)
          for (let q = 0; q < kernelWidth; q++) {
            const row = i * stride[0] + p * dilation[0] - padding[0]
            const column = j * stride[1] + q * dilation[1] - padding[2]
            if (row < 0 || row >= height || column < 0 || column >= width) continue
            for (let c = 0; c < inputs; c++)
              sum +=
                x[(row * width + column) * channels + group * inputs + c] *
                data[((p * kernelWidth + q) * inputs + c) * filters + f]
          }
        y.push(sum)
      }
  return y
}

const plain = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 }
const cases = [
  ['valid', [5, 6, 2], 3, [2, 3], {}, {}, [4, 4, 3]],
  ['same', [5, 6, 2], 3, 3, { padding: 'same' }, { padding: [1, 1, 1, 1] }, [5, 6, 3]],
  ['same, even kernel', [5, 6, 2], 3, [2, 4], { padding: 'same' }, { padding: [0, 1, 1, 2] }, [5, 6, 3]],
  [
    'same, stride',
    [6, 7, 2],
    3,
    3,
    { padding: 'same', stride: 2 },
    { padding: [0, 1, 1, 1], stride: [2, 2] },
    [3, 4, 3],
  ],
  ['four sides', [4, 4, 1], 2, 3, { padding: { top: 2, right: 1 } }, { padding: [2, 0, 0, 1] }, [4, 3, 2]],
  [
    'a pair',
    [7, 5, 3],
    4,
    3,
    { padding: [1, 2], stride: [2, 3] },
    { padding: [1, 1, 2, 2], stride: [2, 3] },
    [4, 3, 4],
  ],
  ['dilation', [9, 8, 2], 3, 3, { dilation: [2, 3] }, { dilation: [2, 3] }, [5, 2, 3]],
  ['groups', [4, 5, 6], 4, 2, { groups: 2 }, { groups: 2 }, [3, 4, 4]],
  ['depthwise', [4, 4, 3], 6, 3, { groups: 3, padding: 1 }, { groups: 3, padding: [1, 1, 1, 1] }, [4, 4, 6]],
]
for (const [name, shape, filters, kernel, options, written, output] of cases) {
  test(`predictions are those of six loops: ${name}`, async () => {
    const layer = conv2d(filters, kernel, { biasInit: 0.5, ...options })
    const model = sequential({ input: shape, seed: 3, dtype: 'float64' }, [layer])
    assert.equal(model.outputShape, output)
    const { 'conv2d1.weight': weight, 'conv2d1.bias': bias } = model.getWeights()
    const size = shape.reduce((a, b) => a * b)
    const x = numbers(2 * size, 5)
    const { data } = await model.predict(x)
    const expected = [0, 1].flatMap((row) =>
      convolve(x.slice(row * size, (row + 1) * size), shape, weight, bias.data, { ...plain, ...written }),
    )
    assert.is(data.length, expected.length)
    for (const [i, value] of data.entries()) assert.ok(Math.abs(value - expected[i]) < 1e-13, `${i}`)
  })
}

test("'same' is Keras's: as many outputs as ⌈pixels / stride⌉, the odd pixel at the end", () => {
  const paddingOf = (pixels, kernel, stride) => {
    const model = sequential({ input: [pixels, pixels, 1], seed: 1 }, [conv2d(1, kernel, { stride, padding: 'same' })])
    assert.equal(model.outputShape, [Math.ceil(pixels / stride), Math.ceil(pixels / stride), 1])
    return model.descriptor.nodes.find(({ op }) => op === 'convolution').padding
  }
  assert.equal(paddingOf(224, 7, 2), [2, 3, 2, 3])
  assert.equal(paddingOf(32, 3, 2), [0, 1, 0, 1])
  assert.equal(paddingOf(33, 3, 2), [1, 1, 1, 1])
  assert.equal(paddingOf(4, 1, 3), [0, 0, 0, 0])
})

test('weights begin by the inputs and outputs of one place in one group', () => {
  const deviationOf = (layer) => {
    const { data } = sequential({ input: [8, 8, 32], seed: 1 }, [layer]).getWeights()['conv2d1.weight']
    return Math.sqrt(data.reduce((sum, w) => sum + w * w, 0) / data.length)
  }
  assert.ok(Math.abs(deviationOf(conv2d(64, 3)) / Math.sqrt(2 / (9 * 32)) - 1) < 0.03)
  assert.ok(Math.abs(deviationOf(conv2d(64, 3, { groups: 2 })) / Math.sqrt(2 / (9 * 16)) - 1) < 0.03)
  const limit = Math.sqrt(6 / (9 * 16 + 9 * 32))
  assert.ok(Math.abs(deviationOf(conv2d(64, 3, { groups: 2, init: 'xavier' })) / (limit / Math.sqrt(3)) - 1) < 0.03)
})

const labels = (rows) => Int32Array.from({ length: rows }, (_, i) => (3 * i + (i >> 2)) % 3)
const compiled = (model) =>
  model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }) })
const images = (rows, size) => ({ x: numbers(rows * size, 2), y: labels(rows) })

function residual() {
  const image = input([6, 5, 2])
  const first = tanh()(conv2d(4, 3, { padding: 'same' })(image))
  const second = conv2d(4, [3, 1], { padding: 'same' })(first)
  return graph({ inputs: [image], output: dense(3)(flatten()(relu()(add(first, second)))), seed: 2 })
}
const nets = {
  plain: () =>
    sequential({ input: [6, 5, 2], seed: 4 }, [
      ...[conv2d(4, 3, { padding: 'same' }), tanh(), conv2d(5, [2, 3], { stride: 2, activation: 'relu' })],
      ...[flatten(), dense(3)],
    ]),
  'groups, dilation, padding of one side': () =>
    sequential({ input: [6, 5, 2], seed: 4 }, [
      conv2d(6, 2, { groups: 2, dilation: 2, padding: { top: 1, left: 2 } }),
      ...[tanh(), conv2d(4, 3, { stride: [3, 1], groups: 2, bias: false }), flatten(), dense(3)],
    ]),
  residual,
}
for (const [name, make] of Object.entries(nets)) {
  test(`the gradient check is satisfied, inputs too: ${name}`, async () => {
    for (const options of [{ checkInput: true }, { method: 'directional' }]) {
      const report = await gradientCheck(compiled(make()), images(9, 60), options)
      assert.is(report.verdict, 'satisfied', String(report))
    }
  })
}

test('the Hessian is symmetric and that of differences of gradients', async () => {
  const model = () =>
    sequential({ input: [4, 4, 1], seed: 3, dtype: 'float64' }, [
      ...[conv2d(2, 2, { stride: 2, padding: { top: 1, left: 1 } }), tanh(), conv2d(2, [2, 1]), flatten(), dense(3)],
    ])
  const data = images(7, 16)
  const { size, data: matrix } = await hessian(compiled(model()), data)
  assert.is(size, 10 + 10 + 15)
  let asymmetry = 0
  for (let i = 0; i < size; i++)
    for (let j = 0; j < i; j++) asymmetry = Math.max(asymmetry, Math.abs(matrix[i * size + j] - matrix[j * size + i]))
  assert.ok(asymmetry < 1e-12, `${asymmetry}`)
  // One step of plain SGD at rate 1 gives the gradient.
  const gradientAt = async (shift, at) => {
    const moved = model().compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 1 }) })
    const weights = moved.getWeights()
    let number = 0
    for (const { data: part } of Object.values(weights))
      for (let i = 0; i < part.length; i++, number++) if (number === at) part[i] += shift
    moved.setWeights(weights)
    await moved.fit(data, { epochs: 1, batchSize: 7, shuffle: false, quiet: true }).done
    const after = Object.values(moved.getWeights()).flatMap(({ data: part }) => [...part])
    return Object.values(weights)
      .flatMap(({ data: part }) => [...part])
      .map((w, i) => w - after[i])
  }
  const step = 1e-5
  for (const at of [0, 5, 9, 12, 19, 30]) {
    const [above, below] = [await gradientAt(step, at), await gradientAt(-step, at)]
    for (let j = 0; j < size; j++) {
      const difference = (above[j] - below[j]) / (2 * step)
      assert.ok(Math.abs(matrix[at * size + j] - difference) < 1e-8, `${at}, ${j}`)
    }
  }
})

/** Twenty steps of a net with all that is drawn at random. */
async function bitsAfterTwentySteps(threads) {
  const model = compiled(
    sequential({ input: [12, 11, 3], seed: 5 }, [
      ...[conv2d(17, 3, { padding: 'same' }), relu(), conv2d(24, 3, { stride: 2, activation: 'tanh' }), dropout(0.2)],
      ...[conv2d(8, [2, 3], { groups: 4, dilation: 2 }), flatten(), dense(3)],
    ]),
  )
  const x = numbers(50 * 396, 9)
  await model.fit({ x, y: labels(50) }, { epochs: 4, batchSize: 10, threads, quiet: true }).done
  const hash = createHash('sha256')
  for (const { data } of Object.values(model.getWeights())) hash.update(data)
  return hash.digest('hex')
}

test('training gives the same bits on 1, 2, 3 and 5 threads and on every ISA', async () => {
  const expected = await bitsAfterTwentySteps(1)
  for (const threads of [2, 3, 5]) assert.is(await bitsAfterTwentySteps(threads), expected, `${threads} threads`)
  const here = fileURLToPath(import.meta.url)
  for (const isa of native.availableIsas) {
    const env = { ...process.env, GRADUS_ISA: isa, GRADUS_PRINT_BITS: '1' }
    const printed = execFileSync(process.execPath, [here], { env, encoding: 'utf8', cwd: dirname(here) })
    assert.is(printed.trim(), expected, isa)
  }
})

test('frozen weights stay while the bias is trained, and the reverse', async () => {
  for (const frozen of ['weight', 'bias']) {
    const model = compiled(sequential({ input: [5, 5, 2], seed: 1 }, [conv2d(4, 3), relu(), flatten(), dense(3)]))
    model.freeze(`conv2d1.${frozen}`)
    const before = model.getWeights()
    await model.fit(images(12, 50), { epochs: 2, batchSize: 6, quiet: true }).done
    const after = model.getWeights()
    for (const part of ['weight', 'bias']) {
      const stays = Buffer.compare(
        Buffer.from(before[`conv2d1.${part}`].data.buffer),
        Buffer.from(after[`conv2d1.${part}`].data.buffer),
      )
      assert.is(stays === 0, part === frozen, `${part} with ${frozen} frozen`)
    }
  }
})

test('a saved network predicts the same bits', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
  try {
    const options = { stride: [2, 1], padding: { top: 1, right: 2 }, dilation: [1, 2], groups: 2, init: 'xavier' }
    const model = sequential({ input: [6, 9, 4], seed: 1 }, [conv2d(6, 3, options), relu(), flatten(), dense(2)])
    await model.save(join(folder, 'model.safetensors'))
    const loaded = await loadModel(join(folder, 'model.safetensors'))
    const x = Float32Array.from(numbers(3 * 216, 4))
    assert.equal(await loaded.predict(x), await model.predict(x))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const build = (shape, ...layers) => sequential({ input: shape, seed: 1 }, layers)
const refusals = [
  [() => conv2d(0, 3), 'GRADUS_INVALID_ARGUMENT', /^conv2d: filters: expected a positive integer, received 0/],
  [() => conv2d(4, 0), 'GRADUS_INVALID_ARGUMENT', /^conv2d: kernel: expected a positive integer, received 0/],
  [
    () => conv2d(4, [3]),
    'GRADUS_INVALID_ARGUMENT',
    /^conv2d: kernel: expected a positive integer or \[height, width\]/,
  ],
  [() => conv2d(4, [3, 0]), 'GRADUS_INVALID_ARGUMENT', /^conv2d: kernel\[1\]: expected a positive integer, received 0/],
  [
    () => conv2d(4, 3, { stride: 0 }),
    'GRADUS_INVALID_ARGUMENT',
    /^conv2d: stride: expected a positive integer, received 0/,
  ],
  [() => conv2d(4, 3, { dilation: -1 }), 'GRADUS_INVALID_ARGUMENT', /^conv2d: dilation/],
  [
    () => conv2d(4, 3, { strides: 2 }),
    'GRADUS_INVALID_ARGUMENT',
    /^conv2d: there is no option "strides"; did you mean/,
  ],
  [
    () => conv2d(4, 3, { padding: -1 }),
    'GRADUS_INVALID_ARGUMENT',
    /^conv2d: padding: expected a whole number from 0 up/,
  ],
  [() => conv2d(4, 3, { padding: 'full' }), 'GRADUS_INVALID_ARGUMENT', /^conv2d: padding: expected 'valid', 'same'/],
  [() => conv2d(4, 3, { padding: { up: 1 } }), 'GRADUS_INVALID_ARGUMENT', /^conv2d: padding: .*"up"/],
  [
    () => conv2d(4, 3, { padding: { top: 0.5 } }),
    'GRADUS_INVALID_ARGUMENT',
    /^conv2d: padding.top: expected a whole number/,
  ],
  [
    () => conv2d(4, 3, { groups: 3 }),
    'GRADUS_INVALID_ARGUMENT',
    /^conv2d: groups: expected a divisor of the 4 filters, received 3/,
  ],
  [
    () => build([9, 9, 2], conv2d(4, 3, { padding: 3 })),
    'GRADUS_INVALID_ARGUMENT',
    /^conv2d1: padding: expected less than the kernel's extent of 3, received 3/,
  ],
  [
    () => build([9, 9, 3], conv2d(4, 3, { groups: 2 })),
    'GRADUS_SHAPE_MISMATCH',
    /^conv2d1: expected a number of channels that 2 groups divide, received an input of shape \[9, 9, 3\]/,
  ],
  [
    () => build([28, 28], conv2d(4, 3)),
    'GRADUS_SHAPE_MISMATCH',
    /^conv2d1: expected height, width and channels, .* \[28, 28\]; put reshape\(\[28, 28, 1\]\) before it/,
  ],
  [() => build([784], conv2d(4, 3)), 'GRADUS_SHAPE_MISMATCH', /^conv2d1: expected height, width and channels/],
  [
    () => build([9, 9, 1], conv2d(4, 7), relu(), conv2d(4, 5)),
    'GRADUS_SHAPE_MISMATCH',
    /^conv2d2: expected an input of at least 5×5, received an input of shape \[3, 3, 4\]/,
  ],
]
refusals.forEach(([work, code, message], i) => {
  test(`bad input is told what was expected (${i})`, () => {
    assert.throws(work, (error) => error.code === code && message.test(error.message))
  })
})

test('an image without channels gets them by a reshape', () => {
  const model = build([28, 28], reshape([28, 28, 1]), conv2d(4, 5, { stride: 2 }))
  assert.equal(model.outputShape, [12, 12, 4])
})

if (process.env.GRADUS_PRINT_BITS) console.log(await bitsAfterTwentySteps(2))
else test.run()
