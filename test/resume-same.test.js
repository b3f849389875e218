// What decides the bits of a run must be the same when it goes on; what does not is free. What callbacks remember finds its way.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adam,
  averagedWeights,
  checkpoint,
  cosine,
  dense,
  earlyStopping,
  l2,
  linearRamp,
  multiclassHinge,
  reduceOnPlateau,
  relu,
  sequential,
  sgd,
  softmaxCrossEntropy,
  stepDecay,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { afterDeaths, live, uninterrupted } from './support/interrupted.js'
import { failure, numbers } from './support/reference.js'
import { warningsOf } from './support/warnings.js'

const test = suite('the same run')
const folder = mkdtempSync(join(tmpdir(), 'gradus-resume-same-'))
test.after(() => rmSync(folder, { recursive: true }))
let number = 0
const newDir = () => join(folder, String(++number))

const rows = 40
const data = { x: numbers(rows * 3, 5), y: Int32Array.from({ length: rows }, (_, i) => Number(i % 3 === 0)) }
const validation = { x: numbers(24 * 3, 8), y: Int32Array.from({ length: 24 }, (_, i) => i % 2) }
const layersOf = ({ units = 6, regularizer } = {}) => [dense(units, { regularizer }), relu(), dense(2)]
const made = ({ layers = layersOf(), seed = 3, dtype, compile, input = 3, of = data, ...options } = {}) => {
  const model = sequential({ input: [input], seed, dtype }, layers)
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'], ...compile })
  return { model, data: of, options: { validation, schedule: cosine({ length: 9 }), clipNorm: 2, ...options } }
}
const contents = (dir) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('claims'))
    .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name)).toString('latin1')])
    .sort(([a], [b]) => (a < b ? -1 : 1))

const interrupted = newDir()
await live(() => made(), interrupted, { death: { by: 'error', event: 'onStepsEnd', count: 8 } })

const other = { ...data, y: data.y.map((label) => 1 - label) }
const differences = {
  'more units': [{ layers: layersOf({ units: 7 }) }, /^ {2}model\.\S+: 6 before, 7 now$/m],
  'another activation': [{ layers: [dense(6), dense(2)] }, /^ {2}model\./m],
  'a regularizer': [
    { layers: layersOf({ regularizer: l2(0.1) }) },
    /^ {2}model\.\S*regularizer\S*: none before, .* now$/m,
  ],
  'another seed': [{ seed: 4 }, /^ {2}model\.seed: 3 before, 4 now$/m],
  float64: [{ dtype: 'float64' }, /^ {2}model\.dtype: float32 before, float64 now$/m],
  'another optimizer': [{ compile: { optimizer: sgd() } }, /^ {2}optimizer\S*: adam before, sgd now$/m],
  'another rate': [
    { compile: { optimizer: adam({ learningRate: 0.1 }) } },
    /^ {2}optimizer\S*: 0\.001 before, 0\.1 now$/m,
  ],
  'an average': [
    { compile: { optimizer: adam({ average: averagedWeights({ decay: 0.9 }) }) } },
    /^ {2}optimizer\S*: none before, .*averagedWeights.*0\.9.* now$/m,
  ],
  'another loss': [{ compile: { loss: multiclassHinge() } }, /^ {2}loss\S*: \w+ before, \w+ now$/m],
  'another batch size': [{ batchSize: 5 }, /^ {2}batchSize: 4 before, 5 now$/m],
  accumulation: [{ accumulate: 2 }, /^ {2}accumulate: 1 before, 2 now$/m],
  'no shuffling': [{ shuffle: false }, /^ {2}shuffle: true before, false now$/m],
  'another norm': [{ clipNorm: 3 }, /^ {2}clipNorm: 2 before, 3 now$/m],
  'no norm': [{ clipNorm: undefined }, /^ {2}clipNorm: 2 before, none now$/m],
  'clipped values': [{ clipValue: 1 }, /^ {2}clipValue: none before, 1 now$/m],
  'class weights': [{ classWeights: [1, 2] }, /^ {2}classWeights: none before, .*1.*2.* now$/m],
  'another schedule': [{ schedule: stepDecay({ every: 2 }) }, /^ {2}schedule: cosine before, stepDecay now$/m],
  'no schedule': [{ schedule: undefined }, /^ {2}schedule: cosine before, none now$/m],
  'a schedule of momenta': [
    { momentumSchedule: linearRamp({ from: 0.5, to: 0.9, length: 3 }) },
    /^ {2}momentumSchedule: none before, linearRamp now$/m,
  ],
  'a schedule of weight decays': [
    { weightDecaySchedule: (epoch) => epoch / 100 },
    /^ {2}weightDecaySchedule: none before, a function now$/m,
  ],
  'other targets': [{ of: other }, /^ {2}data: 40 examples .* before, 40 examples .* now$/m],
  'weighted examples': [{ of: { ...data, sampleWeights: new Float32Array(rows).fill(0.5) } }, /^ {2}data: 40 /m],
  'fewer examples': [
    { of: { x: data.x.slice(3), y: data.y.slice(1) } },
    /^ {2}data: 40 .* before, 39 examples .* now$/m,
  ],
  'a stream': [{ of: () => [data] }, /^ {2}data: 40 .* before, a stream now$/m],
  'other validation data': [{ validation: other }, /^ {2}validation: 24 .* before, 40 examples .* now$/m],
  'no validation': [{ validation: undefined }, /^ {2}validation: 24 .* before, none now$/m],
  'other metrics': [{ compile: { metrics: ['accuracy', 'f1'] } }, /^ {2}metrics\S*: none before, .*f1.* now$/m],
}

