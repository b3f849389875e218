// Rule × situation: what checks and findings say of data as they are. GRADUS_SEEDS=20 tries twenty of each, and prints the table.
import { monitor, sanityCheck } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { diagnose } from '../dist/watch/diagnosis/diagnose.js'
import { ill } from './support/ill-situations.js'
import { sound } from './support/sound-situations.js'

const test = suite('findings: rule × situation')
const seeds = Array.from({ length: Number(process.env.GRADUS_SEEDS ?? 1) }, (_, i) => i + 1)

/** Warnings that a sound run may have: its data are noisy or few, or its curve has come to its end. */
const mayBe = ['healthy', 'tooShort', 'plateau', 'underfitting', 'overfitting', 'lossTooNoisy']

async function lookAt({ model, data, validation, options }) {
  const isStream = typeof data === 'function'
  const { validationSplit } = options
  const report = isStream ? null : await sanityCheck(model, data, { validation, validationSplit })
  const watching = monitor({ histograms: 10 })
  const run = model.fit(data, { validation, quiet: true, ...options, callbacks: [watching] })
  await run.done.catch((error) => assert.is(error.code, 'GRADUS_NON_FINITE', error.stack))
  const findings = diagnose(watching.recording)
  const failed = report ? report.checks.filter(({ passed }) => !passed).map(({ name }) => name) : []
  const undecided = report ? report.checks.filter(({ verdict }) => verdict === 'undecided').map(({ name }) => name) : []
  return { report, failed, undecided, findings }
}

const told = (findings) => findings.map(({ severity, rule, message }) => `${severity} ${rule}: ${message}`).join('\n')

/** Of each situation, how often each check failed or was undecided, and each rule was told. */
const table = new Map()
function count(situation, { failed, undecided, findings }) {
  const row = table.get(situation) ?? new Map()
  table.set(situation, row)
  const names = [...failed, ...undecided.map((name) => `${name}?`), ...findings.map((f) => `${f.rule}:${f.severity}`)]
  for (const name of names) row.set(name, (row.get(name) ?? 0) + 1)
}

for (const seed of seeds) {
  for (const [situation, make] of Object.entries(sound)) {
    test(`sound: ${situation} (${seed})`, async () => {
      const seen = await lookAt(make(seed))
      count(situation, seen)
      assert.equal(seen.failed, [], String(seen.report))
      for (const { rule, severity } of seen.findings) {
        assert.is.not(severity, 'severe', told(seen.findings))
        assert.ok(mayBe.includes(rule) || severity === 'info', told(seen.findings))
      }
    })
  }
  for (const [situation, { fails, finds, make }] of Object.entries(ill)) {
    test(`ill: ${situation} (${seed})`, async () => {
      const seen = await lookAt(make(seed))
      count(situation, seen)
      for (const check of fails ?? []) assert.ok(seen.failed.includes(check), String(seen.report))
      if (fails?.length === 0) assert.equal(seen.failed, [], String(seen.report))
      if (finds) assert.ok(finds.includes(seen.findings[0].rule), told(seen.findings))
    })
  }
}

test.after(() => {
  if (!process.env.GRADUS_SEEDS) return
  for (const [situation, row] of table) {
    const cells = [...row].sort((a, b) => b[1] - a[1]).map(([name, times]) => `${name} ${times}`)
    console.log(`${situation.padEnd(56)} ${cells.join(', ')}`)
  }
})

test.run()
