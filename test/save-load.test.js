// Saving and loading: the layout of the file, the same model again, and files that lie.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import {
  accuracy,
  adam,
  add,
  averagedWeights,
  batchNorm,
  concat,
  confusionMatrix,
  dense,
  dropout,
  elastic,
  embedding,
  flatten,
  graph,
  input,
  l2,
  layerNorm,
  leakyRelu,
  loadModel,
  maxout,
  meanSquaredError,
  multiclassHinge,
  randomNormal,
  reshape,
  sequential,
  sgd,
  softmaxCrossEntropy,
  topKAccuracy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { failure, numbers } from './support/reference.js'
import { parse } from './support/safetensors.js'
import { stateOf } from './support/state.js'

const files = suite('save and load')
const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
const path = (name = 'model.safetensors') => join(folder, name)
files.after(() => rmSync(folder, { recursive: true }))

const classifier = (dtype = 'float32') =>
  sequential({ input: [6], seed: 11, dtype }, [
    dense(8, { init: 'xavier', regularizer: l2(1e-3), maxNorm: 4 }),
    batchNorm(),
    leakyRelu({ slope: 0.2 }),
    dropout(0.3),
    dense(4 * 2, { regularizer: elastic({ l1: 1e-4, l2: 1e-4 }), biasInit: 0.1 }),
    maxout(2),
    layerNorm(),
    dense(3, { init: randomNormal({ deviation: 0.1 }), name: 'scores' }),
  ])
const training = (options = {}) => ({
  loss: softmaxCrossEntropy(),
  optimizer: adam({ learningRate: 0.01, average: averagedWeights({ decay: 0.9 }), ...options }),
  metrics: ['accuracy', topKAccuracy(2), confusionMatrix()],
})
const rows = 50
const data = {
  x: Float32Array.from(numbers(6 * rows)),
  y: Int32Array.from({ length: rows }, (_, i) => (i * 7) % 3),
}
const fitting = (epochs, initialEpoch = 0) => ({ epochs, initialEpoch, batchSize: 16, quiet: true })

for (const dtype of ['float32', 'float64']) {
  files(`the layout follows the format: ${dtype}`, async () => {
    const model = classifier(dtype)
    await model.save(path())
    const { names, tensors, metadata, dataBegin, size } = parse(path())
    const weights = model.getWeights()
    assert.equal(names, Object.keys(weights))
    assert.is(dataBegin % 8, 0)
    let end = 0
    for (const name of names) {
      assert.is(tensors[name].dtype, dtype === 'float32' ? 'F32' : 'F64')
      assert.equal(tensors[name].shape, weights[name].shape)
      assert.equal(tensors[name].values, [...weights[name].data])
      assert.is(tensors[name].offsets[0], end)
      end = tensors[name].offsets[1]
    }
    assert.is(dataBegin + end, size)
    assert.ok(Object.values(metadata).every((value) => typeof value === 'string'))
    assert.is(metadata.format, 'gradus 1')
  })
}

files('a loaded model predicts the same bits and is compiled the same way', async () => {
  const model = classifier().compile(training())
  await model.fit(data, fitting(2)).done
  await model.save(path())
  const loaded = await loadModel(path())
  assert.equal(loaded.descriptor, model.descriptor)
  assert.equal(loaded.getWeights(), model.getWeights())
  assert.equal(await loaded.predict(data.x), await model.predict(data.x))
  assert.equal(await loaded.evaluate(data), await model.evaluate(data))
  assert.is(loaded.summary(), model.summary())
})

files('training goes on to the same bits as if never interrupted', async () => {
  const whole = classifier().compile(training())
  await whole.fit(data, fitting(4)).done

  const first = classifier().compile(training())
  await first.fit(data, fitting(2)).done
  await first.save(path(), { optimizer: true })
  const second = await loadModel(path())
  assert.equal(second.getWeights({ average: true }), first.getWeights({ average: true }))
  await second.fit(data, fitting(4, 2)).done
  assert.equal(second.getWeights(), whole.getWeights())
  assert.equal(second.getWeights({ average: true }), whole.getWeights({ average: true }))

  await first.save(path())
  const without = await loadModel(path())
  await without.fit(data, fitting(4, 2)).done
  assert.not.equal(without.getWeights(), whole.getWeights())
})

