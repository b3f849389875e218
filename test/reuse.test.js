// Trained layers in other models, weights out of files, and weights that are kept as they are.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adam,
  add,
  averagedWeights,
  batchNorm,
  customLayer,
  dense,
  embedding,
  flatten,
  graph,
  input,
  layerNorm,
  loadModel,
  maxout,
  meanSquaredError,
  normalization,
  relu,
  sequential,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { failure, numbers } from './support/reference.js'
import { write } from './support/safetensors.js'

const test = suite('reuse')
const folder = mkdtempSync(join(tmpdir(), 'gradus-reuse-'))
const path = join(folder, 'weights.safetensors')
test.after(() => rmSync(folder, { recursive: true }))

const rows = 30
const data = { x: numbers(rows * 6, 1), y: numbers(rows * 2, 2) }
const training = {
  loss: meanSquaredError(),
  optimizer: adam({ learningRate: 0.02, average: averagedWeights({ decay: 0.9 }) }),
}
const fitting = { epochs: 2, batchSize: 7, quiet: true }

async function trained(dtype = 'float32') {
  const layers = [dense(8, { name: 'first' }), batchNorm(), relu(), dense(4), maxout(2), layerNorm(), dense(2)]
  const model = sequential({ input: [6], seed: 5, dtype }, layers).compile(training)
  await model.fit(data, fitting).done
  return model
}
const plain = (weights) => Object.entries(weights).map(([name, { data }]) => [name, [...data]])
const of = (model, names) => plain(model.getWeights()).filter(([name]) => names.includes(name.split('.')[0]))
const trunk = ['first', 'batchNorm1', 'relu1', 'dense1', 'maxout1', 'layerNorm1']

test('names of layers are those of the summary', async () => {
  const model = await trained()
  assert.equal(model.layerNames, [...trunk, 'dense2'])
  for (const name of model.layerNames) assert.match(model.summary(), new RegExp(`^${name} `, 'm'))
})

test('a trained trunk begins another model with its weights and names, whatever stands before it', async () => {
  const from = await trained()
  const head = () => [...trunk.map((name) => from.layer(name)), dense(3, { init: 'ones' })]
  const model = sequential({ input: [6], seed: 1 }, head())
  assert.equal(model.layerNames, [...trunk, 'dense2'])
  assert.equal(of(model, trunk), of(from, trunk))
  assert.equal([...new Set(model.getWeights()['dense2.weight'].data)], [1])
  // Cut before its head the first model says what the second one's head is given: its sum, as all weights are 1.
  const cut = sequential(
    { input: [6] },
    trunk.map((name) => from.layer(name)),
  )
  const hidden = await cut.predict(data.x)
  const outputs = await model.predict(data.x)
  const width = cut.outputShape[0]
  for (let row = 0; row < rows; row++) {
    const sum = hidden.data.subarray(row * width, (row + 1) * width).reduce((total, value) => total + value, 0)
    assert.ok(Math.abs(sum - outputs.data[row * 3]) < 1e-5)
  }

  model.compile(training)
  assert.equal(of(model, trunk), of(from, trunk), 'compiled at first')
  const compiled = sequential({ input: [6], seed: 1 }, head()).compile(training)
  assert.equal(of(compiled, trunk), of(from, trunk))
  assert.equal(plain(compiled.getWeights({ average: true })), plain(compiled.getWeights()))
})

test('weights are copied: neither model changes the other, nor must the first one live', async () => {
  const from = await trained()
  const before = plain(from.getWeights())
  const layer = from.layer('first')
  const [one, other] = [1, 2].map(() => sequential({ input: [6] }, [layer, dense(2)]).compile(training))
  await one.fit(data, fitting).done
  assert.equal(plain(from.getWeights()), before)
  assert.equal(of(other, ['first']), of(from, ['first']))
  assert.not.equal(of(one, ['first']), of(from, ['first']))
  const expected = of(from, ['first'])
  from.dispose()
  assert.equal(of(sequential({ input: [6], dtype: 'float64' }, [layer]), ['first']), expected)
})

test('a reused layer in a graph, shared within it, and in a file', async () => {
  const from = await trained()
  const shared = from.layer('first')
  const [a, b] = [input([6]), input([6])]
  const model = graph({ inputs: [a, b], output: dense(2)(add(shared(a), shared(b))) })
  assert.equal(of(model, ['first']), of(from, ['first']))
  const loaded = await loadModel(await model.toBuffer())
  assert.equal(loaded.getWeights(), model.getWeights())
  assert.equal(loaded.layerNames, model.layerNames)
})

