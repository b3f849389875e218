// What an ensemble predicts, held against its members' predictions in plain float64.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  adam,
  binaryCrossEntropy,
  dense,
  ensemble,
  meanSquaredError,
  relu,
  sequential,
  softmaxCrossEntropy,
} from '../dist/index.js'
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

function member(seed, { loss, outputs, metrics }, dtype = 'float32') {
  const layers = [dense(4 + seed, { init: 'he' }), relu(), dense(outputs)]
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

ensembles.run()
