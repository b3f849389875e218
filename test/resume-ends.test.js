// Ends that a run comes to, and what going on makes of them: stops within validation, refused steps, runs that are complete.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adam,
  averagedWeights,
  batchNorm,
  dense,
  earlyStopping,
  meanSquaredError,
  monitor,
  relu,
  sequential,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { afterDeaths, live, uninterrupted } from './support/interrupted.js'
import { recorded } from './support/mortal-chain.js'
import { failure, numbers } from './support/reference.js'

const test = suite('ends of runs that go on')
const folder = mkdtempSync(join(tmpdir(), 'gradus-resume-ends-'))
test.after(() => rmSync(folder, { recursive: true }))
let number = 0
const newDir = () => join(folder, String(++number))

const rows = 40
const data = { x: numbers(rows * 3, 5), y: numbers(rows * 2, 6) }
const held = { x: numbers(24 * 3, 8), y: numbers(24 * 2, 9) }
const compiled = () =>
  sequential({ input: [3], seed: 3 }, [dense(6), batchNorm(), relu(), dense(2)]).compile({
    loss: meanSquaredError(),
    optimizer: adam({ learningRate: 0.02, average: averagedWeights({ decay: 0.95 }) }),
  })

/** A run of 8 epochs of 10 updates; it tells of `validation` before it gives the second piece of that. */
const validated = (options) => (happens) => {
  const validation = async function* () {
    yield { x: held.x.slice(0, 36), y: held.y.slice(0, 24) }
    happens('validation')
    yield { x: held.x.slice(36), y: held.y.slice(24) }
  }
  return { model: compiled(), data, options: { epochs: 8, validation, ...options } }
}

const inValidation = (by, ...counts) => counts.map((count) => ({ by, event: 'validation', count }))

for (const by of ['stop', 'abort', 'error']) {
  for (const every of ['epoch', { steps: 1 }, { steps: 7 }]) {
    const name = `by ${by} in validation, with checkpoints by ${JSON.stringify(every)}`
    test(`interrupted ${name}: it is made anew, to the same bits`, async () => {
      const dir = newDir()
      const { result } = await afterDeaths(validated(), dir, inValidation(by, 2, 1, 3), { every })
      assert.equal(result, await uninterrupted(validated()))
    })
  }
}

test('a run that is stopped in validation has the epoch in its history, without what that would have said', async () => {
  const dir = newDir()
  const [death] = inValidation('stop', 3)
  const { history } = await live(validated(), dir, { death })
  assert.equal([history.epochs, history.loss.length, history.valLoss.length], [3, 3, 2])
  const { records } = await live(validated(), dir)
  assert.ok(records.every(({ valLoss }) => valLoss > 0))
})

const patient = (more = {}) =>
  validated({ epochs: 30, callbacks: [earlyStopping({ patience: 2, minimumDelta: 0.02, restoreBest: true })], ...more })

test('a run that was stopped early trains nothing when it is resumed: history, weights and the best epoch are there', async () => {
  const dir = newDir()
  const whole = await uninterrupted(patient())
  assert.is(whole.stoppedBy, 'earlyStopping')
  assert.ok(whole.epochs < 30 && whole.best < whole.epochs)
  const first = await afterDeaths(patient(), dir)
  assert.equal(first.result, whole)
  let trained = 0
  const callbacks = [{ onEpochBegin: () => trained++, onStepsEnd: () => trained++ }]
  for (const epochs of [30, 60, 1]) {
    const again = await live(patient(), dir, { epochs, callbacks })
    assert.equal([again.result, trained], [whole, 0])
    assert.equal(
      again.records.map(({ epoch }) => epoch),
      Array.from({ length: whole.epochs }, (_, i) => i + 1),
    )
    assert.equal(again.best, first.best)
  }
})

test('a run of all its epochs ends at once, and with more goes on as if it had had them from the start', async () => {
  const dir = newDir()
  const five = await uninterrupted(validated({ epochs: 5 }))
  assert.equal((await afterDeaths(validated({ epochs: 5 }), dir)).result, five)
  assert.equal((await live(validated({ epochs: 5 }), dir)).result, five)
  assert.equal((await live(validated({ epochs: 9 }), dir)).result, await uninterrupted(validated({ epochs: 9 })))
  const whole = newDir()
  await uninterrupted(validated({ epochs: 9, dir: whole }))
  sameRecording(dir, whole)
})