test('layers of every way to be called keep their names', async () => {
  const scale = customLayer({ name: 'scale', forward: (x) => x, backward: (dy) => ({ dx: dy }) })
  const from = sequential({ input: [3] }, [embedding(5, 2), flatten(), scale, maxout(2), relu(), dense(1)])
  const model = sequential(
    { input: [3] },
    from.layerNames.map((name) => from.layer(name)),
  )
  assert.equal(model.layerNames, from.layerNames)
  const loaded = await loadModel(await model.toBuffer(), { layers: { scale } })
  assert.equal(loaded.getWeights(), from.getWeights())
})

test('a normalization brings the numbers that it has, and takes none from the data of the second model', async () => {
  const from = sequential({ input: [6] }, [normalization(), dense(2)]).compile(training)
  const fresh = sequential({ input: [6] }, [from.layer('normalization1'), dense(2)]).compile(training)
  await from.fit(data, fitting).done
  const model = sequential({ input: [6] }, [from.layer('normalization1'), dense(2)]).compile(training)
  const read = sequential({ input: [6] }, [normalization(), dense(2)]).compile(training)
  await read.loadWeights(await from.toBuffer(), { names: 'normalization1' })
  const other = { x: numbers(rows * 6, 7).map((value) => 3 * value + 1), y: data.y }
  await Promise.all([model, read, fresh].map((one) => one.fit(other, fitting).done))
  for (const one of [model, read]) assert.equal(of(one, ['normalization1']), of(from, ['normalization1']))
  assert.not.equal(of(fresh, ['normalization1']), of(from, ['normalization1']))
})

test('a layer that is not there, or that fits no more, is named', async () => {
  const from = await trained()
  let error = await failure(() => from.layer('denze1'))
  assert.is(error.message, 'layer: the model has no layer "denze1"; did you mean "dense1"?')
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  const circle = []
  circle.push(circle)
  for (const bad of [undefined, 3, 'input', {}, Object.create(null), circle, 'x'.repeat(2 ** 28)]) {
    assert.is((await failure(() => from.layer(bad))).code, 'GRADUS_INVALID_ARGUMENT')
  }
  error = await failure(() => sequential({ input: [5] }, [from.layer('first')]))
  assert.is(error.code, 'GRADUS_SHAPE_MISMATCH')
  assert.is(error.message, 'first.weight: the layer brings weights of shape [6, 8], and here they would be of [5, 8]')
})

test('frozen weights stay, the others train as if their layers had said so', async () => {
  const make = (trainable) =>
    sequential({ input: [6], seed: 9 }, [dense(5, { trainable }), layerNorm({ trainable }), dense(2)])
  const said = make(false).compile(training)
  for (const compileFirst of [true, false]) {
    const model = make(true)
    if (compileFirst) model.compile(training)
    assert.is(model.freeze(['dense1', 'layer*']), model)
    if (!compileFirst) model.compile(training)
    assert.equal(model.descriptor, said.descriptor)
    assert.is(model.summary(), said.summary())
    const before = of(model, ['dense1', 'layerNorm1'])
    await model.fit(data, fitting).done
    if (compileFirst) await said.fit(data, fitting).done
    assert.equal(of(model, ['dense1', 'layerNorm1']), before)
    assert.equal(model.getWeights(), said.getWeights())

    model.unfreeze('dense1')
    await model.fit(data, fitting).done
    assert.not.equal(of(model, ['dense1']), of(said, ['dense1']))
    assert.equal(of(model, ['layerNorm1']), before.slice(2))
  }
})

test('freezing starts the optimizer anew and keeps the weights; a file keeps what is frozen', async () => {
  const model = await trained()
  const before = plain(model.getWeights())
  model.freeze('*.bias')
  assert.equal(plain(model.getWeights()), before)
  assert.is(model.program.step, 0)
  await model.fit(data, fitting).done
  const loaded = await loadModel(await model.toBuffer({ optimizer: true }))
  assert.equal(loaded.descriptor, model.descriptor)
  const epochs = { ...fitting, epochs: 4, initialEpoch: 2 }
  await Promise.all([model, loaded].map((one) => one.fit(data, epochs).done))
  assert.equal(loaded.getWeights(), model.getWeights())
  loaded.unfreeze()
  const { descriptor } = await trained()
  assert.equal(loaded.descriptor, descriptor)
})

