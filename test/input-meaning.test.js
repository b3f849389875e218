// What the numbers of an input mean belongs to the model: the same pixels give the same predictions, however they come.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  add,
  dataset,
  dense,
  embedding,
  fitLbfgs,
  flatten,
  graph,
  input,
  loadModel,
  meanSquaredError,
  sequential,
  sgd,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const test = suite('meaning of inputs')
const folder = mkdtempSync(join(tmpdir(), 'gradus-meaning-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const rows = 30
const pixels = Uint8Array.from({ length: 4 * rows }, (_, i) => (i * 97) % 256)
const nested = Array.from({ length: rows }, (_, row) => [...pixels.subarray(4 * row, 4 * row + 4)])
const y = numbers(rows)
const once = { epochs: 2, batchSize: 10, quiet: true }
const made = (dtype = 'float32') =>
  sequential({ input: [4], seed: 3, dtype }, [dense(5, { activation: 'tanh' }), dense(1)]).compile({
    loss: meanSquaredError(),
    optimizer: sgd({ learningRate: 0.01 }),
  })
async function trained(x, dtype) {
  const model = made(dtype)
  await model.fit({ x, y }, once).done
  return model
}
async function refusal(act) {
  try {
    await act()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

/** Each way to give the same pixels. */
const forms = {
  bytes: pixels,
  'clamped bytes': Uint8ClampedArray.from(pixels),
  'nested numbers': nested,
  float32: Float32Array.from(pixels),
  float64: Float64Array.from(pixels),
  int16: Int16Array.from(pixels),
  'a table': { data: Float32Array.from(pixels), shape: [rows, 4] },
}

for (const dtype of ['float32', 'float64']) {
  test(`after bytes, whole numbers are bytes too: ${dtype}`, async () => {
    const model = await trained(pixels, dtype)
    const expected = await model.predict(pixels)
    const { loss } = await model.evaluate({ x: pixels, y })
    for (const [name, x] of Object.entries(forms)) {
      assert.equal((await model.predict(x)).data, expected.data, name)
      assert.equal(model.predictSync(x).data, expected.data, name)
      assert.is((await model.evaluate({ x, y })).loss, loss, name)
      assert.is((await model.evaluate([{ x, y }])).loss, loss, `${name}, a stream`)
      assert.is((await model.evaluate(dataset({ x, y }))).loss, loss, `${name}, a dataset`)
    }
    assert.equal((await model.predict(nested[7])).data, expected[7], 'one example')
  })
}

test('after whole numbers, bytes stand for themselves', async () => {
  const model = await trained(nested)
  const expected = await model.predict(nested)
  for (const [name, x] of Object.entries(forms)) assert.equal((await model.predict(x)).data, expected.data, name)
  assert.equal(model.predictSync(pixels).data, expected.data)
})

test('after bytes, fractions from 0 to 1 are scaled already; and the other way round', async () => {
  const scaled = Float32Array.from(pixels, (value) => Math.fround(value * Math.fround(1 / 255)))
  const onBytes = await trained(pixels)
  assert.equal((await onBytes.predict(scaled)).data, (await onBytes.predict(pixels)).data)
  assert.equal(onBytes.predictSync(scaled).data, onBytes.predictSync(pixels).data)
  const onFractions = await trained(scaled)
  assert.equal((await onFractions.predict(pixels)).data, (await onFractions.predict(scaled)).data)
})

test('a scale of one’s own is kept, and one that is stated counts', async () => {
  const own = { data: pixels, scale: 1 / 127.5, offset: -1 }
  const model = await trained(own)
  const expected = (await model.predict(own)).data
  for (const x of [pixels, nested.map((row) => row.map((value) => value / 127.5 - 1))]) {
    const found = (await model.predict(x)).data
    for (const [i, value] of found.entries()) assert.ok(Math.abs(value - expected[i]) < 1e-6)
  }
  assert.equal((await model.predict(nested)).data, expected, 'whole numbers are bytes')
  assert.not.equal((await model.predict({ data: pixels, scale: 1 / 255 })).data, expected)
  // Numbers that say that they stand for themselves.
  const onBytes = await trained(pixels)
  const far = Float32Array.from(numbers(8), (value) => 3 * value)
  assert.equal((await onBytes.predict({ data: far, scale: 1 })).shape, [2, 1])
  assert.match(await refusal(() => onBytes.predict({ data: far, scale: 2 })), /scale and offset only with a Uint8Array/)
})

test('what may be either, or is neither, is refused', async () => {
  const model = await trained(pixels)
  const expected =
    'x: expected bytes as in training, whole numbers from 0 to 255, or numbers from 0 to 1, scaled already'
  const cases = [
    [
      [[0, 1, 1, 0]],
      'numbers from 0 to 1, which may be either; give a Uint8Array, or { data, scale: 1 } for what is scaled',
    ],
    [[[0.5, 1.5, 2, 3]], 'numbers from 0.5 to 3; scale: 1 in { data, scale } takes them as they are'],
    [[[-1, 0, 0, 1]], 'numbers from -1 to 1; scale: 1 in { data, scale } takes them as they are'],
    [[[0, 0, 0, 256]], 'numbers from 0 to 256; scale: 1 in { data, scale } takes them as they are'],
  ]
  for (const [x, received] of cases) {
    const message = `GRADUS_INVALID_ARGUMENT ${expected}, received ${received}`
    assert.is(await refusal(() => model.predict(x)), message)
    assert.is(await refusal(() => model.predictSync(x)), message)
    assert.is(await refusal(() => model.evaluate({ x, y: [1] })), message)
  }
  // All 0 is 0 either way.
  assert.equal((await model.predict([0, 0, 0, 0])).data, (await model.predict(new Uint8Array(4))).data)
  assert.match(await refusal(() => model.predict([[0.5, Number.NaN, 0, 0]])), /x, row 0, column 1: expected a finite/)
  const standardized = await trained(numbers(4 * rows).map((value) => 2 * value))
  assert.match(
    await refusal(() => standardized.predict(pixels)),
    /x: expected numbers as in training, from -1\.\d+ to 1\.\d+, received bytes without a scale; give \{ data, scale, offset \}/,
  )
  assert.is((await standardized.predict({ data: pixels, scale: 1 / 255 })).length, rows)
})

test('a model that has not been trained takes bytes as v/255 and numbers as they are', async () => {
  const model = made()
  const scaled = Float32Array.from(pixels, (value) => Math.fround(value * Math.fround(1 / 255)))
  assert.equal((await model.predict(pixels)).data, (await model.predict(scaled)).data)
  assert.not.equal((await model.predict(nested)).data, (await model.predict(scaled)).data)
  await model.evaluate({ x: nested, y })
  assert.equal((await model.predict(pixels)).data, (await model.predict(scaled)).data, 'evaluate settles nothing')
})

test('the file keeps it; a stream’s first piece, L-BFGS and validation go by it', async () => {
  const model = await trained(pixels)
  const path = join(folder, 'model.safetensors')
  await model.save(path)
  const loaded = await loadModel(path)
  assert.equal((await loaded.predict(nested)).data, (await model.predict(pixels)).data)
  const streamed = made()
  await streamed.fit([{ x: pixels, y }], once).done
  assert.equal((await streamed.predict(nested)).data, (await streamed.predict(pixels)).data)
  const smooth = made()
  await fitLbfgs(smooth, { x: pixels, y }, { maxIterations: 1 })
  assert.equal((await smooth.predict(nested)).data, (await smooth.predict(pixels)).data)
  const [a, b] = [made(), made()]
  const first = await a.fit({ x: pixels, y }, { ...once, validation: { x: pixels, y } }).done
  const second = await b.fit({ x: pixels, y }, { ...once, validation: { x: nested, y } }).done
  assert.equal(first.valLoss, second.valLoss)
})

test('inputs by their names, indices left alone, one copy of a dataset', async () => {
  const [image, word] = [input([2], { name: 'image' }), input([1], { name: 'word' })]
  const output = add(dense(1)(image), dense(1)(flatten()(embedding(9, 2)(word))))
  const model = graph({ inputs: [image, word], output }).compile({ loss: meanSquaredError(), optimizer: sgd() })
  const x = { image: Uint8Array.of(3, 200, 7, 90), word: Uint8Array.of(1, 8) }
  const data = dataset({ x, y: [1, 2] })
  await model.fit(data, once).done
  const numbersOf = {
    image: [
      [3, 200],
      [7, 90],
    ],
    word: [[1], [8]],
  }
  assert.equal((await model.predict(numbersOf)).data, (await model.predict(data)).data)
  const { conventions, inputs, outputShape, dtype } = model
  const needs = { dtype, inputs, outputShape, targets: 'dense' }
  assert.is(
    await data.resident({ ...needs, conventions: { ...conventions } }),
    await data.resident({ ...needs, conventions }),
  )
  assert.is(
    await data.resident({ ...needs, conventions }),
    await data.resident({ ...needs, targets: 'none', conventions }),
  )
})

test.run()
