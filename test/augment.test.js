// Augmentation: what becomes of images, by the documented draws and definitions; and that it is the same for any batches,
// threads, order and after going on, in training alone.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  alternatingFlip,
  binaryCrossEntropy,
  colorJitter,
  conv2d,
  customLayer,
  cutmix,
  cutout,
  dense,
  flatten,
  mixup,
  multiclassHinge,
  previewAugmentation,
  randomAffine,
  randomCrop,
  randomFlip,
  relu,
  sequential,
  sgd,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { augmented, jitterOf, mixOf } from './support/augmented.js'

const test = suite('augment')
const folder = mkdtempSync(join(tmpdir(), 'gradus-augment-'))
test.after(() => rmSync(folder, { recursive: true }))

const [rows, height, width, channels] = [37, 6, 7, 3]
const size = height * width * channels
const bytes = Uint8Array.from({ length: rows * size }, (_, i) => (i * 37 + (i >> 5) * 11 + (i >> 9)) % 256)
const x = { data: bytes, shape: [rows, height, width, channels] }
const y = Int32Array.from({ length: rows }, (_, i) => (i * 7) % 3)
const imageOf = (row) => Float64Array.from(bytes.subarray(row * size, (row + 1) * size), (v) => v / 255)
const everything = [
  randomCrop({ padding: 2 }),
  randomAffine({ rotation: 20, scale: 0.2, shift: 1 }),
  alternatingFlip(),
  colorJitter({ brightness: 0.3, contrast: 0.4, saturation: 0.5 }),
  cutout(3),
]

const network = ({ seed = 5, dtype = 'float32', loss = softmaxCrossEntropy(), before = [] } = {}) =>
  sequential({ input: [height, width, channels], seed, dtype }, [
    ...before,
    ...[conv2d(4, 3, { padding: 'same' }), relu(), flatten(), dense(3)],
  ]).compile({ loss, optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }), metrics: ['accuracy'] })
const bitsOf = (model) =>
  Object.values(model.getWeights()).map(({ data }) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'),
  )
const fitted = async (options, data = { x, y }, made = {}) => {
  const model = network(made)
  await model.fit(data, { batchSize: 8, quiet: true, ...options })
  return bitsOf(model)
}

const refuses = async (work, code, message) => {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => null,
      (caught) => caught,
    )
  assert.is(error?.code, code, error?.message ?? 'nothing was thrown')
  assert.ok(error.message.includes(message), error.message)
}

test('images are what the documented draws and the definitions say, epoch by epoch', async () => {
  const lists = [
    [randomCrop({ padding: 2 })],
    [randomCrop({ padding: 3, fill: 'reflect' })],
    [randomCrop({ padding: 5, fill: 'edge' }), randomFlip()],
    [randomFlip({ vertical: true })],
    [alternatingFlip(), randomCrop({ padding: 1 })],
    [randomAffine({ rotation: 30, scale: [0.8, 1.3], shift: 1.5 })],
    [randomFlip(), randomAffine({ rotation: 180, fill: 'reflect' }), randomCrop({ padding: 2, fill: 'reflect' })],
    [cutout(3), randomCrop({ padding: 2 }), cutout(4)],
  ]
  for (const augment of lists) {
    const isExact = augment.every(({ native }) => native.kind !== 'randomAffine')
    for (const epoch of [1, 2, 7]) {
      const wanted = [0, 36, 5, 5, 20]
      const { data, shape } = await previewAugmentation({ x }, augment, { rows: wanted, epoch, seed: 9 })
      assert.equal(shape, [5, height, width, channels])
      const fill = augment.find((one) => one.fill)?.fill
      for (const [i, row] of wanted.entries()) {
        const place = { height, width, channels, seed: 9, epoch: epoch - 1, row, fill }
        const expected = augmented(
          imageOf(row),
          augment.map(({ native }) => native),
          place,
        )
        for (let at = 0; at < size; at++) {
          const found = data[i * size + at]
          const limit = isExact ? 1e-7 : 1e-5
          assert.ok(
            Math.abs(found - expected[at]) < limit,
            `${JSON.stringify(augment.map(({ call }) => call))} row ${row}`,
          )
        }
      }
    }
  }
})