files('a model that is not compiled is loaded so', async () => {
  const model = classifier()
  await model.save(path())
  const loaded = await loadModel(path())
  assert.equal(await loaded.predict(data.x), await model.predict(data.x))
  assert.is((await failure(() => loaded.fit(data))).code, 'GRADUS_NOT_COMPILED')
  assert.is((await failure(() => model.save(path(), { optimizer: true }))).code, 'GRADUS_NOT_COMPILED')
})

files('a graph with shared layers and two inputs is loaded as it was', async () => {
  const words = input([3], { name: 'words' })
  const size = input([4])
  const shared = dense(4, { activation: 'tanh', trainable: false })
  const looked = reshape(12)(flatten()(embedding(9, 4)(words)))
  const model = graph({ inputs: [words, size], output: concat(add(shared(shared(size)), size), looked), seed: 2 })
  model.compile({ loss: meanSquaredError(), optimizer: sgd({ momentum: 0.9, nesterov: true }), metrics: ['r2'] })
  await model.save(path(), { optimizer: true })
  const loaded = await loadModel(path())
  assert.equal(loaded.descriptor, model.descriptor)
  assert.is(loaded.summary(), model.summary())
  const x = { words: Int32Array.of(8, 0, 4), input1: Float32Array.of(1, 2, 3, 4) }
  assert.equal(await loaded.predict(x), await model.predict(x))
})

files('a loss with an argument comes back with it', async () => {
  const model = sequential({ input: [3] }, [dense(3)])
  model.compile({ loss: multiclassHinge({ margin: 2.5 }), optimizer: sgd(), metrics: [accuracy()] })
  await model.save(path())
  assert.is((await loadModel(path())).descriptor.loss.parameter, 2.5)
})

files('saving replaces the file at once and leaves nothing else behind', async () => {
  await classifier().save(path())
  const model = sequential({ input: [6], seed: 5 }, [dense(2)])
  await model.save(path())
  assert.equal(parse(path()).names, ['dense1.weight', 'dense1.bias'])
  await failure(() => model.save(join(folder, 'nowhere', 'model.safetensors')))
  mkdirSync(path('taken'))
  await failure(() => model.save(path('taken')))
  assert.equal(readdirSync(folder), ['model.safetensors', 'taken'])
})

files('bytes in memory are those of the file, of any kind', async () => {
  const model = classifier().compile(training())
  await model.fit(data, fitting(1)).done
  await model.save(path(), { optimizer: true, metadata: { from: 'here' } })
  const bytes = await model.toBuffer({ optimizer: true, metadata: { from: 'here' } })
  assert.ok(Buffer.isBuffer(bytes))
  assert.ok(bytes.equals(readFileSync(path())))
  const plain = new Uint8Array(bytes)
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  const inTheMiddle = new Uint8Array(bytes.length + 7).subarray(3, bytes.length + 3)
  inTheMiddle.set(bytes)
  const foreign = runInNewContext('Uint8Array.from(bytes)', { bytes: [...bytes] })
  for (const source of [bytes, plain, plain.buffer, shared, shared.buffer, inTheMiddle, foreign, foreign.buffer]) {
    const loaded = await loadModel(source)
    assert.equal(loaded.getWeights(), model.getWeights())
    assert.equal(loaded.getWeights({ average: true }), model.getWeights({ average: true }))
    assert.is(loaded.program.step, model.program.step)
  }
})

files('bytes may change or go away while they are read', async () => {
  const model = sequential({ input: [1100], seed: 5 }, [dense(1100)]) // 4.8 MB: two pieces
  const bytes = new Uint8Array(await model.toBuffer())
  const loading = loadModel(bytes)
  structuredClone(bytes, { transfer: [bytes.buffer] })
  const error = await failure(() => loading)
  assert.is(error.code, 'GRADUS_BAD_FILE')
  assert.match(error.message, /^the buffer: they became fewer while they were read/)
})

