// Images by channel: scales and offsets of bytes, standardize and normalization, other orders, and CIFAR-10's files.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  conv2d,
  dense,
  flatten,
  globalAveragePool,
  loadModel,
  normalization,
  readCifar10,
  sequential,
  sgd,
  softmaxCrossEntropy,
  standardization,
  standardize,
  toChannelsLast,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('channels')
const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
test.after(() => rmSync(folder, { recursive: true }))

const [rows, height, width, channels] = [9, 4, 5, 3]
const shape = [rows, height, width, channels]
const data = Uint8Array.from(
  { length: rows * height * width * channels },
  (_, i) => ((i * 29 + 7) % 200) + (i % 3) * 20,
)
const y = Int32Array.from({ length: rows }, (_, i) => i % 3)
const scale = [1 / 50, 1 / 60, 1 / 70]
const offset = [-1, -1.5, -2]
/** The same numbers, each in float32 as the core makes them: rounded once. */
const numbers = Float32Array.from(data, (v, i) => v * Math.fround(scale[i % 3]) + Math.fround(offset[i % 3]))

const network = (first = []) =>
  sequential({ input: shape.slice(1), seed: 3 }, [...first, conv2d(4, 3), flatten(), dense(3)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: sgd({ learningRate: 0.1 }),
  })
const weightsOf = (model) => Object.values(model.getWeights()).map(({ data }) => [...data])

const refuses = async (work, message) => {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => null,
      (caught) => caught,
    )
  assert.ok(error?.code === 'GRADUS_INVALID_ARGUMENT' && error.message.includes(message), error?.message ?? message)
}

test('bytes with scales by channel train, evaluate and predict as the numbers they stand for', async () => {
  const bytes = { data, shape, scale, offset }
  const [one, other] = [network(), network()]
  await one.fit({ x: bytes, y }, { epochs: 3, batchSize: 4, quiet: true })
  await other.fit({ x: { data: numbers, shape }, y }, { epochs: 3, batchSize: 4, quiet: true })
  assert.equal(weightsOf(one), weightsOf(other))
  assert.equal(await one.evaluate({ x: bytes, y }), await other.evaluate({ x: { data: numbers, shape }, y }))
  const expected = [...(await other.predict({ data: numbers, shape })).data]
  // What training settled is the meaning of plain bytes ever after, in the model's file as well.
  const path = join(folder, 'bytes.safetensors')
  await one.save(path)
  for (const model of [one, await loadModel(path)]) {
    for (const x of [bytes, { data, shape }]) {
      assert.equal([...(await model.predict(x)).data], expected)
      assert.equal([...model.predictSync(x).data], expected)
    }
  }
})

test('scales that are not one for each channel are refused', async () => {
  const fit = (more) => () => network().fit({ x: { data, shape, ...more }, y }, { quiet: true })
  await refuses(
    fit({ scale: [1, 2] }),
    'x.scale: expected 3 scales, one for each of the last dimension of [4,5,3], received 2',
  )
  await refuses(fit({ scale: [1, 2, 3], offset: [1] }), 'x.offset: expected 3 numbers, as many as there are scales')
  await refuses(fit({ scale: [] }), 'x.scale: expected finite numbers')
  await refuses(fit({ scale: [1, Number.NaN, 1] }), 'x.scale: expected finite numbers')
  const floats = { data: numbers, shape, scale: [1, 2, 3] }
  await refuses(() => network().fit({ x: floats, y }, { quiet: true }), 'only with a Uint8Array')
})

test('standardize by channel gives mean 0 and deviation 1, and leaves bytes bytes', async () => {
  const found = standardize({ data, shape }, { per: 'channel' })
  const applied = found.apply({ data, shape })
  assert.is(applied.data, data)
  for (let c = 0; c < 3; c++) {
    const own = Array.from(data).filter((_, i) => i % 3 === c)
    const mean = own.reduce((a, b) => a + b) / own.length
    const deviation = Math.sqrt(own.reduce((sum, v) => sum + (v - mean) ** 2, 0) / own.length)
    assert.ok(Math.abs(found.mean[c] - mean) < 1e-9 && Math.abs(found.deviation[c] - deviation) < 1e-9)
    assert.ok(Math.abs(applied.scale[c] * mean + applied.offset[c]) < 1e-12)
  }
  const plain = { data: Float64Array.from(data), shape }
  const again = found.invert(found.apply(plain))
  for (const [i, v] of again.data.entries()) assert.ok(Math.abs(v - data[i]) < 1e-9)
  const kept = standardization(JSON.parse(JSON.stringify(found)))
  assert.equal(kept.apply({ data, shape }), applied)
  await network().fit({ x: applied, y }, { quiet: true })
  await refuses(() => standardize(data, { per: 'channel' }), 'x: expected numbers with their shape')
  await refuses(() => found.apply({ data: data.slice(0, 8), shape: [2, 2, 2] }), 'x: expected 3 channels')
})

