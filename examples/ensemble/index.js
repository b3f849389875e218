// Ways to an ensemble, side by side: what each gains in accuracy and in likelihood, and what it costs. Likelihood and calibration
// are those after a temperature fitted on validation data; everything is reported on the test set.
// Run: node examples/ensemble/index.js [mnist | fashion] [--repeats 5] [--share 0.1] (of the training data)
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensemble, report } from 'gradus'
import { names, readPictures } from './data.js'
import { methods } from './methods.js'
import { printTable } from './table.js'

const options = { repeats: { type: 'string', default: '1' }, share: { type: 'string', default: '1' } }
const { values, positionals } = parseArgs({ options, allowPositionals: true })
const name = positionals[0] ?? 'mnist'
if (!names.includes(name)) throw new Error(`there is no ${name}: expected ${names.join(' or ')}`)
const data = await readPictures(name, Number(values.share))

const seconds = async (work) => {
  const begin = performance.now()
  const result = await work()
  return [result, (performance.now() - begin) / 1000]
}

/** The least of five times: that of a quiet machine. */
async function evaluationTime(predictor) {
  const times = []
  for (let i = 0; i < 5; i++) times.push((await seconds(() => predictor.predict(data.test)))[1])
  return 1000 * Math.min(...times)
}

async function measure(predictor, training) {
  const together = predictor.members ? predictor : ensemble([predictor])
  const { accuracy, calibrated } = (await report(together, data.test, { calibration: data.validation })).ensemble
  const { logLoss, calibrationError } = calibrated
  return { accuracy, logLoss, calibrationError, training, evaluation: await evaluationTime(predictor) }
}

const rows = Object.fromEntries(Object.keys(methods).map((method) => [method, []]))
for (let seed = 1; seed <= Number(values.repeats); seed++) {
  const dir = mkdtempSync(join(tmpdir(), 'gradus-ensemble-'))
  const done = {}
  for (const [method, make] of Object.entries(methods)) {
    const [predictor, training] = await seconds(() => make({ ...data, seed, dir, done }))
    done[method] = predictor
    rows[method].push(await measure(predictor, training))
    if (process.stderr.isTTY) process.stderr.write(`\r${seed}: ${method}\u001b[K`)
  }
  rmSync(dir, { recursive: true })
}
if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
printTable(`${name}, ${values.repeats} × ${data.rows} pictures to train on`, rows)