test('colours change by their factors and stay within the bytes', async () => {
  const { data } = await previewAugmentation({ x }, [colorJitter({ brightness: 1 })], { rows: [0, 1, 2, 3] })
  for (let row = 0; row < 4; row++) {
    const [image, found] = [imageOf(row), data.subarray(row * size, (row + 1) * size)]
    const at = image.findIndex((v, i) => v > 0.02 && found[i] < 1)
    const factor = found[at] / image[at]
    assert.ok(factor > 0 && factor < 2)
    for (const [i, v] of image.entries()) assert.ok(Math.abs(found[i] - Math.min(1, v * factor)) < 1e-5)
  }
  const grey = await previewAugmentation({ x }, [colorJitter({ saturation: 0, contrast: 0 })], { rows: [3] })
  for (const [i, v] of imageOf(3).entries()) assert.ok(Math.abs(grey.data[i] - v) < 1e-6)
})

test('each of the three factors has a draw of its own, and one follows on the other', async () => {
  const options = { brightness: 0.2, contrast: 0.5, saturation: 0.9 }
  const greyOf = ([red, green, blue]) => 0.299 * red + 0.587 * green + 0.114 * blue
  const wanted = Array.from({ length: rows }, (_, row) => row)
  const { data } = await previewAugmentation({ x }, [randomFlip(), colorJitter(options)], {
    rows: wanted,
    epoch: 2,
    seed: 3,
  })
  const plain = (await previewAugmentation({ x }, [randomFlip()], { rows: wanted, epoch: 2, seed: 3 })).data
  for (const row of wanted) {
    const [brightness, contrast, saturation] = jitterOf(options, { seed: 3, number: 1, epoch: 1, row })
    const pixels = Array.from({ length: height * width }, (_, i) =>
      [0, 1, 2].map((c) => brightness * plain[row * size + 3 * i + c]),
    )
    const mean = pixels.reduce((sum, pixel) => sum + greyOf(pixel), 0) / pixels.length
    const contrasted = pixels.map((pixel) => pixel.map((v) => mean + contrast * (v - mean)))
    const expected = contrasted.flatMap((pixel) => pixel.map((v) => greyOf(pixel) + saturation * (v - greyOf(pixel))))
    for (const [i, v] of expected.entries())
      assert.ok(Math.abs(data[row * size + i] - Math.min(1, Math.max(0, v))) < 1e-5, `row ${row}, number ${i}`)
  }
})

test('mixed images are those of the documented partner and share', async () => {
  for (const make of [mixup, cutmix]) {
    const augment = [randomFlip(), make()]
    const wanted = Array.from({ length: rows }, (_, row) => row)
    const plain = (await previewAugmentation({ x }, augment.slice(0, 1), { rows: wanted, epoch: 3, seed: 2 })).data
    const { data } = await previewAugmentation({ x }, augment, { rows: wanted, epoch: 3, seed: 2 })
    for (const row of wanted) {
      const place = { seed: 2, number: 1, epoch: 2, row, rows, height, width }
      const { partner, share, area } = mixOf(make.name, place)
      assert.ok(share >= 0.5 && partner !== row)
      for (let at = 0; at < size; at++) {
        const [own, other] = [plain[row * size + at], plain[partner * size + at]]
        const [i, j] = [Math.floor(at / (width * channels)), Math.floor(at / channels) % width]
        const isOthers = area && i >= area.top && i < area.bottom && j >= area.left && j < area.right
        const expected = area ? (isOthers ? other : own) : share * own + (1 - share) * other
        assert.ok(Math.abs(data[row * size + at] - expected) < 1e-6, `${make.name}, row ${row}`)
      }
    }
  }
})

test('training takes them as previewed, from bytes and from numbers', async () => {
  const numbers = { data: Float32Array.from(bytes, (v) => v / 300 - 0.2), shape: x.shape }
  for (const given of [x, numbers]) {
    const augment = given === x ? everything : everything.filter(({ native }) => native.kind !== 'colorJitter')
    const seen = await previewAugmentation({ x: given }, augment, { rows: [...y.keys()], seed: 5 })
    assert.equal(await fitted({}, { x: seen, y }), await fitted({ augment }, { x: given, y }))
  }
})