for (const [name, [change, line]] of Object.entries(differences)) {
  test(`${name}: refused with both values, and nothing is touched`, async () => {
    const before = contents(interrupted)
    const { code, message } = await failure(() => live(() => made(change), interrupted))
    assert.is(code, 'GRADUS_INVALID_ARGUMENT', message)
    assert.match(
      message,
      /^resume: .*\.safetensors is of a run that differs from this one in what decides its numbers; /,
    )
    assert.match(message, line)
    assert.equal(contents(interrupted), before)
  })
}

test('all differences are in one error', async () => {
  const change = { seed: 5, batchSize: 8, shuffle: false, clipValue: 2, of: other, schedule: undefined, accumulate: 3 }
  const { message } = await failure(() => live(() => made(change), interrupted))
  const lines = message
    .split('\n')
    .slice(1)
    .map((line) => /^ {2}([\w.]+): .+ before, .+ now$/.exec(line)?.[1])
  assert.equal(lines.sort(), ['accumulate', 'batchSize', 'clipValue', 'data', 'model.seed', 'schedule', 'shuffle'])
})

test('epochs, threads, quiet, every, calls and further callbacks are free', async () => {
  const dir = newDir()
  const epochs = { epochs: 7 }
  const free = [
    { threads: 2, every: { epochs: 1 }, ...epochs },
    { threads: 1, quiet: true, stepsPerCall: 3, epochs: 30 },
    { every: { steps: 1 }, callbacks: [earlyStopping({ patience: 20 }), { onStepsEnd() {} }], ...epochs },
  ]
  for (const [i, more] of free.entries()) {
    const death = { by: 'abort', event: 'onStepsEnd', count: 4 + i }
    assert.ok((await live(() => made(), dir, { ...more, death })).isDead)
  }
  const { result } = await live(() => made(), dir, { ...epochs, maxRefusedSteps: 3 })
  assert.equal(result, await uninterrupted(() => made(epochs)))
})

