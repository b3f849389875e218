// Real training runs: each ill one gets its finding first, and no healthy one a severe finding.
import {
  adam,
  binaryCrossEntropy,
  dense,
  dropout,
  meanSquaredError,
  monitor,
  randomNormal,
  relu,
  sequential,
  sgd,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { diagnose, rules } from '../dist/watch/diagnosis/diagnose.js'
import { healthyRuns } from './support/healthy-runs.js'
import { illRuns } from './support/ill-runs.js'
import { numbers } from './support/reference.js'

const test = suite('diagnosis: runs')

/** Trains with a monitor and says what the recording shows. */
async function findingsOf({ make, sharpness }, seed) {
  const { model, data, validation, options } = await make(seed)
  const watching = monitor({ histograms: 10, sharpness })
  const run = model.fit(data, { validation, quiet: true, ...options, callbacks: [watching] })
  await run.done.catch((error) => assert.is(error.code, 'GRADUS_NON_FINITE'))
  return diagnose(watching.recording)
}

const told = (findings) => findings.map(({ severity, rule, message }) => `${severity} ${rule}: ${message}`).join('\n')

for (const [name, run] of Object.entries(illRuns)) {
  test(`${name}: ${run.rule}`, async () => {
    const findings = await findingsOf(run, 1)
    assert.is(findings[0].rule, run.rule, told(findings))
  })
}

for (const [name, run] of Object.entries(healthyRuns)) {
  test(`healthy: ${name}`, async () => {
    const findings = await findingsOf(run, 2)
    assert.ok(
      findings.every(({ severity }) => severity !== 'severe'),
      told(findings),
    )
  })
}

test('a run that nobody recorded is judged by its steps all the same, not by its epochs', async () => {
  const x = Array.from({ length: 1600 }, (_, i) => [Math.sin(i), Math.cos(1.7 * i)])
  const y = Int32Array.from(x, ([a, b]) => (a > 0) + (b > 0))
  const model = sequential({ input: [2], seed: 1 }, [dense(16), relu(), dense(3)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 1000 }) })
  const run = model.fit({ x, y }, { epochs: 3, batchSize: 400 })
  await run.done.catch((error) => assert.is(error.code, 'GRADUS_NON_FINITE'))
  const findings = run.diagnose()
  assert.ok(
    findings.some(({ rule }) => rule === 'learningRateMuchTooHigh'),
    told(findings),
  )
})

/** Quarters of a square, with six numbers that say nothing beside them. */
function quarters(seed) {
  const x = numbers(600 * 8, seed)
  return { x, y: Int32Array.from({ length: 600 }, (_, i) => (x[8 * i] > 0 ? 2 : 0) + (x[8 * i + 1] > 0 ? 1 : 0)) }
}

/** The first finding of a run without a monitor. */
async function firstOf({ seed, layers, optimizer, data, loss = softmaxCrossEntropy() }) {
  const model = sequential({ input: [8], seed }, layers).compile({ loss, optimizer })
  const run = model.fit(data, { epochs: 15, batchSize: 32 })
  await run
  return run.diagnose()[0]
}
const hidden = (outputs) => [dense(32), relu(), dense(32), relu(), dense(outputs)]

test('of epochs alone a rate much too high is told from a model that is too small', async () => {
  for (const seed of [1, 2, 3]) {
    const { x, y } = quarters(seed)
    const tasks = [
      { layers: () => hidden(4), data: { x, y }, loss: softmaxCrossEntropy() },
      {
        layers: () => hidden(1),
        data: { x, y: Float32Array.from(y, (label) => Number(label > 1)) },
        loss: binaryCrossEntropy(),
      },
      {
        layers: () => hidden(1),
        data: { x, y: Float32Array.from(y, (_, i) => x[8 * i] * x[8 * i + 1]) },
        loss: meanSquaredError(),
      },
    ]
    for (const { layers, ...task } of tasks) {
      // Right is about 0.01.
      for (const learningRate of [1, 3]) {
        const { rule, severity, message } = await firstOf({
          seed,
          layers: layers(),
          ...task,
          optimizer: adam({ learningRate }),
        })
        assert.match(
          `${severity} ${rule}`,
          /^(severe|warning) learningRateTooHigh|^severe learningRateMuchTooHigh$/,
          `${seed}, ${learningRate}: ${message}`,
        )
      }
    }
  }
})

test('of epochs alone a loss above chance level is no rate too high where it began there', async () => {
  const wide = { init: randomNormal({ deviation: 1 }) }
  for (const seed of [1, 2, 3]) {
    const { x, y } = quarters(seed)
    const shuffled = { x, y: Int32Array.from(numbers(600, seed + 100), (value) => Math.floor((value + 1) * 2) % 4) }
    const cases = [
      ['learningRateTooLow', [dense(32), relu(), dense(4, wide)], sgd({ learningRate: 1e-5 }), { x, y }],
      ['learningRateTooLow', [dense(32), relu(), dropout(0.7), dense(4, wide)], adam({ learningRate: 1e-5 }), { x, y }],
      ['underfitting', [dense(32), relu(), dropout(0.5), dense(4)], adam({ learningRate: 3e-3 }), shuffled],
    ]
    for (const [rule, layers, optimizer, data] of cases) {
      const found = await firstOf({ seed, layers, optimizer, data })
      assert.is(found.rule, rule, found.message)
    }
  }
})

test('every rule has an ill run', () => {
  const made = new Set(Object.values(illRuns).map(({ rule }) => rule))
  for (const { name } of rules) assert.ok(made.has(name), name)
})

test.run()