test('each epoch of training has draws of its own, as previewed', async () => {
  const parts = network()
  for (const epoch of [1, 2, 3]) {
    const seen = await previewAugmentation({ x }, everything, { rows: [...y.keys()], epoch, seed: 5 })
    await parts.fit({ x: seen, y }, { batchSize: 8, quiet: true, epochs: epoch, initialEpoch: epoch - 1 })
  }
  assert.equal(bitsOf(parts), await fitted({ augment: everything, epochs: 3 }))
})

test('batches of 32 and of 100 have the same bytes', async () => {
  const seenIn = async (batchSize) => {
    const seen = new Map()
    const recorder = customLayer({
      name: 'recorder',
      outputShape: ([...shape]) => shape,
      forward(values, _, { batch, training }) {
        if (training) seen.set(seen.size, [batch, values.slice()])
        return values.slice()
      },
      backward: (dy) => ({ dx: dy.slice() }),
    })
    await fitted({ augment: everything, batchSize, epochs: 2 }, undefined, { before: [recorder] })
    return Buffer.concat([...seen.values()].map(([, { buffer }]) => Buffer.from(buffer))).toString('hex')
  }
  const once = await seenIn(32)
  assert.is(once.length, 2 * rows * size * 4 * 2)
  assert.is(await seenIn(100), once)
})

test('the bits are the same on any number of threads, and in a run of two parts', async () => {
  const options = { augment: everything, epochs: 3 }
  const expected = await fitted(options)
  for (const threads of [1, 2, 3, 5]) assert.equal(await fitted({ ...options, threads }), expected)
  const model = network()
  const dir = join(folder, 'parts')
  await model.fit({ x, y }, { ...options, batchSize: 8, epochs: 2, dir, resume: true, quiet: true })
  const again = network()
  await again.fit({ x, y }, { ...options, batchSize: 8, dir, resume: true, quiet: true })
  assert.equal(bitsOf(again), expected)
  assert.is.not(JSON.stringify(await fitted({ epochs: 3 })), JSON.stringify(expected))
})

test('who goes on must change images as before', async () => {
  const dir = join(folder, 'other')
  const options = { augment: [randomCrop({ padding: 2 })], dir, resume: true, quiet: true }
  await network().fit({ x, y }, { ...options, epochs: 1 })
  const other = [randomCrop({ padding: 1 })]
  for (const augment of [other, undefined]) {
    await refuses(
      () => network().fit({ x, y }, { ...options, augment, epochs: 2 }),
      'GRADUS_INVALID_ARGUMENT',
      'augment',
    )
  }
})

test('in a stream rows count from the epoch’s begin', async () => {
  const pieces = function* () {
    for (const [first, end] of [
      [0, 5],
      [5, 20],
      [20, rows],
    ]) {
      yield {
        x: { data: bytes.subarray(first * size, end * size), shape: [end - first, height, width, channels] },
        y: y.subarray(first, end),
      }
    }
  }
  const options = { augment: everything, epochs: 2, shuffle: false }
  assert.equal(await fitted(options, pieces), await fitted(options))
})

test('evaluation, validation and predictions have the images as they are', async () => {
  const model = network()
  const [before, outputs] = [await model.evaluate({ x, y }), (await model.predict(x)).data]
  const augment = [randomCrop({ padding: 3 }), mixup()]
  const still = { schedule: () => 0, momentumSchedule: () => 0 }
  const history = await model.fit({ x, y }, { augment, ...still, validation: { x, y }, quiet: true })
  assert.is(history.valLoss[0], before.loss)
  assert.is.not(history.loss[0], before.loss)
  assert.equal((await model.predict(x)).data, outputs)
})