/** Adds up what it sees, in place. */
function summing(name, factor = 1, size = 3) {
  const sums = new Float64Array(size)
  return {
    name,
    sums,
    seen: [],
    state() {
      return { sums, last: { epoch: this.seen, zero: -0, none: Number.NaN, most: Number.POSITIVE_INFINITY } }
    },
    restore({ sums: before, last }) {
      sums.set(before)
      this.seen.push(...last.epoch)
      assert.equal([last.zero, last.none, last.most].map(String), ['0', 'NaN', 'Infinity'])
      assert.ok(Object.is(last.zero, -0))
    },
    onStepsEnd({ steps }) {
      for (const i of sums.keys()) sums[i] += factor * steps.loss[0] + i
    },
    onEpochEnd({ epoch }) {
      this.seen.push(epoch)
    },
  }
}

test('a callback gets back what it remembered at the checkpoint, however it has gone on in the same arrays since', async () => {
  const [whole, dir] = [summing('sums', 1, 300_000), newDir()]
  await uninterrupted(() => made({ callbacks: [whole] }))
  let latest
  const make = () => {
    latest = summing('sums', 1, 300_000)
    return made({ callbacks: [latest] })
  }
  await afterDeaths(
    make,
    dir,
    [5, 7, 4].map((count) => ({ by: 'error', event: 'onStepsEnd', count })),
    { every: { steps: 1 } },
  )
  assert.equal(latest.seen, [1, 2, 3, 4, 5])
  assert.equal(latest.sums.slice(-5), whole.sums.slice(-5))
})

test('callbacks of one name are told apart by their order; one that is gone is named in a warning', async () => {
  const [dir, wholes] = [newDir(), [summing('a'), summing('a', 10), summing('b'), summing(undefined, 5)]]
  await uninterrupted(() => made({ callbacks: wholes }))
  let [latest, lives] = [null, 0]
  const deaths = [4, 3, 6].map((count) => ({ by: 'abort', event: 'onStepsEnd', count }))
  const make = () => {
    latest = [summing('a'), summing('a', 10), summing('b'), summing(undefined, 5)]
    // Those that remember nothing do not count, and may come and go.
    return made({ callbacks: lives++ % 2 ? [() => {}, ...latest] : latest })
  }
  const warnings = await warningsOf(() => afterDeaths(make, dir, deaths))
  assert.equal(warnings, [])
  assert.equal(
    latest.map(({ sums }) => sums),
    wholes.map(({ sums }) => sums),
  )
  const last = [summing('b'), summing('a')]
  const gone = await warningsOf(() => live(() => made({ callbacks: last }), dir))
  assert.equal(
    gone.map(({ code }) => code),
    ['GRADUS_CALLBACK_GONE', 'GRADUS_CALLBACK_GONE'],
  )
  assert.match(gone.map(({ message }) => message).join(), /\ba#2\b.*\bcallback\b/)
  assert.equal(
    last.map(({ sums }) => sums),
    [wholes[2].sums, wholes[0].sums],
  )
})

test('two early stoppings of one run keep a best epoch each', async () => {
  const make = (more) => () =>
    made({
      epochs: 40,
      callbacks: [
        earlyStopping({ monitor: 'loss', patience: 30, restoreBest: true }),
        earlyStopping({ patience: 4, restoreBest: true }),
      ],
      ...more,
    })
  const plateau = { schedule: reduceOnPlateau({ patience: 1 }) }
  const deaths = [9, 12, 5].map((count) => ({ by: 'error', event: 'onStepsEnd', count }))
  assert.equal((await afterDeaths(make(plateau), newDir(), deaths)).result, await uninterrupted(make(plateau)))
})

test('what cannot be kept of a callback ends the run by its name', async () => {
  for (const [state, what] of [
    [() => ({ when: new Map() }), /callback\/odd\/when: expected plain values/],
    [() => 5n, /callback\/odd: expected plain values/],
    [() => ({ f() {} }), /callback\/odd\/f: expected plain values/],
  ]) {
    const callbacks = [{ name: 'odd', state, restore() {} }, checkpoint()]
    const { model, data, options } = made({ callbacks })
    const error = await failure(() => model.fit(data, { ...options, dir: newDir(), quiet: true }).done)
    assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
    assert.match(error.message, what)
  }
})

test.run()
