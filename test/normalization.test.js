// The normalization layer: mean and variance of the training data, found once, kept with the model.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  add,
  dataset,
  dense,
  findLearningRate,
  fitLbfgs,
  flatten,
  gradientCheck,
  graph,
  input,
  loadModel,
  meanSquaredError,
  normalization,
  relu,
  sanityCheck,
  sequential,
  sgd,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Moments } from '../dist/data/moments.js'
import { numbers } from './support/reference.js'

const test = suite('normalization')
const folder = mkdtempSync(join(tmpdir(), 'gradus-normalization-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const rows = 50
/** Three features: of the order of 1, of 10⁶ with a deviation of 3, and one that never changes. */
const x = numbers(3 * rows, 7).map((value, i) => [2 * value + 0.5, 1e6 + 5 * value, 0.1][i % 3])
const y = numbers(rows, 9)
const once = { epochs: 1, batchSize: 10, quiet: true }

const made = (layers = [normalization(), dense(1)], dtype = 'float64', shape = [3]) =>
  sequential({ input: shape, seed: 3, dtype }, layers).compile({
    loss: meanSquaredError(),
    optimizer: sgd({ learningRate: 0.01 }),
  })

/** Two passes in float64, one column at a time. */
function moments(values, width) {
  const columns = Array.from({ length: width }, (_, j) => [...values].filter((_, i) => i % width === j))
  const mean = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / column.length)
  const variance = columns.map((column, j) => column.reduce((sum, v) => sum + (v - mean[j]) ** 2, 0) / column.length)
  return { mean, variance }
}
const near = (actual, expected, tolerance, what) =>
  expected.forEach((value, i) => {
    const size = Math.max(Math.abs(value), 1e-300)
    assert.ok(Math.abs(actual[i] - value) <= tolerance * size, `${what}[${i}]: ${actual[i]} for ${value}`)
  })
const learnt = (model) => {
  const weights = model.getWeights()
  return { mean: [...weights['normalization1.mean'].data], variance: [...weights['normalization1.variance'].data] }
}

async function refusal(act) {
  try {
    await act()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}

test('fit takes mean and variance from its training data, once', async () => {
  const model = made()
  assert.equal(learnt(model), { mean: [0, 0, 0], variance: [1, 1, 1] })
  await model.fit({ x, y }, once).done
  const expected = moments(x, 3)
  near(learnt(model).mean, expected.mean, 1e-14, 'mean')
  near(learnt(model).variance, [...expected.variance.slice(0, 2), 1], 1e-9, 'variance')
  const before = learnt(model)
  await model.fit({ x: x.map((value) => 2 * value), y }, once).done
  assert.equal(learnt(model), before)
})

test('the network behind it sees standardised numbers', async () => {
  const model = made([normalization()])
  await model.adapt({ x })
  const { mean, variance } = moments(x, 3)
  const expected = x.map((value, i) => (value - mean[i % 3]) / Math.sqrt(variance[i % 3]))
  const found = (await model.predict(x)).data
  for (const [i, value] of found.entries()) {
    if (i % 3 === 2) assert.is(value, 0, 'a feature that never changes')
    else assert.ok(Math.abs(value - expected[i]) < 1e-8, `${value} for ${expected[i]}`)
  }
  assert.equal(model.predictSync(x).data, found)
})

test('it learns as on data that were standardised before', async () => {
  const [inside, before] = [made(), made([dense(1)])]
  const { mean, variance } = moments(x, 3)
  const scaled = x.map((value, i) => (i % 3 === 2 ? 0 : (value - mean[i % 3]) / Math.sqrt(variance[i % 3])))
  const weights = inside.getWeights()
  before.setWeights({ 'dense1.weight': weights['dense1.weight'], 'dense1.bias': weights['dense1.bias'] })
  const options = { ...once, epochs: 5 }
  const [a, b] = [await inside.fit({ x, y }, options).done, await before.fit({ x: scaled, y }, options).done]
  near(a.loss, b.loss, 1e-8, 'loss')
})

test('second derivatives pass through it', async () => {
  const layers = () => [dense(4, { activation: 'tanh' }), dense(1)]
  const [inside, before] = [made([normalization(), ...layers()]), made(layers())]
  await inside.adapt({ x })
  const trained = Object.entries(inside.getWeights()).filter(([name]) => name.startsWith('dense'))
  before.setWeights(Object.fromEntries(trained))
  const { mean, variance } = moments(x, 3)
  const scaled = x.map((value, i) => (i % 3 === 2 ? 0 : (value - mean[i % 3]) / Math.sqrt(variance[i % 3])))
  const products = []
  for (const [model, inputs] of [
    [inside, x],
    [before, scaled],
  ]) {
    const { dtype, inputs: columns, outputShape, program } = model
    const needs = { dtype, inputs: columns, outputShape, targets: 'dense' }
    const data = await dataset({ x: inputs, y }).resident(needs)
    const call = { dataset: data, training: true, randomness: false, threads: 2, term: 'total' }
    products.push(await program.hessianVector({ ...call, vector: numbers(4 * 3 + 4 + 4 + 1, 5) }))
  }
  assert.is(products[0].length, 21)
  for (const [i, value] of products[1].entries()) assert.ok(Math.abs(products[0][i] - value) < 1e-7, `${i}`)
})

test('validation rows tell nothing', async () => {
  const model = made()
  await model.fit({ x, y }, { ...once, validationSplit: 0.2 }).done
  near(learnt(model).mean, moments(x.slice(0, 3 * 40), 3).mean, 1e-14, 'mean')
})

test('bytes, images, one number for all, float32', async () => {
  const bytes = Uint8Array.from({ length: 4 * 6 }, (_, i) => (i * 37) % 256)
  const scaled = Float64Array.from(bytes, (value) => value / 255)
  const each = made([normalization(), flatten(), dense(1)], 'float32', [2, 3])
  await each.adapt({ x: bytes })
  near(learnt(each).mean, moments(scaled, 6).mean, 1e-6, 'mean')
  near(learnt(each).variance, moments(scaled, 6).variance, 1e-5, 'variance')
  const all = made([normalization({ per: 'all' }), flatten()], 'float32', [2, 3])
  await all.adapt(dataset({ x: bytes }))
  const one = moments(scaled, 1)
  near(learnt(all).mean, Array(6).fill(one.mean[0]), 1e-6, 'mean')
  const found = (await all.predict(bytes)).data
  near(
    found,
    [...scaled].map((value) => (value - one.mean[0]) / Math.sqrt(one.variance[0])),
    1e-4,
    'pixels',
  )
})

test('several inputs, of which some are normalized', async () => {
  const [left, right] = [input([2], { name: 'left' }), input([2], { name: 'right' })]
  const model = graph({ inputs: [left, right], output: add(left, normalization()(right)), dtype: 'float64' })
  const data = {
    left: [
      [0, 0],
      [0, 0],
    ],
    right: [
      [1, 10],
      [3, 30],
    ],
  }
  await model.adapt({ x: data })
  assert.equal((await model.predict(data)).toArray(), [
    [-1, -1],
    [1, 1],
  ])
  const many = { left: [], right: [] }
  assert.match(await refusal(() => model.adapt({ x: many })), /x\.right: expected at least one example, received none/)
})

test('a model file holds it: raw numbers go in, and nothing is adapted again', async () => {
  const model = made()
  await model.fit({ x, y }, once).done
  const path = join(folder, 'model.safetensors')
  await model.save(path)
  const loaded = await loadModel(path)
  assert.equal((await loaded.predict(x)).data, (await model.predict(x)).data)
  await loaded.fit({ x: x.map((value) => value + 1), y }, once).done
  assert.equal(learnt(loaded), learnt(model))
  const other = made()
  other.setWeights(model.getWeights())
  await other.fit({ x: x.map((value) => value + 1), y }, once).done
  assert.equal(learnt(other), learnt(model), 'weights that were set are kept')
})

test('a stream is looked at by adapt', async () => {
  const pieces = [0, 20].map((at) => ({ x: x.slice(3 * at, 3 * (at + (at ? 30 : 20))), y: y.slice(at, at ? 50 : 20) }))
  const model = made()
  assert.is(
    await refusal(() => model.fit(pieces, once).done),
    'GRADUS_INVALID_ARGUMENT normalization1: expected data in memory to take mean and variance from, received a stream; call await model.adapt(data) first, on the stream or on a part of it',
  )
  await model.adapt(pieces)
  const expected = moments(x, 3)
  near(learnt(model).mean, expected.mean, 1e-14, 'mean')
  near(learnt(model).variance.slice(0, 2), expected.variance.slice(0, 2), 1e-9, 'variance')
  await model.fit(pieces, once).done
})

test('the gradient through it is right, and checks and L-BFGS adapt their own', async () => {
  const model = made([normalization(), dense(4, { activation: 'tanh' }), dense(1)])
  // Of the order of 1: the step of a difference is.
  const near1 = x.map((value, i) => (i % 3 === 1 ? value - 1e6 : value))
  const report = await gradientCheck(model, { x: near1, y }, { checkInput: true, examples: 20 })
  assert.is(report.verdict, 'satisfied', String(report))
  const { learningRate } = await findLearningRate(model, { x, y })
  assert.ok(learningRate > 1e-4, 'unscaled numbers of 10⁶ would explode')
  assert.equal(learnt(model), { mean: [0, 0, 0], variance: [1, 1, 1] }, 'the model itself waits for fit')
  const scale = await sanityCheck(model, { x, y }, { skip: ['overfit', 'shuffledLabels', 'learningRate'] })
  assert.equal(
    scale.checks.filter(({ passed }) => !passed).map(({ name }) => name),
    [],
    String(scale),
  )
  await fitLbfgs(model, { x, y }, { maxIterations: 1 })
  near(learnt(model).mean, moments(x, 3).mean, 1e-14, 'mean')
})

test('what cannot be is refused by name', async () => {
  assert.throws(
    () => sequential({ input: [3] }, [dense(3), normalization()]),
    /normalization1: expected an input of the/,
  )
  const both = normalization()
  const [a, b] = [input([2]), input([2])]
  assert.throws(
    () => graph({ inputs: [a, b], output: add(both(a), both(b)) }),
    /normalization1: expected to be called once/,
  )
  assert.throws(() => normalization({ per: 'row' }), /per: expected one of 'feature', 'channel', 'all'/)
  assert.match(await refusal(() => made([dense(1)]).adapt({ x })), /adapt: expected a model with normalization\(\)/)
  const model = made([normalization(), relu(), dense(1)], 'float32')
  const huge = await refusal(() =>
    model.adapt({
      x: [
        [1, 1, 1],
        [1, 1e30, 1],
      ],
    }),
  )
  assert.is(huge, 'GRADUS_INVALID_DATA x, column 1: expected numbers whose squares are finite, received larger ones')
  assert.match(await refusal(() => model.adapt({ x: [[1, 2]] })), /GRADUS_INVALID_ARGUMENT x\[0\]: expected 3 numbers/)
  assert.match(await refusal(() => model.adapt({ x: [] })), /x: expected at least one example, received none/)
  const run = model.fit({ x, y }, { ...once, epochs: 50 })
  assert.match(await refusal(() => model.adapt({ x })), /GRADUS_BUSY/)
  await run.done
  const reason = new Error('planned')
  const signal = AbortSignal.abort(reason)
  assert.match(await refusal(() => made().adapt({ x }, { signal })), /planned/)
})

test('moments of slices are those of the whole', () => {
  for (const [offset, spread] of [
    [0, 1],
    [1e8, 1e-3],
    [-1e14, 1],
    [0.1, 0],
  ]) {
    const values = numbers(2 * 1000, 3).map((value) => offset + spread * value)
    const all = new Moments(2)
    for (let at = 0; at < values.length; at += 2 * 77) all.add(values.subarray(at, at + 2 * 77))
    const { mean, variance } = all.finish('x')
    // About the offset itself nothing is lost: values − offset is exact or all that is left of the noise.
    const left = moments(
      values.map((value) => value - offset),
      2,
    )
    near(
      mean,
      left.mean.map((value) => value + offset),
      1e-13,
      `mean at ${offset}`,
    )
    if (spread === 0) assert.equal([...variance], [1, 1])
    else near(variance, left.variance, 1e-12, `variance at ${offset}`)
  }
})

test("fit's signal and stop() are heard between the pieces that numbers are taken from", async () => {
  const { add } = Moments.prototype
  for (const end of ['abort', 'stop']) {
    const controller = new AbortController()
    let pieces = 0
    Moments.prototype.add = function (values) {
      if (++pieces === 3) end === 'abort' ? controller.abort(new Error('planned')) : run.stop()
      return add.call(this, values)
    }
    const rows = 1 << 19
    const many = { x: new Float32Array(rows), y: new Float32Array(rows) }
    const model = sequential({ input: [1], seed: 1 }, [normalization(), dense(1)])
    model.compile({ loss: meanSquaredError(), optimizer: sgd() })
    const run = model.fit(many, { epochs: 1, quiet: true, signal: controller.signal })
    try {
      const ended = await run.then(
        ({ stoppedBy }) => stoppedBy,
        (error) => error.message,
      )
      assert.equal([ended, pieces], [end === 'abort' ? 'planned' : 'stop', 3])
    } finally {
      Moments.prototype.add = add
    }
  }
})

test.run()
