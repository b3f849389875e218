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

const matrixOf = async (data, outputs) => {
  const model = sequential({ input: [1], seed: 2 }, [dense(outputs, { init: 'zeros', bias: false })])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd(), metrics: ['confusionMatrix'] })
  await model.fit(data, { quiet: true })
  const zeros = Array.from({ length: outputs }, () => 0)
  model.setWeights({ 'dense1.weight': { shape: [1, outputs], data: Float32Array.from([1, ...zeros.slice(1)]) } })
  return { model, evaluation: await model.evaluate(data) }
}

test('a confusion matrix: its table, with names of classes and recalls; a line within other things; plain numbers else', async () => {
  // The score of the first class is x, the others' are 0: a negative x is taken for the second class.
  const data = { x: [[1], [1], [-1], [1], [-1]], y: ['cat', 'cat', 'cat', 'dog', 'dog'] }
  const { model, evaluation } = await matrixOf({ ...data, classes: ['cat', 'dog', 'hippopotamus'] }, 3)
  const { confusionMatrix } = evaluation
  assert.equal(confusionMatrix, [
    [2, 1, 0],
    [1, 1, 0],
    [0, 0, 0],
  ])
  const expected = [
    'Rows: the right class; columns: the class that was predicted',
    '              cat  dog  hippopo…  recall',
    '         cat    2    1         ·  66.7 %',
    '         dog    1    1         ·  50.0 %',
    'hippopotamus    ·    ·         ·',
  ]
  assert.is(inspect(confusionMatrix), expected.join('\n'))
  const indented = `confusionMatrix: ${expected.join('\n  ')}\n`
  assert.ok(inspect(evaluation).includes(indented), inspect(evaluation))
  const line = 'ConfusionMatrix(3 classes, 60.0 % on the diagonal)'
  const run = model.fit({ ...data, classes: ['cat', 'dog', 'hippopotamus'] }, { quiet: true })
  assert.match(inspect(await run), `confusionMatrix: [ ${line} ]`)
  assert.is(JSON.stringify(confusionMatrix), '[[2,1,0],[1,1,0],[0,0,0]]')
  assert.equal(structuredClone(confusionMatrix), confusionMatrix)
})

test('a confusion matrix of many classes is a line; one without names has numbers, and a column for what is no number', async () => {
  const many = await matrixOf({ x: [[1], [1]], y: [0, 20] }, 21)
  assert.is(inspect(many.evaluation.confusionMatrix), 'ConfusionMatrix(21 classes, 50.0 % on the diagonal)')
  const counted = await matrixOf({ x: Array(12345).fill([1]), y: Array(12345).fill(0), classes: ['all', 'none'] }, 2)
  assert.match(inspect(counted.evaluation.confusionMatrix), ' all  12345     ·  100.0 %\nnone      ·     ·')
  // 1e60 is infinite in float32, and 0 times that no number.
  const broken = sequential({ input: [1], seed: 2 }, [dense(1, { bias: false }), dense(2, { init: 'zeros' })])
  broken.compile({ loss: softmaxCrossEntropy(), optimizer: sgd(), metrics: ['confusionMatrix'] })
  broken.setWeights({ ...broken.getWeights(), 'dense1.weight': { shape: [1, 1], data: Float32Array.of(1e30) } })
  const { confusionMatrix } = await broken.evaluate({ x: [[1e30]], y: [0] })
  const [, ...lines] = inspect(confusionMatrix).split('\n')
  assert.equal(lines, ['   0  1  NaN  recall', '0  ·  ·    1   0.0 %', '1  ·  ·    ·'])
})

test('a schedule: its length and its course', () => {
  assert.is(inspect(cosine({ length: 30 })), 'Schedule(30 epochs: 1, 0.5, 0)')
  assert.is(String(warmup({ length: 4, unit: 'step' })), 'Schedule(4 steps: 0.25, 0.75, 1)')
  assert.is(`${reduceOnPlateau()}`, 'Schedule(epochs: 1 at 0, 1 at 10, 1 at 100)')
})

test.run()