test('what a layer itself does not train stays so', async () => {
  const model = sequential({ input: [6] }, [dense(5, { trainable: false }), batchNorm(), dense(2)])
  const { descriptor } = model
  assert.equal(model.freeze().unfreeze().descriptor, descriptor)
})

test('patterns that name nothing, and a model in training, are refused', async () => {
  const model = await trained()
  for (const work of [() => model.freeze('dens1'), () => model.loadWeights(path, { names: ['first', 'dens1'] })]) {
    const error = await failure(work)
    assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
    assert.match(error.message, /^names: "dens1" names none of first.weight, first.bias, batchNorm1.gain/)
  }
  for (const bad of [[], 3, null, [3], new Array(2)]) {
    for (const work of [() => model.freeze(bad), () => model.loadWeights(path, { names: bad })]) {
      const error = await failure(work)
      assert.is(error.code, 'GRADUS_INVALID_ARGUMENT', error.stack)
    }
  }
  const { done } = model.fit(data, fitting)
  const bytes = await (await trained()).toBuffer()
  const { done: longer } = model.program.busy ? { done } : model.fit(data, { ...fitting, epochs: 200 })
  for (const work of [() => model.freeze(), () => model.loadWeights(bytes)]) {
    assert.is((await failure(work)).code, 'GRADUS_BUSY')
  }
  await Promise.all([done, longer])
})

test('weights are read by name from a file of another model', async () => {
  const from = await trained()
  await from.save(path, { optimizer: true })
  const layers = [dense(8, { name: 'first' }), dense(4), dense(7, { name: 'head' })]
  const model = sequential({ input: [6], seed: 3 }, layers).compile(training)
  const before = of(model, ['dense1', 'head'])
  await model.loadWeights(path, { names: 'first' })
  assert.equal(of(model, ['first']), of(from, ['first']))
  assert.equal(of(model, ['dense1', 'head']), before)
  assert.equal(plain(model.getWeights({ average: true })), plain(model.getWeights()))

  const all = plain(model.getWeights())
  for (const [names, message] of [
    [undefined, /there is no tensor "head.weight", which the model needs/],
    [['first', 'head'], /there is no tensor "head.weight", which the model needs/],
  ]) {
    const error = await failure(() => model.loadWeights(path, { names }))
    assert.is(error.code, 'GRADUS_BAD_FILE')
    assert.match(error.message, message)
    assert.ok(error.message.startsWith(path))
  }
  const wider = sequential({ input: [6] }, [dense(9, { name: 'first' })])
  const error = await failure(async () => wider.loadWeights(await from.toBuffer()))
  assert.match(error.message, /tensor "first.weight" is of shape \[6, 8\], and the model needs \[6, 9\]$/)
  assert.equal(plain(model.getWeights()), all)
})

test('all weights of a file for a model of the same names, of either dtype', async () => {
  for (const [written, read] of [
    ['float32', 'float64'],
    ['float64', 'float32'],
  ]) {
    const from = await trained(written)
    const model = sequential(
      { input: [6], dtype: read },
      from.layerNames.map((name) => from.layer(name)),
    )
    model.setWeights(
      Object.fromEntries(
        Object.entries(model.getWeights()).map(([name, { shape, data }]) => [name, { shape, data: data.fill(0) }]),
      ),
    )
    await model.loadWeights(await from.toBuffer())
    const rounded = plain(from.getWeights()).map(([name, values]) => [name, values.map(Math.fround)])
    assert.equal(plain(model.getWeights()), rounded)
  }
})

test('weights that somebody else wrote, and that are not finite', async () => {
  const model = sequential({ input: [2] }, [dense(1, { name: 'a' })])
  const file = (values) => {
    const header = {
      other: { dtype: 'I32', shape: [1], data_offsets: [0, 4] },
      'a.weight': { dtype: 'F32', shape: [2, 1], data_offsets: [4, 12] },
      'a.bias': { dtype: 'F32', shape: [1], data_offsets: [12, 16] },
    }
    write(path, header, Buffer.from(Float32Array.of(7, ...values).buffer))
  }
  file([1, 2, 3])
  await model.loadWeights(path)
  assert.equal(of(model, ['a']), [
    ['a.weight', [1, 2]],
    ['a.bias', [3]],
  ])
  file([4, 5, Number.NaN])
  const error = await failure(() => model.loadWeights(path))
  assert.match(error.message, /tensor "a.bias", element 0: expected a finite float32, received NaN/)
  assert.equal(of(model, ['a']), [
    ['a.weight', [1, 2]],
    ['a.bias', [3]],
  ])
})

test.run()