test('normalization of images is by channel, from bytes as well', async () => {
  const model = network([normalization()])
  await model.fit({ x: { data, shape }, y }, { quiet: true })
  const weights = model.getWeights()
  assert.equal(weights['normalization1.mean'].shape, [3])
  for (let c = 0; c < 3; c++) {
    const own = Array.from(data)
      .filter((_, i) => i % 3 === c)
      .map((v) => v / 255)
    const mean = own.reduce((a, b) => a + b) / own.length
    const variance = own.reduce((sum, v) => sum + (v - mean) ** 2, 0) / own.length
    assert.ok(Math.abs(weights['normalization1.mean'].data[c] - mean) < 1e-6)
    assert.ok(Math.abs(weights['normalization1.variance'].data[c] - variance) < 1e-6)
  }
  const perFeature = network([normalization({ per: 'feature' })])
  assert.equal(perFeature.getWeights()['normalization1.mean'].shape, [60])
  const lines = sequential({ input: [7, 3] }, [normalization({ per: 'channel' }), flatten(), dense(2)])
  assert.equal(lines.getWeights()['normalization1.mean'].shape, [3])
  assert.ok(
    sequential({ input: [4, 4, 2] }, [normalization(), globalAveragePool(), dense(2)])
      .summary()
      .includes('4'),
  )
})

test('channels first become channels last', async () => {
  const first = Int32Array.from({ length: 2 * 3 * 4 * 5 }, (_, i) => i)
  const moved = toChannelsLast({ data: first, shape: [2, 3, 4, 5], scale: 1 })
  assert.equal(moved.shape, [2, 4, 5, 3])
  assert.is(moved.scale, 1)
  for (let n = 0; n < 2; n++)
    for (let c = 0; c < 3; c++)
      for (let i = 0; i < 20; i++) assert.is(moved.data[(n * 20 + i) * 3 + c], first[(n * 3 + c) * 20 + i])
  assert.equal(toChannelsLast({ data: first, shape: [10, 3, 4] }).shape, [10, 4, 3])
  await refuses(
    () => toChannelsLast({ data: first, shape: [24, 5] }),
    'x: expected numbers of the shape [rows, channels',
  )
  await refuses(() => toChannelsLast({ data: first }), 'received no shape')
})

test('files of CIFAR-10 are read in their order, packed or not, and what is none is told', async () => {
  const record = (label, seed) => Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : (i * 7 + seed) % 256))
  const one = Buffer.concat([record(3, 1), record(9, 2)])
  const { x, y, classes } = await readCifar10([one, gzipSync(record(0, 3))])
  assert.equal(x.shape, [3, 32, 32, 3])
  assert.equal([...y.data], [3, 9, 0])
  assert.equal([classes.length, classes[3]], [10, 'cat'])
  for (const [row, seed] of [1, 2, 3].entries())
    for (let c = 0; c < 3; c++)
      for (const place of [0, 37, 1023])
        assert.is(x.data[(row * 1024 + place) * 3 + c], ((1 + c * 1024 + place) * 7 + seed) % 256)
  const bad = async (files, message) => {
    const error = await readCifar10(files).catch((caught) => caught)
    assert.is(error.code, 'GRADUS_BAD_FILE')
    assert.ok(error.message.includes(message), error.message)
  }
  await bad(one.subarray(1), 'expected records of 3073 bytes')
  await bad(record(10, 1), 'record 0: expected a class number from 0 to 9, found 10')
  await refuses(() => readCifar10([]), 'files: expected at least one file')
})

test.run()
