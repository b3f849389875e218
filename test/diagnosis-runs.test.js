// Real training runs: each ill one gets its finding first, and no healthy one a severe finding.
import { dense, monitor, relu, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { diagnose, rules } from '../dist/watch/diagnosis/diagnose.js'
import { healthyRuns } from './support/healthy-runs.js'
import { illRuns } from './support/ill-runs.js'

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

test('every rule has an ill run', () => {
  const made = new Set(Object.values(illRuns).map(({ rule }) => rule))
  for (const { name } of rules) assert.ok(made.has(name), name)
})

test.run()