test('a run that a callback has ended within an epoch is complete: it ends at once with the same history', async () => {
  const dir = newDir()
  let calls = 0
  const ending = { onStepsEnd: ({ stop }) => ++calls === 12 && stop('enough') }
  const first = await live(validated({ callbacks: [ending] }), dir)
  assert.equal([first.result.stoppedBy, first.result.epochs, first.result.step], ['enough', 2, 24])
  const again = await live(validated({ callbacks: [ending] }), dir, { epochs: 20 })
  assert.equal([again.result, calls], [first.result, 12])
})

test('what leaving a loop and maxSeconds have stopped goes on', async () => {
  const dir = newDir()
  const begin = (more) => {
    const { model, data, options } = validated()(() => {})
    const run = model.fit(data, { ...options, batchSize: 4, quiet: true, dir, resume: true, ...more })
    return run
  }
  for await (const { epoch } of begin()) if (epoch === 3) break
  // An earlier epoch comes from the history: leaving there is leaving too.
  for await (const { epoch } of begin()) if (epoch === 2) break
  assert.is((await begin({ epochs: 1e6, maxSeconds: 0.001 })).stoppedBy, 'maxSeconds')
  const { epochs } = await begin({ epochs: 1 })
  const whole = validated({ epochs: epochs + 2 })
  assert.equal((await live(whole, dir)).result, await uninterrupted(whole))
})

/** What is recorded of both; processes apart. */
function sameRecording(dir, whole) {
  const [{ begins: _, ...one }, { begins: __, ...other }] = [recorded(dir), recorded(whole)]
  assert.equal(one, other)
}
const watching = () => [monitor({ histograms: 3 })]

test('the recording of a run interrupted in validation and between epochs has each row once', async () => {
  const [dir, whole] = [newDir(), newDir()]
  await uninterrupted(validated({ callbacks: watching(), dir: whole }))
  const deaths = [
    ...inValidation('abort', 2, 1),
    { by: 'error', event: 'onEpochEnd', count: 1 },
    { by: 'error', event: 'onEpochBegin', count: 2 },
    { by: 'stop', event: 'onEpochEnd', count: 1 },
  ]
  await afterDeaths((happens) => validated({ callbacks: watching() })(happens), dir, deaths)
  sameRecording(dir, whole)
})

/** Rows whose sums overflow. */
const refusing = (bad, options) => () => {
  const x = data.x.slice()
  for (const row of bad) x.fill(1.5e38, 3 * row, 3 * row + 3)
  return { model: compiled(), data: { x, y: data.y }, options: { epochs: 4, shuffle: false, ...options } }
}

test('refused steps: the same bits, and the same recording', async () => {
  const make = (more) => () => refusing([5, 9, 23, 39], { callbacks: watching(), ...more })()
  const [dir, whole] = [newDir(), newDir()]
  const expected = await uninterrupted(make({ dir: whole }))
  const deaths = [1, 4, 3, 2, 6].map((count, i) => ({ by: i % 2 ? 'abort' : 'error', event: 'onStepsEnd', count }))
  assert.equal((await afterDeaths(make(), dir, deaths, { every: { steps: 1 } })).result, expected)
  sameRecording(dir, whole)
})

test('so many refused steps in a row end a run at the same step, wherever it was interrupted among them', async () => {
  // Of ten batches in an epoch from the fifth on all are refused.
  const bad = Array.from({ length: 24 }, (_, i) => 16 + i)
  const make = refusing(bad, { maxRefusedSteps: 5, stepsPerCall: 1 })
  const wanted = await failure(() => uninterrupted(make))
  assert.is(wanted.code, 'GRADUS_NON_FINITE')
  const dir = newDir()
  const { isDead } = await live(make, dir, { death: { by: 'abort', event: 'onStepsEnd', count: 6 } })
  assert.ok(isDead)
  let calls = 0
  const callbacks = [{ onStepsEnd: () => calls++ }]
  const error = await failure(() => live(make, dir, { callbacks }))
  assert.equal([error.message, calls], [wanted.message, 3])
})

test.run()
