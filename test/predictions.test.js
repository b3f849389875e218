// What a model gives: rows that know their shape, probabilities, classes, one example at a time.
import { inspect } from 'node:util'
import {
  add,
  argmax,
  binaryCrossEntropy,
  customLoss,
  dataset,
  dense,
  flatten,
  graph,
  huber,
  input,
  meanSquaredError,
  multiclassHinge,
  oneVsAllHinge,
  Predictions,
  reshape,
  sequential,
  sgd,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { numbers } from './support/reference.js'

const test = suite('predictions')

const compiled = (loss, outputs, { inputs = 3, dtype } = {}) =>
  sequential({ input: [inputs], seed: 4, dtype }, [dense(outputs)]).compile({ loss, optimizer: sgd() })

/** A model whose outputs are its inputs. */
function identity(columns, loss, dtype) {
  const model = compiled(loss, columns, { inputs: columns, dtype })
  const weight = Float64Array.from({ length: columns ** 2 }, (_, i) => (i % (columns + 1) === 0 ? 1 : 0))
  model.setWeights({
    'dense1.weight': { shape: [columns, columns], data: weight },
    'dense1.bias': { shape: [columns], data: new Float64Array(columns) },
  })
  return model
}

const rejected = async (promise) => {
  try {
    await promise
  } catch (error) {
    return `${error.name} ${error.code} ${error.message}`
  }
  return assert.unreachable('nothing was thrown')
}

test('rows by number, in a loop, flat and nested', async () => {
  const model = sequential({ input: [3], seed: 1 }, [dense(4), reshape([2, 2])])
  const x = [
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ]
  for (const predictions of [
    await model.predict(x),
    model.predictSync(x),
    model.predictSync(Float32Array.from(x.flat())),
  ]) {
    assert.instance(predictions, Predictions)
    assert.equal(predictions.shape, [3, 2, 2])
    assert.is(predictions.length, 3)
    assert.is(predictions.data.length, 12)
    assert.equal([...predictions[1]], [...predictions.data].slice(4, 8))
    assert.is(predictions[1].buffer, predictions.data.buffer, 'a view')
    assert.equal(
      [...predictions].map((row) => [...row]),
      [0, 1, 2].map((row) => [...predictions.row(row)]),
    )
    assert.equal(
      Array.from(predictions, (row) => row[0]),
      [predictions[0][0], predictions[1][0], predictions[2][0]],
    )
    const [first] = predictions
    assert.equal(first, predictions[0])
    for (const none of [3, -1, 1.5, 'x', '01x', 'then']) assert.is(predictions[none], undefined)
    for (const none of [3, -1, 1.5, '1', undefined]) {
      assert.throws(() => predictions.row(none), /^row: expected a whole number from 0 to 2, received/)
    }
    const nested = [0, 1, 2].map((row) => [0, 2].map((i) => [...predictions[row].subarray(i, i + 2)]))
    assert.equal(predictions.toArray(), nested)
    assert.equal(JSON.parse(JSON.stringify({ predictions })), { predictions: nested })
  }
})

test('no rows', async () => {
  const model = compiled(softmaxCrossEntropy(), 4)
  for (const none of [await model.predict([]), model.predictSync([]), await model.predictProbabilities([])]) {
    assert.equal(none.shape, [0, 4])
    assert.equal([...none], [])
    assert.equal(none.toArray(), [])
    assert.is(inspect(none), 'Predictions of shape [0, 4]')
  }
  assert.equal(await model.predictClasses([]), [])
})

test('prints its shape and the first rows', () => {
  const predictions = new Predictions(Float32Array.of(0.1, -2.5, 1 / 3, 4e-9), [2, 2])
  assert.is(inspect(predictions), 'Predictions of shape [2, 2]\n  [ 0.1, -2.5 ]\n  [ 0.3333, 4e-9 ]')
  const many = new Predictions(new Float32Array(60), [30, 2])
  assert.match(inspect(many), /^Predictions of shape \[30, 2\]\n( {2}\[ 0, 0 \]\n){10} {2}… 20 more rows$/)
})

test('are data: for argmax, as targets, through a message', async () => {
  const model = compiled(meanSquaredError(), 3)
  const x = Float32Array.from(numbers(15))
  const predictions = await model.predict(x)
  assert.equal(argmax(predictions), argmax(predictions.data, 3))
  assert.throws(() => argmax(predictions.data), /classes: expected a whole number that divides 15, received undefined/)
  assert.is((await model.evaluate({ x, y: predictions })).loss, 0)
  assert.equal(structuredClone(predictions), { data: predictions.data, shape: [5, 3] })
})

test('argmax passes over what is not a number', () => {
  const { NaN: nan } = Number
  assert.equal([...argmax(Float64Array.of(nan, 1, 2, 0, nan, -1, -1, -2, nan), 3)], [2, 0, 0])
})

test('one example, flat or in its own shape, is one row', async () => {
  const flat = sequential({ input: [4], seed: 1 }, [dense(2)])
  const expected = (await flat.predict([[1, 2, 3, 4]])).toArray()
  const picture = sequential({ input: [2, 3], seed: 1 }, [flatten(), dense(2)])
  const pixels = [
    [1, 2, 3],
    [4, 5, 6],
  ]
  const seen = (await picture.predict([pixels])).toArray()
  const cases = [
    [flat, [1, 2, 3, 4], expected],
    [flat, Float64Array.of(1, 2, 3, 4), expected],
    [flat, { data: Float32Array.of(1, 2, 3, 4), shape: [4] }, expected],
    [picture, pixels, seen],
    [picture, pixels.flat(), seen],
    [picture, { data: Float32Array.from(pixels.flat()), shape: [2, 3] }, seen],
    [picture, pixels.map((row) => Float32Array.from(row)), seen],
  ]
  for (const [model, x, outputs] of cases) {
    assert.equal((await model.predict(x)).toArray(), outputs)
    assert.equal(model.predictSync(x).toArray(), outputs)
  }
  // As many examples as an example has numbers: rows.
  assert.equal(
    (
      await flat.predict([
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ])
    ).shape,
    [4, 2],
  )
  assert.equal((await compiled(meanSquaredError(), 2, { inputs: 1 }).predict([1, 2, 3])).shape, [3, 2])
  const left = input([2], { name: 'left' })
  const right = input([1], { name: 'right' })
  const two = graph({ inputs: [left, right], output: add(dense(2)(left), dense(2)(right)) })
  assert.equal((await two.predict({ left: [1, 2], right: [3] })).shape, [1, 2])
  for (const x of [
    [1, 2, 3],
    [1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5, 6, 7, 8],
  ]) {
    assert.match(await rejected(flat.predict(x)), /^GradusError GRADUS_INVALID_ARGUMENT x/)
  }
  const trained = compiled(softmaxCrossEntropy(), 2, { inputs: 4 })
  assert.match(
    await rejected(trained.evaluate({ x: [1, 2, 3, 4], y: [1, 0, 1, 0] })),
    /ARGUMENT x: expected an array of 4 numbers for each/,
  )
})

test('probabilities: softmax or sigmoid of the scores, in float64 and float32', async () => {
  const scores = [
    [0, 0, 0],
    [1, -2, 0.5],
    [1000, 999, -1000],
    [-800, -801, -800],
    [88, -88, 0],
  ]
  const oracles = {
    softmax(row) {
      const top = Math.max(...row)
      const sum = row.reduce((total, score) => total + Math.exp(score - top), 0)
      return row.map((score) => Math.exp(score - top) / sum)
    },
    sigmoid: (row) =>
      row.map((score) => (score >= 0 ? 1 / (1 + Math.exp(-score)) : Math.exp(score) / (1 + Math.exp(score)))),
  }
  const losses = { softmax: softmaxCrossEntropy(), sigmoid: binaryCrossEntropy() }
  for (const [name, loss] of Object.entries(losses)) {
    for (const [dtype, tolerance] of Object.entries({ float64: 1e-15, float32: 2.5e-7 })) {
      const model = identity(3, loss, dtype)
      const found = await model.predictProbabilities(scores, { batchSize: 2 })
      assert.equal(found.shape, [5, 3])
      for (const [row, probabilities] of found.toArray().entries()) {
        const expected = oracles[name](scores[row])
        for (const [i, probability] of probabilities.entries()) {
          const error = Math.abs(probability - expected[i])
          assert.ok(error <= tolerance, `${name} ${dtype}, row ${row}: ${probability} for ${expected[i]}`)
        }
      }
      assert.equal((await model.predictProbabilities(dataset({ x: scores }))).data, found.data)
      assert.equal((await model.predict(scores)).toArray(), scores, 'scores stay scores')
    }
  }
  const yes = await identity(1, binaryCrossEntropy(), 'float64').predictProbabilities([[0], [Math.log(3)]])
  assert.equal(yes.shape, [2, 1])
  assert.ok(Math.abs(yes[1][0] - 0.75) < 1e-15)
})

test('classes: the highest score, or the sign of a single one', async () => {
  const scores = [
    [0.1, 0.3, 0.2],
    [7, 7, 7],
    [-3, -2, -1],
    [-1, -1, -2],
    [-1e30, -1e30, 1e30],
  ]
  for (const loss of [softmaxCrossEntropy(), multiclassHinge(), oneVsAllHinge()]) {
    assert.equal(await identity(3, loss).predictClasses(scores), [1, 0, 2, 0, 2])
  }
  assert.equal(await identity(3, softmaxCrossEntropy()).predictClasses([5, 9, 1]), [1], 'one example')
  assert.equal(await identity(1, binaryCrossEntropy()).predictClasses([[-0.1], [0], [1e-9], [3]]), [0, 0, 1, 1])
  const first = customLoss({
    name: 'first',
    targets: 'labels',
    forward: (output, labels) => Float32Array.from(labels, (label, i) => output[3 * i + label]),
    backward: (output) => output,
  })
  assert.equal(await identity(3, first).predictClasses(scores), [1, 0, 2, 0, 2])
  // More rows than one slice has.
  const many = numbers(3 * 10_000)
  const found = await identity(3, softmaxCrossEntropy(), 'float64').predictClasses(many)
  assert.equal(found, [...argmax(many, 3)])
})

test('classes of scores that are not numbers: an error names the row', async () => {
  const layers = [dense(2, { bias: false }), dense(2, { bias: false })]
  const model = sequential({ input: [1] }, layers).compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
  model.setWeights({
    'dense1.weight': { shape: [1, 2], data: Float32Array.of(1e38, -1e38) },
    'dense2.weight': { shape: [2, 2], data: Float32Array.of(1, 0, 1, 0) },
  })
  const said = await rejected(model.predictClasses([[1], [1e3]]))
  assert.match(said, /GRADUS_NON_FINITE predictClasses: score 0 of row 1 is not a number/)
})

test('refused with a sentence where there are no probabilities or classes', async () => {
  const x = numbers(6)
  const cases = [
    [
      compiled(meanSquaredError(), 3),
      /expected a loss on probabilities, .* received meanSquaredError; predict\(x\) gives/,
    ],
    [compiled(huber(), 1), /received huber/],
    [compiled(multiclassHinge(), 3), /received multiclassHinge/],
    [sequential({ input: [3] }, [dense(3)]), /GRADUS_NOT_COMPILED predictProbabilities: call compile/],
  ]
  for (const [model, message] of cases) assert.match(await rejected(model.predictProbabilities(x)), message)
  const others = [
    [
      compiled(meanSquaredError(), 3),
      /predictClasses: expected one class an example, received meanSquaredError; predict/,
    ],
    [compiled(huber(), 1), /received huber/],
    [compiled(binaryCrossEntropy(), 3), /received 3 yes-or-no answers; predictProbabilities\(x\) gives/],
    [sequential({ input: [3] }, [dense(3)]), /GRADUS_NOT_COMPILED predictClasses: call compile/],
  ]
  for (const [model, message] of others) assert.match(await rejected(model.predictClasses(x)), message)
})

test('bad data and a fired signal: as predict', async () => {
  const model = compiled(softmaxCrossEntropy(), 3)
  const bad = [undefined, null, 5, 'x', {}, [[1, 2]], new Float32Array(4), [[1, 2, Number.NaN]], { data: 3 }]
  for (const x of bad) {
    const expected = await rejected(model.predict(x))
    assert.is(await rejected(model.predictProbabilities(x)), expected)
    assert.is(await rejected(model.predictClasses(x)), expected)
  }
  const reason = new Error('planned')
  for (const name of ['predictProbabilities', 'predictClasses']) {
    assert.match(
      await rejected(model[name]([1, 2, 3], { signal: AbortSignal.abort(reason) })),
      /^Error undefined planned/,
    )
    assert.match(await rejected(model[name]([1, 2, 3], { batchSize: 0 })), /batchSize: expected a positive integer/)
  }
})

test('the native call refuses another link', () => {
  const { program } = compiled(softmaxCrossEntropy(), 3)
  const made = new native.Dataset(1, [{ name: 'x', type: 'float32', shape: [3] }], null, null)
  const call = { dataset: made, batchSize: 1, threads: 1 }
  for (const link of [null, 'logit', 1]) assert.throws(() => program.predict({ ...call, link }), /^link: expected/)
})

test.run()