test('the loss of mixed labels is that of their targets mixed', async () => {
  for (const make of [mixup, cutmix]) {
    for (const labelSmoothing of [0, 0.1]) {
      const options = { augment: [make()], epochs: 2 }
      const loss = softmaxCrossEntropy({ labelSmoothing })
      const dense = { data: Float64Array.from({ length: rows * 3 }, (_, i) => Number(y[Math.floor(i / 3)] === i % 3)) }
      const targets = { ...dense, shape: [rows, 3] }
      const models = await Promise.all(
        [y, targets].map(async (given) => {
          const model = network({ loss, dtype: 'float64' })
          const history = await model.fit({ x, y: given }, { ...options, batchSize: 8, quiet: true })
          assert.ok(history.accuracy.every((share) => share >= 0 && share <= 1))
          return model.getWeights()
        }),
      )
      for (const [name, { data }] of Object.entries(models[0])) {
        for (const [i, v] of data.entries()) assert.ok(Math.abs(v - models[1][name].data[i]) < 1e-12, name)
      }
    }
  }
  await network({ loss: binaryCrossEntropy() }).fit(
    { x, y: { data: new Float32Array(rows * 3).fill(0.5), shape: [rows, 3] } },
    { augment: [mixup({ alpha: 0.2 })], quiet: true },
  )
})

test('the two labels count by the documented share, which of areas is that of their pixels', async () => {
  const all = Array.from({ length: rows }, (_, row) => row)
  for (const make of [mixup, cutmix]) {
    const model = network({ dtype: 'float64' })
    const still = { schedule: () => 0, momentumSchedule: () => 0 }
    const images = await previewAugmentation({ x }, [make()], { rows: all, seed: 5 })
    const { data: scores } = await model.predict({ data: Float64Array.from(images.data), shape: x.shape })
    const { loss } = await model.fit({ x, y }, { augment: [make()], ...still, batchSize: 8, quiet: true })
    const lossOf = (row, label) => {
      const own = scores.subarray(3 * row, 3 * row + 3)
      return Math.log(own.reduce((sum, score) => sum + Math.exp(score), 0)) - own[label]
    }
    const losses = all.map((row) => {
      const { partner, share } = mixOf(make.name, { seed: 5, number: 0, epoch: 0, row, rows, height, width })
      return share * lossOf(row, y[row]) + (1 - share) * lossOf(row, y[partner])
    })
    const expected = losses.reduce((sum, one) => sum + one, 0) / rows
    assert.ok(Math.abs(loss[0] - expected) < 1e-6, `${make.name}: ${loss[0]}, expected ${expected}`)
  }
})

test('shares of mixup are distributed as Beta(alpha, alpha)', async () => {
  const count = 4000
  const two = { data: Float32Array.from({ length: count }, (_, i) => i % 2), shape: [count, 1, 1, 1] }
  for (const alpha of [0.2, 0.5, 1, 3]) {
    const rows = Array.from({ length: count }, (_, row) => row)
    const { data } = await previewAugmentation({ x: two }, [mixup({ alpha })], { rows, seed: 4 })
    // Of pairs that differ the share can be read off: the own number is 0 or 1.
    const shares = rows.flatMap((row) => (data[row] === row % 2 ? [] : [row % 2 ? data[row] : 1 - data[row]]))
    const variance = shares.reduce((sum, share) => sum + (share - 0.5) ** 2, 0) / shares.length
    const expected = 1 / (4 * (2 * alpha + 1))
    assert.ok(Math.abs(variance - expected) < 0.1 * expected, `${alpha}: ${variance}, expected ${expected}`)
  }
})

