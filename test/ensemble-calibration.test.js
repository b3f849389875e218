// Figures and temperatures against plain definitions and fine grids, on numbers and on models.
import { calibrate, dense, ensemble, multiclassHinge, sequential, sgd } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { figuresOf } from '../dist/ensemble/figures.js'
import { fitTemperature } from '../dist/ensemble/fit-temperature.js'
import { Task } from '../dist/ensemble/task.js'
import { failure, numbers } from './support/reference.js'
import { answerer, blobs, classifier, plainFigures, regressor, softmax, trained } from './support/small-ensembles.js'

const test = suite('calibration')
const near = (actual, expected, tolerance = 1e-12) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, not ${expected}`)

const rows = 501
const classes = 5
const scores = numbers(rows * classes, 3).map((v) => 6 * v)
/** Mostly by the scores' own probabilities, at temperature 2. */
const labels = Int32Array.from(numbers(rows, 4), (v, i) => {
  const shares = softmax(scores.subarray(i * classes, (i + 1) * classes), 2)
  const ends = shares.map((_, c) => shares.slice(0, c + 1).reduce((a, b) => a + b))
  return ends.slice(0, -1).filter((end) => end < (v + 1) / 2).length
})
const weights = numbers(rows, 5).map((v) => Math.max(0, v))
const rowsOf = (temperature = 1) =>
  Array.from(labels, (_, i) => softmax(scores.subarray(i * classes, (i + 1) * classes), temperature))
const task = (more = {}) =>
  new Task({ kind: 'classes', hasProbabilities: true, columns: classes, targets: labels, weights: null, ...more })

test('accuracy, log-loss and calibration error are those of the definitions', () => {
  for (const temperature of [1, 0.4, 3]) {
    for (const weighting of [null, weights]) {
      const found = figuresOf(task({ weights: weighting }), scores, temperature)
      const expected = plainFigures(rowsOf(temperature), labels, weighting ?? undefined)
      for (const name of ['accuracy', 'logLoss', 'calibrationError']) near(found[name], expected[name])
    }
  }
})

test('a calibration error by hand: two bins, and a probability on the edge of one', () => {
  // 0.8 three times, right once; 0.65, wrong, and 2/3 = 10/15, right, in the bin that ends there.
  const logs = [0.8, 0.2, 0.8, 0.2, 0.8, 0.2, 0.65, 0.35].map(Math.log)
  const five = task({ columns: 2, targets: Int32Array.of(0, 1, 1, 1, 1) })
  const error = (3 * (0.8 - 1 / 3) + Math.abs(0.65 + 2 / 3 - 1)) / 5
  near(figuresOf(five, Float64Array.of(...logs, 0, Math.LN2)).calibrationError, error)
})

test('of yes-or-no outputs the error is of the probability of yes, all answers together', () => {
  const [p, t] = [
    [0.1, 0.9, 0.95, 0.3],
    [0, 1, 0, 1],
  ]
  const answers = { kind: 'answers', hasProbabilities: true, columns: 2, targets: Float64Array.from(t), weights: null }
  const found = figuresOf(
    new Task(answers),
    Float64Array.from(p, (v) => Math.log(v / (1 - v))),
  )
  near(found.accuracy, 0.5)
  near(found.logLoss, -(Math.log(0.9) + Math.log(0.9) + Math.log(0.05) + Math.log(0.3)) / 4)
  near(found.calibrationError, (0.1 + 0.1 + 0.95 + 0.7) / 4)
})

test('the temperature is that of the finest grid', () => {
  for (const weighting of [null, weights]) {
    const { temperature, bound } = fitTemperature(task({ weights: weighting }), scores)
    assert.is(bound, null)
    const lossAt = (t) => plainFigures(rowsOf(t), labels, weighting ?? undefined).logLoss
    const better = (a, b) => (lossAt(b) < lossAt(a) ? b : a)
    const coarse = Array.from({ length: 41 }, (_, i) => 1 + i / 20).reduce(better)
    const best = Array.from({ length: 101 }, (_, i) => coarse + (i - 50) / 1000).reduce(better)
    assert.ok(Math.abs(temperature - best) <= 1e-3, `${temperature}, not ${best}`)
    assert.ok(lossAt(temperature) <= lossAt(best))
  }
})

test('of yes-or-no outputs likewise, and of probabilities as targets', () => {
  const z = numbers(400, 8).map((v) => 5 * v)
  const t = numbers(400, 9).map((v, i) => Number((v + 1) / 2 < 1 / (1 + Math.exp(-z[i] / 3))) * 0.9)
  const found = fitTemperature(
    new Task({ kind: 'answers', hasProbabilities: true, columns: 2, targets: t, weights: null }),
    z,
  )
  const lossAt = (temperature) =>
    z.reduce((sum, score, i) => sum + Math.log1p(Math.exp(score / temperature)) - (t[i] * score) / temperature, 0)
  const grid = Array.from({ length: 4001 }, (_, i) => 1 + i / 500)
  const best = grid.reduce((a, b) => (lossAt(b) < lossAt(a) ? b : a))
  assert.ok(Math.abs(found.temperature - best) <= 2e-3, `${found.temperature}, not ${best}`)
})

test('what no temperature fits stays within bounds, and says so', () => {
  const certain = Float64Array.of(5, -5, -4, 4, 3, 0)
  const two = (...targets) => task({ columns: 2, targets: Int32Array.from(targets) })
  assert.equal(fitTemperature(two(0, 1, 0), certain), { temperature: 0.05, bound: 'lowest' })
  assert.equal(fitTemperature(two(1, 0, 1), certain), { temperature: 20, bound: 'highest' })
})

const [train, held, fresh] = [blobs(300, 1), blobs(400, 2), blobs(400, 5)]
const over = await trained(
  [1, 2, 3].map((seed) => classifier(seed)),
  train,
  { epochs: 60 },
)

test('a model that is too sure of itself gets a temperature above 1, and is better by it on other data', async () => {
  const [model] = over
  const sober = await calibrate(model, held)
  const { calibration } = sober
  assert.ok(sober.temperature > 1.05, String(sober.temperature))
  assert.is(sober.temperature, calibration.temperature)
  assert.is(calibration.rows, 400)
  const scores = await model.predict(held.x)
  const figuresAt = (t) =>
    plainFigures(
      Array.from(scores, (row) => softmax(row, t)),
      held.y,
    )
  near(calibration.logLoss.before, figuresAt(1).logLoss)
  near(calibration.logLoss.after, figuresAt(sober.temperature).logLoss)
  near(calibration.calibrationError.after, figuresAt(sober.temperature).calibrationError)
  const [before, after] = [await model.evaluate(fresh), await sober.evaluate(fresh)]
  assert.ok(after.loss < before.loss, `${after.loss}, ${before.loss}`)
  assert.is(after.accuracy, before.accuracy)
  near((await sober.evaluate(held)).loss, calibration.logLoss.after, 1e-6)
})

test('an ensemble keeps members, weights and way of combining; a second time its temperature stays', async () => {
  const together = ensemble(over, { weights: [0.5, 0.2, 0.3], combine: 'geometric' })
  const sober = await calibrate(together, held)
  assert.equal(sober.weights, together.weights)
  assert.is(sober.combine, 'geometric')
  assert.ok(sober.members.every((member, i) => member === over[i]))
  const again = await calibrate(sober, held)
  near(again.temperature, sober.temperature, 1e-5)
  sober.dispose()
  assert.is((await together.evaluate(held)).accuracy > 0.5, true)
})

test('of streams, and of a single yes-or-no output', async () => {
  const part = (first, last) => ({ x: held.x.slice(4 * first, 4 * last), y: held.y.slice(first, last) })
  const pieces = [part(0, 150), part(150, 400)]
  near((await calibrate(over[0], pieces)).temperature, (await calibrate(over[0], held)).temperature, 1e-9)
  const yes = (data) => ({ x: data.x, y: Float32Array.from(data.y, (label) => Number(label === 0)) })
  const [model] = await trained([answerer(1)], yes(train), { epochs: 60 })
  const sober = await calibrate(model, yes(held))
  const before = (await model.evaluate(yes(held))).loss
  near(sober.calibration.logLoss.before, before, 1e-5)
  assert.ok((await sober.evaluate(yes(held))).loss <= before)
})

test('what cannot be calibrated', async () => {
  const refuses = async (code, pattern, ...given) => {
    const error = await failure(() => calibrate(...given))
    assert.is(error.code, code, String(error))
    assert.match(error.message, pattern)
  }
  await refuses('GRADUS_INVALID_ARGUMENT', /^predictor: expected a model or an ensemble/, { predict() {} }, held)
  await refuses('GRADUS_INVALID_ARGUMENT', /^predictor: .*received meanSquaredError/, regressor(1), held)
  const machine = sequential({ input: [4], seed: 1 }, [dense(3)]).compile({ loss: multiclassHinge(), optimizer: sgd() })
  await refuses('GRADUS_INVALID_ARGUMENT', /received multiclassHinge/, machine, held)
  const same = { x: held.x, y: new Int32Array(400).fill(2) }
  await refuses(
    'GRADUS_INVALID_DATA',
    /^data: expected examples of at least two classes, received class 2 alone/,
    over[0],
    same,
  )
  await refuses('GRADUS_INVALID_ARGUMENT', /there is no option "bins"/, over[0], held, { bins: 3 })
  await refuses('GRADUS_NOT_COMPILED', /compile/, sequential({ input: [4] }, [dense(3)]), held)
})

test.run()
