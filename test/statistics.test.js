// Batch norm's statistics made anew, against plain passes over the data in float64.
import {
  add,
  batchNorm,
  dense,
  dropout,
  graph,
  input,
  meanSquaredError,
  recomputeStatistics,
  sequential,
  sgd,
  tanh,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const test = suite('statistics')
const rows = 23
const x = numbers(rows * 4, 8).map((value, i) => value * (1 + (i % 4)) + 10 * (i % 2))

const network = (more = []) =>
  sequential({ input: [4], seed: 6, dtype: 'float64' }, [
    ...[dense(5), batchNorm({ name: 'first' }), tanh(), ...more, dense(3), batchNorm({ name: 'second' }), dense(2)],
  ])

/** One pass for the mean and one for the squares. */
function moments(columns) {
  const mean = columns.map((column) => column.reduce((sum, v) => sum + v, 0) / column.length)
  const squares = columns.map((column, j) => column.reduce((sum, v) => sum + (v - mean[j]) ** 2, 0))
  return { mean, squares, count: columns[0].length }
}
const columnsOf = (matrix) => matrix[0].map((_, j) => matrix.map((row) => row[j]))
const affine = (matrix, { weight, bias }) =>
  matrix.map((row) =>
    Array.from({ length: weight.shape[1] }, (_, j) =>
      row.reduce((sum, v, i) => sum + v * weight.data[i * weight.shape[1] + j], bias.data[j]),
    ),
  )
const layerOf = (weights, name) => ({ weight: weights[`${name}.weight`], bias: weights[`${name}.bias`] })
/** gain 1 and bias 0, as they begin. */
const normalized = (matrix, { mean, squares, count }) =>
  matrix.map((row) => row.map((v, j) => (v - mean[j]) / Math.sqrt(squares[j] / count + 1e-5)))

/** Of each batch the moments of both layers; then their means, all batches of one weight. */
function expected(weights, batchSize) {
  const sums = { first: [], second: [] }
  for (let begin = 0; begin < rows; begin += batchSize) {
    const batch = Array.from({ length: Math.min(batchSize, rows - begin) }, (_, i) => [
      ...x.subarray((begin + i) * 4, (begin + i + 1) * 4),
    ])
    if (batch.length === 1) continue
    const below = affine(batch, layerOf(weights, 'dense1'))
    const first = moments(columnsOf(below))
    const above = affine(
      normalized(below, first).map((row) => row.map(Math.tanh)),
      layerOf(weights, 'dense2'),
    )
    sums.first.push(first)
    sums.second.push(moments(columnsOf(above)))
  }
  const means = (all) => ({
    mean: all[0].mean.map((_, j) => all.reduce((sum, { mean }) => sum + mean[j], 0) / all.length),
    variance: all[0].mean.map(
      (_, j) => all.reduce((sum, { squares, count }) => sum + squares[j] / (count - 1), 0) / all.length,
    ),
  })
  return { first: means(sums.first), second: means(sums.second) }
}

function near(weights, wanted, what) {
  for (const [layer, of] of Object.entries(wanted))
    for (const [name, values] of Object.entries(of))
      values.forEach((value, j) => {
        const found = weights[`${layer}.${name}`].data[j]
        assert.ok(
          Math.abs(found - value) <= 1e-12 * (1 + Math.abs(value)),
          `${what}: ${layer}.${name}[${j}]: ${found}, ${value}`,
        )
      })
}

for (const batchSize of [4, 5, 11, 22, 23, 64]) {
  test(`means over batches of ${batchSize} are those of plain passes`, async () => {
    for (const threads of [1, 2]) {
      const model = network()
      const before = model.getWeights()
      await recomputeStatistics(model, { x }, { batchSize, threads })
      const after = model.getWeights()
      near(after, expected(before, batchSize), `${threads} threads`)
      assert.equal(after['dense1.weight'], before['dense1.weight'])
      const bits = await recomputeStatistics(model, { x }, { batchSize, threads }).then(() => model.getWeights())
      assert.equal(bits, after, 'what they were before does not matter')
    }
  })
}

test('a stream is cut into the same batches, and dropout is off', async () => {
  async function* pieces() {
    for (let begin = 0; begin < rows; begin += 3) yield { x: x.slice(begin * 4, (begin + 3) * 4) }
  }
  const [whole, streamed, dropped] = [network(), network(), network([dropout(0.5)])]
  dropped.setWeights(whole.getWeights())
  await recomputeStatistics(whole, { x }, { batchSize: 7 })
  await recomputeStatistics(streamed, pieces(), { batchSize: 7 })
  await recomputeStatistics(dropped, { x }, { batchSize: 7 })
  assert.equal(streamed.getWeights(), whole.getWeights())
  assert.equal(dropped.getWeights(), whole.getWeights())
})

test('a layer that is used twice has the mean over its uses', async () => {
  const shared = batchNorm({ name: 'shared' })
  const a = input([2])
  const b = input([2])
  const model = graph({ inputs: [a, b], output: add(shared(a), shared(b)), seed: 1, dtype: 'float64' })
  const [xa, xb] = [numbers(14, 1), numbers(14, 2).map((v) => 3 * v + 1)]
  const names = model.inputs.map(({ name }) => name)
  await recomputeStatistics(model, { x: { [names[0]]: xa, [names[1]]: xb } })
  const of = (values) => moments([0, 1].map((j) => [...values].filter((_, i) => i % 2 === j)))
  const [ma, mb] = [of(xa), of(xb)]
  near(model.getWeights(), {
    shared: {
      mean: ma.mean.map((v, j) => (v + mb.mean[j]) / 2),
      variance: ma.squares.map((v, j) => (v + mb.squares[j]) / 2 / 6),
    },
  })
})

test('frozen layers and models without batch norm stay as they are', async () => {
  const model = network()
  const before = model.getWeights()
  model.freeze('first')
  await recomputeStatistics(model, { x })
  const after = model.getWeights()
  assert.equal(after['first.mean'], before['first.mean'])
  assert.not.equal(after['second.mean'], before['second.mean'])
  const plain = sequential({ input: [4], seed: 1 }, [dense(2)])
  const weights = plain.getWeights()
  await recomputeStatistics(plain, { x: [] })
  assert.equal(plain.getWeights(), weights)
})

test('one coded error each, and nothing has changed', async () => {
  const model = network().compile({ loss: meanSquaredError(), optimizer: sgd() })
  const before = model.getWeights()
  const refused = async (data, options, code, message) => {
    const error = await recomputeStatistics(model, data, options).then(
      () => assert.unreachable(message),
      (error) => error,
    )
    assert.is(error.code ?? error.name, code, error.message)
    assert.match(error.message, message)
    assert.equal(model.getWeights(), before)
  }
  await refused({ x: x.slice(0, 4) }, {}, 'GRADUS_INVALID_ARGUMENT', /^data: expected at least 2 examples/)
  await refused({ x }, { batchSize: 1 }, 'GRADUS_INVALID_ARGUMENT', /^data: expected at least 2 examples/)
  await refused({ x }, { batchSize: 0 }, 'GRADUS_INVALID_ARGUMENT', /^batchSize/)
  await refused({ x }, { weights: 'average' }, 'GRADUS_INVALID_ARGUMENT', /^recomputeStatistics: there is no option/)
  await refused({ x: x.slice(1) }, {}, 'GRADUS_INVALID_ARGUMENT', /x/)
  await refused({ x: x.map(() => 1e300) }, {}, 'GRADUS_NON_FINITE', /first\.variance|second/)
  await refused({ x }, { signal: AbortSignal.abort() }, 20, /abort/)
  const other = await recomputeStatistics({}, { x }).catch((error) => error)
  assert.is(other.message, 'model: expected a model, received an empty object')
  const run = model.fit({ x, y: numbers(rows * 2, 1) }, { epochs: 50, quiet: true })
  const busy = await recomputeStatistics(model, { x }).catch((error) => error)
  assert.is(busy.code, 'GRADUS_BUSY')
  await run
  model.dispose()
})

test.run()