files('metadata of the user come back, and stay when the model is saved again', async () => {
  const metadata = { words: ['a', 'ü', '"'], scale: { mean: [0.1, -3], of: null }, isNew: true, __proto__: {} }
  Object.defineProperty(metadata, '__proto__', { value: 'a key like any other', enumerable: true })
  const made = classifier()
  assert.is(made.metadata, undefined)
  await made.save(path(), { metadata: { ...metadata, left: undefined, at: new Date(0), kept: { toJSON: () => [1] } } })
  const loaded = await loadModel(path())
  assert.is(JSON.stringify(loaded.metadata), JSON.stringify({ ...metadata, at: '1970-01-01T00:00:00.000Z', kept: [1] }))
  assert.is(Object.getPrototypeOf(loaded.metadata), Object.prototype)
  assert.equal((await loadModel(await loaded.toBuffer())).metadata, loaded.metadata)
  assert.is((await loadModel(await loaded.toBuffer({ metadata: 'other' }))).metadata, 'other')
  assert.is((await loadModel(await loaded.toBuffer({ metadata: null }))).metadata, null)
})

files('a model of more layers than a file holds is refused by who saves it', async () => {
  const model = sequential(
    { input: [2] },
    Array.from({ length: 16_384 }, () => leakyRelu()),
  )
  const error = await failure(() => model.toBuffer())
  assert.is(`${error.code} ${error.message}`, 'GRADUS_TOO_LARGE save: a file holds at most 16384 layers')
})

files('more metadata than a header holds are refused, and leave the old file', async () => {
  await classifier().save(path())
  const error = await failure(() => classifier().save(path(), { metadata: 'x'.repeat(16_000_000) }))
  assert.is(error.code, 'GRADUS_TOO_LARGE')
  assert.ok(await loadModel(path()))
})

function circle() {
  const circle = {}
  circle.a = circle
  return circle
}

files('saving names a bad argument', async () => {
  const model = classifier()
  for (const [call, argument] of [
    [() => model.save(), 'file'],
    [() => model.save(7), 'file'],
    [() => model.save(path(), { optimiser: true }), 'save'],
    [() => model.toBuffer({ optimizer: 1 }), 'optimizer'],
    [() => model.save(path(), { metadata: { a: [1, Number.NaN] } }), 'metadata.a[1]: expected what JSON can say'],
    [() => model.toBuffer({ metadata: { mean: new Float64Array(3) } }), 'metadata.mean'],
    [() => model.toBuffer({ metadata: new Map() }), 'metadata'],
    [() => model.toBuffer({ metadata: 3n }), 'metadata'],
    [() => model.toBuffer({ metadata: () => 1 }), 'metadata'],
    [() => model.toBuffer({ metadata: circle() }), 'metadata.a.a.a'],
  ]) {
    const error = await failure(call)
    assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
    assert.ok(error.message.startsWith(argument), error.message)
  }
})

files('a program that is told so draws no weights', () => {
  const { descriptor } = classifier().compile(training())
  const program = new native.Program({ ...descriptor, initialize: false })
  for (const arena of ['parameters', 'average']) {
    assert.ok(program.parameters.every((_, i) => program.read(arena, i).every((value) => value === 0)))
  }
})

files('the running average begins at the weights that a model has, loaded or compiled again', async () => {
  const weights = (model) => Object.values(model.getWeights()).map(({ data }) => [...data])
  const average = (model) => Object.values(model.getWeights({ average: true })).map(({ data }) => [...data])
  const model = classifier().compile(training())
  await model.fit(data, { epochs: 1, quiet: true }).done
  assert.not.equal(average(model), weights(model))
  await model.save(path('average'))
  const loaded = await loadModel(path('average'))
  assert.equal(average(loaded), weights(model))
  model.compile(training())
  assert.equal(average(model), weights(model))
  loaded.dispose()
})

files('a tensor that is read in several pieces comes back whole, with its average', async () => {
  const made = sequential({ input: [1100], seed: 5 }, [dense(1100)]) // 4.8 MB
  made.compile({ loss: meanSquaredError(), optimizer: adam({ average: averagedWeights({ decay: 0.9 }) }) })
  await made.save(path('large'), { optimizer: true })
  const loaded = await loadModel(path('large'))
  assert.equal(loaded.getWeights(), made.getWeights())
  assert.equal(await stateOf(loaded.program), await stateOf(made.program))
})

files.run()