test('views: the mean of the outputs of images and of their mirror images', async () => {
  const mirrored = bytes.slice()
  for (let row = 0; row < rows * height; row++)
    for (let j = 0; j < width; j++)
      for (let c = 0; c < channels; c++)
        mirrored[(row * width + j) * channels + c] = bytes[(row * width + width - 1 - j) * channels + c]
  const model = network({ dtype: 'float64' })
  await model.fit({ x, y }, { quiet: true })
  const scoresOf = async (data) => (await model.predict({ data, shape: x.shape })).data
  const [plain, turned] = [await scoresOf(bytes), await scoresOf(mirrored)]
  const mean = plain.map((score, i) => (score + turned[i]) / 2)
  for (const batchSize of [8, 256]) {
    const found = (await model.predict(x, { views: 'mirror', batchSize })).data
    for (const [i, score] of found.entries()) assert.ok(Math.abs(score - mean[i]) < 1e-14)
    const { loss, accuracy } = await model.evaluate({ x, y }, { views: 'mirror', batchSize })
    const losses = Array.from(y, (label, row) => {
      const own = mean.subarray(3 * row, 3 * row + 3)
      return Math.log(own.reduce((sum, score) => sum + Math.exp(score), 0)) - own[label]
    })
    assert.ok(Math.abs(losses.reduce((a, b) => a + b) / rows - loss) < 1e-12)
    const right = y.filter((label, row) =>
      mean.subarray(3 * row, 3 * row + 3).every((score) => score <= mean[3 * row + label]),
    )
    assert.is(accuracy, right.length / rows)
  }
  assert.equal((await model.predict(x)).data, plain)
  const line = sequential({ input: [4] }, [dense(2)])
  await refuses(
    () => line.predict([[1, 2, 3, 4]], { views: 'mirror' }),
    'GRADUS_INVALID_ARGUMENT',
    'views: expected one input of images, [height, width, channels], received [4]',
  )
  await refuses(() => model.predict(x, { views: 'both' }), 'GRADUS_INVALID_ARGUMENT', "views: expected one of 'mirror'")
})

test('what cannot be is refused with a sentence', async () => {
  const flat = sequential({ input: [12] }, [dense(3)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: sgd({ learningRate: 1 }),
  })
  const invalid = (work, message) => refuses(work, 'GRADUS_INVALID_ARGUMENT', message)
  const fit =
    (augment, data = { x, y }, made = {}) =>
    () =>
      network(made).fit(data, { augment, quiet: true })
  await invalid(
    () => flat.fit({ x: new Float32Array(24), y: [0, 1] }, { augment: [randomFlip()], quiet: true }),
    'augment: expected one input of images, [height, width, channels], received [12]',
  )
  await invalid(fit(randomFlip()), 'augment: expected an array')
  await invalid(fit([randomFlip]), 'augment[0]: expected a change such as randomCrop({ padding: 4 }), received')
  await invalid(fit(['randomFlip']), 'did you mean randomFlip()?')
  await invalid(fit([mixup(), cutmix()]), 'augment: expected mixup or cutmix once, received mixup and cutmix')
  await invalid(
    fit([randomCrop({ padding: 1 }), randomAffine({ fill: 'edge' })]),
    'augment: expected one fill in all of randomCrop and randomAffine, received zero and edge',
  )
  await invalid(fit([mixup()], { x, y }, { loss: multiclassHinge() }), 'received multiclassHinge')
  await invalid(fit([randomCrop({ padding: 6 })]), 'randomCrop: expected a padding below the images')
  await invalid(fit([cutout(15)]), 'cutout: expected at most twice')
  const numbers = { data: Float32Array.from(bytes), shape: x.shape }
  await invalid(fit([colorJitter({ contrast: 0.5 })], { x: numbers, y }), 'colorJitter: expected images of bytes')
  await invalid(fit([mixup()], [{ x, y }]), 'received a stream')
  await invalid(() => previewAugmentation({ x: bytes }, [randomFlip()]), 'data.x: expected images with the shape')
  await invalid(() => previewAugmentation({ x }, [randomFlip()], { rows: [rows] }), 'rows: expected numbers below 37')
  for (const bad of [0, -1, 1.5, '4'])
    await invalid(() => randomCrop({ padding: bad }), 'padding: expected a positive integer')
  await invalid(() => randomCrop({ padding: 1, fill: 'mirror' }), 'fill')
  await invalid(() => randomAffine({ rotation: 200 }), 'rotation: expected degrees from 0 to 180')
  for (const scale of [1, 2, [2, 1], [0, 1], 'large'])
    await invalid(() => randomAffine({ scale }), 'scale: expected a number below 1')
  await invalid(() => colorJitter({ brightness: 2 }), 'brightness: expected a number from 0 to 1')
  await invalid(() => mixup({ alpha: 0 }), 'alpha')
  await invalid(() => cutout(0), 'cutout: size')
})

test.run()
