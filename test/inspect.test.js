// What people print first says something.
import { inspect } from 'node:util'
import {
  add,
  cosine,
  dataset,
  dense,
  graph,
  input,
  reduceOnPlateau,
  relu,
  sequential,
  sgd,
  softmaxCrossEntropy,
  warmup,
} from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const data = {
  x: [
    [1, 2],
    [3, 4],
  ],
  y: [0, 1],
}
const model = () =>
  sequential({ input: [2], seed: 2 }, [dense(3), relu(), dense(2)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: sgd(),
  })

test('a model: its shapes, its size and its layers', () => {
  const made = model()
  assert.is(String(made), 'Model([2] → [2], 17 parameters)')
  assert.is(inspect(made), `${made}\n${made.summary()}`)
  const [left, right] = [input([4], { name: 'left' }), input([4], { name: 'right' })]
  const joined = graph({ inputs: [left, right], output: add(left, right) })
  assert.is(`${joined}`, 'Model(left [4], right [4] → [4], 0 parameters)')
  made.dispose()
  assert.is(String(made), 'Model([2] → [2], 17 parameters, disposed)')
})

test('a run: how far it is, its last losses, and what ended it', async () => {
  const run = model().fit(data, { epochs: 2, validation: data, quiet: true })
  assert.is(inspect(run), 'Run(0 epochs, training)')
  const { loss, valLoss } = await run
  const [last, lastVal] = [loss, valLoss].map((values) => Number(values.at(-1).toPrecision(4)))
  assert.is(String(run), `Run(2 epochs, loss ${last}, valLoss ${lastVal}, ended by epochs)`)
})

test('a dataset: its columns, not their numbers', () => {
  assert.is(inspect(dataset(data)), 'Dataset(x: array [2, 2], y: array [2])')
  const table = { data: new Uint8Array(24), shape: [2, 3, 4] }
  const columns = { x: { left: table, right: new Float32Array(6) }, y: [0, 1], sampleWeights: [1, 2] }
  const expected =
    'Dataset(x.left: Uint8Array [2, 3, 4], x.right: Float32Array [6], y: array [2], sampleWeights: array [2])'
  assert.is(String(dataset(columns)), expected)
})

test('a schedule: its length and its course', () => {
  assert.is(inspect(cosine({ length: 30 })), 'Schedule(30 epochs: 1, 0.5, 0)')
  assert.is(String(warmup({ length: 4, unit: 'step' })), 'Schedule(4 steps: 0.25, 0.75, 1)')
  assert.is(`${reduceOnPlateau()}`, 'Schedule(epochs: 1 at 0, 1 at 10, 1 at 100)')
})

test.run()
