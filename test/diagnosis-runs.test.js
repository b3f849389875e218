// Real training runs: each ill one gets its finding first, and no healthy one a severe finding.
import { monitor } from 'gradus'
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

test('every rule has an ill run', () => {
  const made = new Set(Object.values(illRuns).map(({ rule }) => rule))
  for (const { name } of rules) assert.ok(made.has(name), name)
})

test.run()
