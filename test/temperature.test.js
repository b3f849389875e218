// softmaxCrossEntropy with a temperature: loss, gradient and second derivatives against the closed form in float64.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  dense,
  gradientCheck,
  hessian,
  loadModel,
  sanityCheck,
  sequential,
  sgd,
  softmaxCrossEntropy,
  tanh,
} from 'gradus'
import * as kernels from 'gradus/kernels'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startLoss } from '../dist/check/chance.js'
import { forward, numbers } from './support/reference.js'

const test = suite('temperature')
const folder = mkdtempSync(join(tmpdir(), 'gradus-'))
test.after(() => rmSync(folder, { recursive: true }))

const rows = 23
const x = numbers(rows * 5, 2)
const labels = Int32Array.from({ length: rows }, (_, i) => (3 * i + (i >> 2)) % 3)
/** Rows of positive numbers that sum to 1. */
const soft = numbers(rows * 3, 7).map((v) => v + 1.2)
for (let i = 0; i < rows; i++) {
  const part = soft.subarray(3 * i, 3 * i + 3)
  part.set(part.map((v) => v / part.reduce((a, b) => a + b)))
}

const network = (temperature, dtype = 'float64') =>
  sequential({ input: [5], seed: 4, dtype }, [dense(4), tanh(), dense(3)]).compile({
    loss: softmaxCrossEntropy({ temperature }),
    optimizer: sgd({ learningRate: 0.1 }),
    metrics: ['accuracy', 'logLoss'],
  })

/** T² · −Σ t · log softmax(s / T), and its slopes. */
function tempered(scores, targets, temperature) {
  const powers = scores.map((score) => Math.exp((score - Math.max(...scores)) / temperature))
  const sum = powers.reduce((a, b) => a + b)
  const loss = powers.reduce((total, power, j) => total - targets[j] * Math.log(power / sum), 0)
  const mass = targets.reduce((a, b) => a + b)
  return [temperature ** 2 * loss, powers.map((power, j) => temperature * ((mass * power) / sum - targets[j]))]
}

const targetsOf = (y, i) =>
  y === labels ? [0, 1, 2].map((c) => Number(c === labels[i])) : [...y.slice(3 * i, 3 * i + 3)]

/** The mean over all rows, by way of plain JavaScript. */
function meanLoss(model, y, temperature) {
  const w = model.getWeights()
  const layers = [{ weight: w['dense1.weight'], bias: w['dense1.bias'] }, 'tanh']
  layers.push({ weight: w['dense2.weight'], bias: w['dense2.bias'] })
  const lossOf = (i) => tempered(forward(layers, x.subarray(5 * i, 5 * i + 5)).at(-1), targetsOf(y, i), temperature)[0]
  return Array.from({ length: rows }, (_, i) => lossOf(i)).reduce((a, b) => a + b) / rows
}

test('the loss is the closed form, for labels and probabilities; metrics are those at temperature 1', async () => {
  for (const temperature of [0.5, 1, 3]) {
    for (const [y, data] of [
      [labels, labels],
      [soft, { data: soft, shape: [rows, 3] }],
    ]) {
      for (const [dtype, tolerance] of [
        ['float64', 1e-14],
        ['float32', 2e-6],
      ]) {
        const model = network(temperature, dtype)
        const { loss, logLoss } = await model.evaluate({ x, y: data })
        const expected = meanLoss(model, y, temperature)
        assert.ok(Math.abs(loss - expected) < tolerance * expected, `${dtype} ${temperature}: ${loss}, not ${expected}`)
        const plain = meanLoss(model, y, 1)
        assert.ok(Math.abs(logLoss - plain) < tolerance * plain, `${dtype}: ${logLoss}, not ${plain}`)
      }
    }
  }
})

test('probabilities are softmax of the scores at temperature 1', async () => {
  const [hot, plain] = [network(4), network(1)]
  assert.equal(await hot.predictProbabilities(x), await plain.predictProbabilities(x))
})

test('the gradient check is satisfied', async () => {
  for (const y of [labels, { data: soft, shape: [rows, 3] }]) {
    const report = await gradientCheck(network(2.5), { x, y }, { checkInput: true })
    assert.is(report.verdict, 'satisfied', String(report))
  }
})

