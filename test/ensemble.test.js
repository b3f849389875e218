// What an ensemble predicts, held against its members' predictions in plain float64.
import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  adam,
  binaryCrossEntropy,
  customLayer,
  customLoss,
  dense,
  ensemble,
  l2,
  meanSquaredError,
  relu,
  reshape,
  sequential,
  softmaxCrossEntropy,
  tanh,
} from '../dist/index.js'
import { native } from '../dist/native.js'
import { combinedRow, spreadRow } from './support/combined.js'

const ensembles = suite('ensemble')

const rows = 37
const x = Float64Array.from({ length: rows * 5 }, (_, i) => 2 * Math.sin(i * 1.7 + 1))
const labels = (classes) => Int32Array.from({ length: rows }, (_, row) => (row * 7) % classes)

/** Kinds of outputs: the loss, what makes probabilities, and targets. */
const kinds = [
  { name: 'classes', loss: softmaxCrossEntropy(), link: 'softmax', outputs: 3, y: labels(3), metrics: ['accuracy'] },
  {
    name: 'answers',
    loss: binaryCrossEntropy(),
    link: 'sigmoid',
    outputs: 2,
    y: { data: Uint8Array.from({ length: rows * 2 }, (_, i) => (i % 3) & 1), shape: [rows, 2] },
    metrics: ['accuracy'],
  },
  {
    name: 'values',
    loss: meanSquaredError(),
    link: undefined,
    outputs: 2,
    y: { data: Float64Array.from({ length: rows * 2 }, (_, i) => Math.cos(i)), shape: [rows, 2] },
    metrics: ['meanAbsoluteError'],
  },
]

const weights = [1, 2, 0, 4, 3]
const normal = weights.map((weight) => weight / 10)

function member(seed, { loss, outputs, metrics }, dtype = 'float32', regularizer) {
  const layers = [dense(4 + seed, { init: 'he', regularizer }), relu(), dense(outputs)]
  return sequential({ input: [5], seed, dtype }, layers).compile({ loss, optimizer: adam(), metrics })
}

const five = (kind, dtype) => [1, 2, 3, 4, 5].map((seed) => member(seed, kind, dtype))

/** The largest difference, as a share of the number where that is above 1. */
function difference(received, expected) {
  assert.is(received.length, expected.length)
  return expected.reduce((most, value, i) => {
    const off = received[i] === value ? 0 : Math.abs(received[i] - value) / Math.max(1, Math.abs(value))
    return Math.max(most, Number.isNaN(off) ? Infinity : off)
  }, 0)
}

async function rowsOf(members) {
  const all = await Promise.all(members.map((model) => model.predict(x)))
  return (row) => all.map((predictions) => Array.from(predictions.row(row)))
}

for (const dtype of ['float32', 'float64']) {
  const bound = dtype === 'float32' ? 1e-6 : 1e-12
  for (const kind of kinds) {
    for (const combine of ['probabilities', 'geometric', 'scores', 'vote']) {
      if (combine === 'vote' && kind.name === 'values') continue
      ensembles(`${combine} of ${kind.name} in ${dtype}: five members as in plain float64`, async () => {
        const members = five(kind, dtype)
        const scores = await rowsOf(members)
        for (const temperature of [1, 2.5]) {
          const together = ensemble(members, { combine, weights, temperature })
          const of = { combine, weights: normal, link: kind.link, temperature }
          const expected = Array.from({ length: rows }, (_, row) => combinedRow(scores(row), of)).flat()
          const predictions = await together.predict(x)
          assert.equal(predictions.shape, [rows, kind.outputs])
          assert.ok(difference(predictions.data, expected) <= bound, `${difference(predictions.data, expected)}`)
          assert.equal(together.predictSync(x).data, predictions.data)
          const { spread } = await together.predict(x, { spread: true })
          const spreads = Array.from({ length: rows }, (_, row) => spreadRow(scores(row), of)).flat()
          assert.ok(difference(spread.data, spreads) <= bound)
        }
      })
    }
  }
}

for (const kind of kinds) {
  ensembles(`an ensemble of one has the loss and the metrics of its model, bit for bit: ${kind.name}`, async () => {
    const model = member(3, kind)
    const { y } = kind
    for (const one of [ensemble([model]), ensemble([member(1, kind), model], { weights: [0, 5] })]) {
      assert.equal(await one.evaluate({ x, y }), await model.evaluate({ x, y }))
      assert.equal((await one.predict(x)).data, (await model.predict(x)).data)
    }
  })
}

for (const kind of kinds) {
  ensembles(`loss, metrics and regularization of ${kind.name} are those of the combined scores`, async () => {
    const members = [1, 2, 3].map((seed) => member(seed, kind, 'float64', l2(seed / 100)))
    const together = ensemble(members, { weights: [1, 1, 2] })
    const { y } = kind
    const sampleWeights = Float64Array.from({ length: rows }, (_, row) => row % 4)
    const { data } = await together.predict(x)
    const scorer = sequential({ input: [kind.outputs], seed: 1, dtype: 'float64' }, [reshape([kind.outputs])])
    scorer.compile({ loss: kind.loss, optimizer: adam(), metrics: kind.metrics })
    const found = await together.evaluate({ x, y, sampleWeights })
    const alone = await Promise.all(members.map((model) => model.evaluate({ x, y })))
    const penalty = alone.reduce((sum, one, m) => sum + [0.25, 0.25, 0.5][m] * one.regularizationLoss, 0)
    assert.ok(Math.abs(found.regularizationLoss - penalty) < 1e-15)
    assert.ok(penalty > 0)
    const expected = await scorer.evaluate({ x: data, y, sampleWeights })
    assert.equal({ ...found, regularizationLoss: 0 }, expected)
  })
}

