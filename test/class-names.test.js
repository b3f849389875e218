// Names of classes that a model keeps: from its training data, in its file, through what it predicts and is told.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adam,
  binaryCrossEntropy,
  dataset,
  dense,
  findLearningRate,
  fitLbfgs,
  gradientCheck,
  loadModel,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('class names')
const folder = mkdtempSync(join(tmpdir(), 'gradus-names-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const x = Array.from({ length: 90 }, (_, i) => [((i * 7) % 90) / 45 - 1])
const nameOf = ([value]) => (value < -0.3 ? 'low' : value < 0.4 ? 'middle' : 'high')
const y = x.map(nameOf)
const classes = ['high', 'low', 'middle']

const made = () =>
  sequential({ input: [1], seed: 3 }, [dense(16, { activation: 'tanh' }), dense(3)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.05 }),
    metrics: ['accuracy'],
  })
const quick = (more) => ({ epochs: 1, quiet: true, ...more })

async function refusal(act) {
  try {
    await act()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

test('a model takes the names of its training data and predicts them', async () => {
  const model = made()
  assert.is(model.classes, undefined)
  await model.fit({ x, y }, quick({ epochs: 80 })).done
  assert.equal(model.classes, classes)
  const found = await model.predictClasses(x)
  assert.ok(found.filter((name, row) => name === y[row]).length > 85)
  assert.equal(await model.predictClasses([[-0.9], [0.05], [0.9]]), ['low', 'middle', 'high'])
  assert.equal(await model.predictClasses([0.9]), ['high'], 'one example')
})

test('later data are numbered by them, whatever order or share of the names they have', async () => {
  const model = made()
  await model.fit({ x, y }, quick({ epochs: 80 })).done
  const { accuracy, loss } = await model.evaluate({ x, y })
  assert.ok(accuracy > 0.94)
  // These lack a class: numbered by themselves, "middle" would be 0.
  const part = x.filter((row) => nameOf(row) === 'middle')
  assert.ok((await model.evaluate({ x: part, y: part.map(nameOf) })).accuracy > 0.9)
  const numbered = {
    x,
    y: y.map((name) => ['low', 'middle', 'high'].indexOf(name)),
    classes: ['low', 'middle', 'high'],
  }
  assert.is((await model.evaluate(numbered)).loss, loss)
  assert.is((await model.evaluate(dataset(numbered))).loss, loss)
  assert.is((await model.evaluate([numbered])).loss, loss, 'a stream')
  assert.is((await model.evaluate({ x, y: y.map((name) => classes.indexOf(name)) })).loss, loss, 'plain numbers')
  const misspelt = await refusal(() => model.evaluate({ x: [[0]], y: ['midle'] }))
  const known = 'high, low, middle'
  assert.is(
    misspelt,
    `GRADUS_INVALID_DATA y, row 0: expected one of the classes ${known}, received "midle"; did you mean "middle"?`,
  )
  const others = { x: [[0]], y: [1], classes: ['huge', 'tiny'] }
  const other = await refusal(() => model.evaluate(others))
  assert.is(other, `GRADUS_INVALID_DATA y, row 0: expected one of the classes ${known}, received "tiny"`)
  const again = await refusal(() => model.fit({ x: [[0], [1]], y: ['low', 'tiny'] }, quick()).done)
  assert.is(again, `GRADUS_INVALID_DATA y, row 1: expected one of the classes ${known}, received "tiny"`)
  assert.equal(model.classes, classes)
})

test('validation goes by the names of the training data', async () => {
  const part = { x: x.filter((row) => nameOf(row) === 'middle'), y: undefined }
  part.y = part.x.map(nameOf)
  const model = made()
  const history = await model.fit({ x, y }, quick({ epochs: 80, validation: part })).done
  assert.ok(history.valAccuracy.at(-1) > 0.9)
  const wrong = made()
  const said = await refusal(() => wrong.fit({ x, y }, quick({ validation: { x: [[0]], y: ['Low'] } })).done)
  assert.match(said, /GRADUS_INVALID_DATA validation\.y, row 0: .* received "Low"; did you mean "low"\?/)
  assert.is(wrong.classes, undefined, 'a run that does not begin settles nothing')
  await wrong.fit({ x, y: y.map((name) => name.toUpperCase()) }, quick()).done
  assert.equal(wrong.classes, ['HIGH', 'LOW', 'MIDDLE'])
})

test('a stream settles them with its first piece', async () => {
  const pieces = [0, 30, 60].map((at) => ({ x: x.slice(at, at + 30), y: y.slice(at, at + 30), classes }))
  const model = made()
  await model.fit(pieces, quick({ epochs: 80, validation: { x, y, classes } })).done
  assert.equal(model.classes, classes)
  assert.ok((await model.evaluate({ x, y })).accuracy > 0.9)
  const order = ['low', 'middle', 'high']
  const said = await refusal(() => made().fit(pieces, quick({ validation: { x, y, classes: order } })).done)
  assert.is(
    said,
    'GRADUS_INVALID_ARGUMENT validation: expected the classes of the training data, high, low, middle, received low, middle, high',
  )
})

test('one dataset stays one copy in native memory', async () => {
  const model = made()
  const data = dataset({ x, y })
  await model.fit(data, quick()).done
  const { conventions, inputs, outputShape, dtype } = model
  const needs = { dtype, inputs, outputShape, targets: 'either' }
  assert.is(await data.resident({ ...needs, conventions }), await data.resident(needs))
})

test('the file keeps them, and refuses what is no list of names', async () => {
  const model = made()
  await model.fit({ x, y }, quick({ epochs: 3 })).done
  const path = join(folder, 'model.safetensors')
  await model.save(path)
  const loaded = await loadModel(path)
  assert.equal(loaded.classes, classes)
  assert.equal(await loaded.predictClasses(x), await model.predictClasses(x))
  assert.is(
    (await loaded.evaluate({ x: [[0]], y: ['low'] })).loss,
    (await model.evaluate({ x: [[0]], y: ['low'] })).loss,
  )
  const bytes = readFileSync(path)
  const edited = (from, to) => {
    const other = join(folder, 'edited.safetensors')
    // Whoever edits a file takes its hash away.
    const text = bytes.toString('latin1').replace('"sha256"', '"edited"')
    writeFileSync(other, Buffer.from(text.replace(from, to), 'latin1'))
    return refusal(() => loadModel(other))
  }
  assert.match(
    await edited('[\\"high\\"', '[1       '),
    /GRADUS_BAD_FILE .*classes\[0\]: expected the name of a class, received 1/,
  )
  assert.match(await edited('classes', 'clasess'), /GRADUS_BAD_FILE .*clasess/)
})

test('numbers with a list of names, a single yes-or-no output, and no names at all', async () => {
  const named = made()
  await named.fit({ x, y: y.map((name) => classes.indexOf(name)), classes }, quick()).done
  assert.equal(named.classes, classes)
  const binary = sequential({ input: [1], seed: 3 }, [dense(1)])
  binary.compile({ loss: binaryCrossEntropy(), optimizer: adam({ learningRate: 0.1 }) })
  await binary.fit({ x, y: x.map(([value]) => (value < 0 ? 'no' : 'yes')) }, quick({ epochs: 60 })).done
  assert.equal(await binary.predictClasses([[0.9], [-0.9]]), ['yes', 'no'])
  const plain = made()
  await plain.fit({ x, y: y.map((name) => classes.indexOf(name)) }, quick()).done
  assert.is(plain.classes, undefined)
  assert.ok((await plain.predictClasses(x)).every((number) => Number.isInteger(number)))
})

test('checks settle nothing, L-BFGS does, and run.json names them', async () => {
  const model = made()
  await gradientCheck(model, { x, y }, { examples: 5, samplesPerParameter: 2 })
  await findLearningRate(model, { x, y }, { batchSize: 30 })
  await model.evaluate({ x, y })
  assert.is(model.classes, undefined)
  const smooth = made()
  await fitLbfgs(smooth, { x, y }, { maxIterations: 2 })
  assert.equal(smooth.classes, classes)
  const dir = join(folder, 'run')
  await model.fit({ x, y }, quick({ dir })).done
  assert.equal(JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')).classNames, classes)
})

test.run()