test('the Hessian is that of finite differences of the closed form', async () => {
  const model = network(2.5)
  const { size, data } = await hessian(model, { x, y: labels })
  const weights = model.getWeights()
  const places = Object.entries(weights).flatMap(([name, { data }]) => Array.from(data, (_, i) => [name, i]))
  assert.is(size, places.length)
  const h = 1e-3
  const lossAt = (...moves) => {
    const moved = structuredClone(weights)
    for (const [place, by] of moves) moved[places[place][0]].data[places[place][1]] += by
    model.setWeights(moved)
    return meanLoss(model, labels, 2.5)
  }
  for (const [i, j] of [
    [0, 0],
    [3, 17],
    [22, 30],
    [30, 30],
    [38, 26],
  ]) {
    const second =
      (lossAt([i, h], [j, h]) - lossAt([i, h], [j, -h]) - lossAt([i, -h], [j, h]) + lossAt([i, -h], [j, -h])) /
      (4 * h * h)
    assert.ok(Math.abs(data[i * size + j] - second) < 2e-6, `${i}, ${j}: ${data[i * size + j]}, not ${second}`)
  }
})

test('a model and its file know the temperature; at 1 nothing is written down', async () => {
  const hot = network(3, 'float32')
  const path = join(folder, 'hot.safetensors')
  await hot.save(path)
  const loaded = await loadModel(path)
  assert.equal(await loaded.evaluate({ x, y: labels }), await hot.evaluate({ x, y: labels }))
  assert.equal(loaded.descriptor.loss, { kind: 'softmax_cross_entropy', parameter: 3 })
  assert.equal(network(1).descriptor.loss, { kind: 'softmax_cross_entropy' })
  assert.equal(softmaxCrossEntropy({ temperature: 1 }), softmaxCrossEntropy())
})

test('the kernel alone', () => {
  for (const Type of [Float32Array, Float64Array]) {
    const columns = 3
    const scores = Type.from(numbers(rows * columns, 5), (v) => 4 * v)
    const [found, gradient] = [new Type(rows), new Type(rows * columns)]
    for (const temperature of [0.3, 7]) {
      for (const y of [labels, soft]) {
        const targets = y === labels ? labels : Type.from(soft)
        kernels.softmaxCrossEntropy(scores, targets, found, { rows, columns, gradient, scale: 0.5, temperature })
        for (let i = 0; i < rows; i++) {
          const part = [...scores.subarray(3 * i, 3 * i + 3)]
          const [loss, slopes] = tempered(part, targetsOf(targets, i), temperature)
          const tolerance = (Type === Float32Array ? 4e-6 : 1e-14) * Math.max(1, temperature ** 2)
          assert.ok(Math.abs(found[i] - loss) < tolerance * 4, `${found[i]}, not ${loss}`)
          for (const [j, slope] of slopes.entries()) assert.ok(Math.abs(gradient[3 * i + j] - slope / 2) < tolerance)
        }
      }
    }
  }
})

test('the untrained loss has the temperature squared in it, and the sanity check knows', async () => {
  assert.is(startLoss(softmaxCrossEntropy({ temperature: 3 }), 4), 9 * Math.log(4))
  const model = network(4, 'float32')
  const report = await sanityCheck(model, { x, y: labels })
  assert.match(String(report), /4² · −ln\(1\/3\)/)
})

test('a temperature that is none', () => {
  for (const temperature of [0, -1, Number.NaN, Infinity, '2']) {
    assert.throws(
      () => softmaxCrossEntropy({ temperature }),
      (error) =>
        error.code === 'GRADUS_INVALID_ARGUMENT' && error.message.startsWith('temperature: expected a positive'),
    )
  }
  assert.throws(() => softmaxCrossEntropy({ t: 2 }), /there is no option "t".*temperature/)
  const array = new Float32Array(3)
  const options = { rows: 1, columns: 3, temperature: 0 }
  assert.throws(() => kernels.softmaxCrossEntropy(array, array, new Float32Array(1), options), /temperature: expected/)
})

test.run()