ensembles('any batch size, number of threads and size of the data: the same bits as row by row', async () => {
  for (const outputs of [1, 4]) {
    const kind = { ...kinds[outputs === 1 ? 1 : 0], outputs }
    const members = [1, 2, 3].map((seed) => {
      const layers = [dense(200 * seed), relu(), dense(outputs)]
      return sequential({ input: [5], seed }, layers).compile({ loss: kind.loss, optimizer: adam() })
    })
    const together = ensemble(members)
    for (const size of [1, 2, 257]) {
      const some = Float32Array.from({ length: size * 5 }, (_, i) => Math.sin(i))
      const y = Int32Array.from({ length: size }, (_, row) => row % Math.max(2, outputs))
      const data = { x: some, y: outputs === 1 ? { data: Float32Array.from(y), shape: [size, 1] } : y }
      const expected = together.predictSync(some)
      const evaluation = await together.evaluate(data, { threads: 1 })
      for (const threads of [1, 2, 3, 5]) {
        for (const batchSize of [1, 100, 256]) {
          assert.equal((await together.predict(some, { threads, batchSize })).data, expected.data)
        }
        const spread = await together.predict(some, { threads, spread: true })
        assert.equal(spread.predictions.data, expected.data)
        assert.equal(await together.evaluate(data, { threads }), evaluation)
      }
    }
  }
})

ensembles('every instruction set gives the same bits', () => {
  const code = `
    import { ensemble, sequential, dense, tanh, softmaxCrossEntropy, adam } from ${JSON.stringify(import.meta.resolve('../dist/index.js'))}
    const members = [1, 2, 3].map((seed) => sequential({ input: [5], seed }, [dense(9 + seed), tanh(), dense(11)]))
    for (const model of members) model.compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
    const x = Float32Array.from({ length: 5 * 19 }, (_, i) => 3 * Math.sin(i))
    for (const combine of ['probabilities', 'geometric', 'scores', 'vote']) {
      const { predictions, spread } = await ensemble(members, { combine, temperature: 0.7 }).predict(x, { spread: true })
      console.log(Buffer.from(predictions.data.buffer).toString('hex'), Buffer.from(spread.data.buffer).toString('hex'))
    }`
  const run = (isa) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', code], { env: { ...process.env, GRADUS_ISA: isa } })
  const [best, ...others] = native.availableIsas.map((isa) => run(isa).toString())
  assert.ok(best.length > 1000)
  for (const other of others) assert.is(other, best)
})

ensembles('custom layers, losses and metrics answer in turn, among native members', async () => {
  const doubled = () =>
    customLayer({
      name: 'doubled',
      forward: (input) => input.map((value) => 2 * value),
      backward: (dy) => ({ dx: dy.map((value) => 2 * value) }),
      outputShape: (shape) => shape,
    })
  const loss = customLoss({
    name: 'squares',
    forward: (output, targets, { batch }) => output.slice(0, batch).map((value, i) => (value - targets[i]) ** 2),
    backward: (output, targets) => output.map((value, i) => 2 * (value - targets[i])),
  })
  const make = (seed, layers) => {
    const model = sequential({ input: [5], seed, dtype: 'float64' }, [dense(3), ...layers, dense(1)])
    return model.compile({ loss, optimizer: adam() })
  }
  const members = [make(1, [doubled()]), make(2, []), make(3, [doubled(), tanh()])]
  const together = ensemble(members, { weights: [1, 2, 1] })
  const scores = await rowsOf(members)
  const means = Array.from({ length: rows }, (_, row) => {
    const [[a], [b], [c]] = scores(row)
    return a / 4 + b / 2 + c / 4
  })
  for (const threads of [1, 2]) {
    assert.ok(difference((await together.predict(x, { threads, batchSize: 10 })).data, means) < 1e-15)
  }
  assert.ok(difference(together.predictSync(x).data, means) < 1e-15)
  const y = { data: Float64Array.from({ length: rows }, (_, i) => Math.cos(i)), shape: [rows, 1] }
  const expected = means.reduce((sum, value, row) => sum + (value - Math.cos(row)) ** 2, 0) / rows
  assert.ok(Math.abs((await together.evaluate({ x, y })).loss - expected) < 1e-12)
})

ensembles('far scores and weights that are not finite', async () => {
  const kind = kinds[0]
  const members = [member(1, kind), member(2, kind)]
  const far = members.map((model, m) => {
    const weights = model.getWeights()
    for (const [name, { data }] of Object.entries(weights)) data.fill(name.endsWith('bias') ? [1e30, -1e30][m] : 0)
    weights['dense2.bias'].data.set([1e30, 0, -1e30])
    model.setWeights(weights)
    return model
  })
  const together = ensemble(far)
  const [row] = await together.predict(x.subarray(0, 5))
  assert.is(row[0], 0)
  assert.ok(row.every((score) => Number.isFinite(score)))
  assert.ok(Number.isFinite((await together.evaluate({ x, y: kind.y })).loss))
  const weights = far[1].getWeights()
  weights['dense2.bias'].data[1] = Number.NaN
  far[1].program.write('parameters', 3, weights['dense2.bias'].data)
  assert.ok((await together.predict(x)).data.every(Number.isNaN))
  await rejects(() => together.predictClasses(x), 'GRADUS_NON_FINITE', /score 0 of row 0/)
  // A member that weighs nothing is not asked.
  const without = ensemble(far, { weights: [1, 0] })
  assert.equal((await without.predict(x)).data, (await far[0].predict(x)).data)
})

async function rejects(work, code, message) {
  try {
    await work()
  } catch (error) {
    assert.is(error.code, code, error.message)
    assert.match(error.message, message)
    return
  }
  assert.unreachable('nothing was thrown')
}

ensembles.run()
