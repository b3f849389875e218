// softmaxCrossEntropy with labelSmoothing: loss and gradient against PyTorch in float64, and what goes with it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dense, gradientCheck, hessian, loadModel, sequential, sgd, softmaxCrossEntropy, tanh } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const test = suite('label smoothing')
const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
test.after(() => rmSync(folder, { recursive: true }))
const { cases } = JSON.parse(readFileSync(new URL('fixtures/losses/label-smoothing.json', import.meta.url), 'utf8'))

/** A network whose scores are its one layer's bias-free products of the identity's rows: they are the weights. */
function scorer({ classes, smoothing, scores }, dtype) {
  const rows = scores.length / classes
  const options = { loss: softmaxCrossEntropy({ labelSmoothing: smoothing }), optimizer: sgd({ learningRate: 1 }) }
  const model = sequential({ input: [rows], seed: 1, dtype }, [dense(classes, { bias: false })]).compile(options)
  model.setWeights({ 'dense1.weight': { shape: [rows, classes], data: Float64Array.from(scores) } })
  return model
}

const identity = (rows) =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: rows }, (_, j) => Number(i === j)))

test('loss and gradient are those of PyTorch, of class numbers and of probabilities, in both types', async () => {
  for (const dtype of ['float64', 'float32']) {
    const u = dtype === 'float64' ? 2 ** -52 : 2 ** -23
    for (const one of cases) {
      const { classes, smoothing, kind, scores, targets, loss, gradient } = one
      const place = `${kind} of ${classes} classes, smoothing ${smoothing}, ${dtype}`
      const rows = scores.length / classes
      const y = kind === 'labels' ? targets : { data: Float64Array.from(targets), shape: [rows, classes] }
      const model = scorer(one, dtype)
      const data = { x: identity(rows), y }
      const found = (await model.evaluate(data)).loss
      assert.ok(Math.abs(found - loss) < 32 * u * (loss + 8), `${place}: ${found}, expected ${loss}`)
      await model.fit(data, { batchSize: rows, quiet: true })
      const moved = model.getWeights()['dense1.weight'].data
      for (const [i, slope] of gradient.entries()) {
        assert.ok(Math.abs(scores[i] - moved[i] - slope) < 64 * u * 16, `${place}: gradient ${i}`)
      }
    }
  }
})

const x = { data: numbers(60, 3), shape: [12, 5] }
const network = (labelSmoothing, more) =>
  sequential({ input: [5], seed: 4, dtype: 'float64' }, [dense(4), tanh(), dense(3)]).compile({
    loss: softmaxCrossEntropy({ labelSmoothing, ...more }),
    optimizer: sgd({ learningRate: 0.1 }),
    metrics: ['accuracy', 'logLoss'],
  })
const labels = Int32Array.from({ length: 12 }, (_, i) => (i * 5) % 3)

test('gradient checks are satisfied, with a temperature too, and the Hessian is that of central differences', async () => {
  for (const y of [
    labels,
    { data: Float64Array.from({ length: 36 }, (_, i) => [0.2, 0.5, 0.3][i % 3]), shape: [12, 3] },
  ]) {
    for (const more of [{}, { temperature: 2.5 }]) {
      const { verdict } = await gradientCheck(network(0.2, more), { x, y }, { seed: 7 })
      assert.is(verdict, 'satisfied')
    }
  }
  const model = network(0.2)
  const { size, data } = await hessian(model, { x, y: labels })
  const weights = model.getWeights()
  const places = Object.entries(weights).flatMap(([name, { data }]) => Array.from(data, (_, i) => [name, i]))
  const h = 1e-3
  const lossAt = async (...moves) => {
    const moved = structuredClone(weights)
    for (const [place, by] of moves) moved[places[place][0]].data[places[place][1]] += by
    model.setWeights(moved)
    return (await model.evaluate({ x, y: labels })).loss
  }
  for (const [i, j] of [
    [2, 31],
    [21, 36],
  ]) {
    const corners = []
    for (const [a, b] of [
      [h, h],
      [h, -h],
      [-h, h],
      [-h, -h],
    ])
      corners.push(await lossAt([i, a], [j, b]))
    const expected = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * h * h)
    assert.ok(Math.abs(data[i * size + j] - expected) < 1e-6, `${data[i * size + j]}, expected ${expected}`)
    assert.ok(Math.abs(data[i * size + j] - data[j * size + i]) < 1e-14)
  }
})

test('metrics hold the scores against the targets as they are', async () => {
  const [plain, smooth] = await Promise.all([0, 0.3].map((share) => network(share).evaluate({ x, y: labels })))
  assert.is(smooth.logLoss, plain.logLoss)
  assert.is(smooth.accuracy, plain.accuracy)
  assert.is.not(smooth.loss, plain.loss)
})

test('0 is the plain loss, and a saved model has its own', async () => {
  assert.equal(softmaxCrossEntropy({ labelSmoothing: 0 }).call, ['softmaxCrossEntropy'])
  const model = network(0.25)
  const path = join(folder, 'smooth.safetensors')
  await model.save(path)
  const again = await loadModel(path)
  assert.is((await again.evaluate({ x, y: labels })).loss, (await model.evaluate({ x, y: labels })).loss)
})

test('what is no share of a whole is refused', () => {
  for (const bad of [-0.1, 1, Number.NaN, '0.1', null]) {
    assert.throws(
      () => softmaxCrossEntropy({ labelSmoothing: bad }),
      (error) =>
        error.code === 'GRADUS_INVALID_ARGUMENT' &&
        error.message.startsWith('labelSmoothing: expected a number of at least 0 and less than 1, received'),
    )
  }
})

test.run()
