// Workers of a study: what they pick, what becomes of trials, and that nothing of it depends on how many there are.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { adam, dense, dropout, loadModel, relu, sequential, softmaxCrossEntropy } from '../dist/index.js'
import { defineStudy } from '../dist/search/definition/define-study.js'
import { asha } from '../dist/search/pruners/asha.js'
import { grid } from '../dist/search/samplers/grid.js'
import { random } from '../dist/search/samplers/random.js'
import { tpe } from '../dist/search/samplers/tpe/tpe.js'
import { choice, integer, logUniform, uniform } from '../dist/search/space/parameters.js'
import { runWorker } from '../dist/search/worker/worker.js'
import { readStages, StudyReader, takeTrial } from '../dist/study/index.js'
import { studyPlace } from './support/studies.js'

const test = suite('search worker')
const place = studyPlace(test, 'worker')

const square = (change = {}) =>
  defineStudy({
    metric: 'value',
    direction: 'minimize',
    trials: 12,
    sampler: random(),
    space: { x: uniform(-1, 1) },
    trial: ({ params }) => params.x ** 2,
    ...change,
  })

const work = (dir, definition, name = 'here.1', change = {}) =>
  runWorker({ dir, definition, name, threads: 1, signal: new AbortController().signal, ...change })

const all = (dir, definition, workers, change) =>
  Promise.all(Array.from({ length: workers }, (_, i) => work(dir, definition, `here.${i + 1}`, change)))

const trialsOf = async (dir) => (await StudyReader.open(dir)).trials

const nextTo = (x) => Float32Array.from({ length: 200 * 4 }, (_, i) => Math.sin(i * x))
const x = nextTo(1.7)
const y = Int32Array.from({ length: 200 }, (_, i) => (x[4 * i] + x[4 * i + 1] > 0 ? 1 : 0))
const build = ({ learningRate }) =>
  sequential({ input: [4], seed: 3 }, [dense(8), relu(), dropout(0.2), dense(2)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate }),
    metrics: ['accuracy'],
  })
const training = (change = {}) =>
  defineStudy({
    metric: 'valAccuracy',
    direction: 'maximize',
    epochs: 9,
    trials: 8,
    sampler: random(),
    space: { learningRate: logUniform(1e-4, 0.1) },
    trial: ({ params, fit }) => fit(build(params), { x, y }, { validationSplit: 0.25, batchSize: 16 }),
    ...change,
  })

test('a trial that is told to pause between the end of an epoch and its report has no hole in its curve', async () => {
  const dir = place.next()
  const [controller, calm] = [new AbortController(), place.next()]
  const onEpochEnd = ({ epoch }) => (epoch === 3 ? controller.abort() : undefined)
  const study = (callbacks) =>
    training({
      trials: 1,
      trial: ({ params, fit }) => fit(build(params), { x, y }, { validationSplit: 0.25, callbacks }),
    })
  assert.is(await work(dir, study([{ onEpochEnd }]), 'here.1', { signal: controller.signal }), 'paused')
  const [{ epochs }] = await trialsOf(dir)
  assert.equal(epochs, [1, 2, 3])
  await work(dir, study([]))
  await work(calm, study([]))
  const curves = await Promise.all([dir, calm].map(async (one) => (await trialsOf(one)).map(({ values }) => values)))
  assert.equal(curves[0], curves[1])
})

test('each trial is trained and recorded once, by one worker or three', async () => {
  const lists = []
  for (const workers of [1, 3]) {
    const dir = place.next()
    assert.equal(await all(dir, square(), workers), Array(workers).fill('done'))
    const trials = await trialsOf(dir)
    assert.equal(
      trials.map(({ number }) => number),
      [...Array(12).keys()],
    )
    for (const { state, suggestion, last, next } of trials) {
      assert.is(state, 'complete')
      assert.is(next, 3)
      assert.is(last.record.value, suggestion.params.x ** 2)
    }
    lists.push(trials.map(({ suggestion }) => suggestion.params))
  }
  assert.equal(lists[0], lists[1])
})

test('a finite space ends when each of its points has been tried', async () => {
  for (const sampler of [random(), grid()]) {
    const dir = place.next()
    const space = { a: integer(1, 4), b: choice(['u', 'v', 'w']) }
    const definition = square({ space, sampler, trials: 100, trial: ({ params }) => params.a })
    assert.equal(await all(dir, definition, 3), Array(3).fill('exhausted'))
    const points = (await trialsOf(dir)).map(({ suggestion }) => JSON.stringify(suggestion.params))
    assert.is(points.length, 12)
    assert.is(new Set(points).size, 12)
  }
})

test('reproducible: one, two and four workers that take their time come to the same trials', async () => {
  const lists = []
  for (const workers of [1, 2, 4]) {
    const dir = place.next()
    const trial = async ({ params }) => {
      await setTimeout(30 * Math.random())
      return params.x ** 2
    }
    await all(dir, square({ sampler: tpe(), reproducible: true, parallel: 3, trials: 25, trial }), workers)
    lists.push((await trialsOf(dir)).map(({ suggestion }) => suggestion.params.x))
  }
  assert.is(lists[0].length, 25)
  assert.equal(lists[1], lists[0])
  assert.equal(lists[2], lists[0])
})

test('a trial that pauses and is promoted has the bits of one that never paused', async () => {
  const [never, paused] = [place.next(), place.next()]
  await work(never, training())
  await all(paused, training({ pruner: asha({ reduction: 2 }) }), 2)
  const whole = await trialsOf(never)
  const complete = (await trialsOf(paused)).filter(({ state }) => state === 'complete')
  assert.ok(complete.length >= 1)
  for (const trial of complete) {
    // It was judged after 1, 2, 4 and 8 epochs.
    assert.equal(trial.values, whole[trial.number].values)
    assert.equal(await bitsOf(trial), await bitsOf(whole[trial.number]))
  }
  assert.ok((await trialsOf(paused)).some(({ state }) => state === 'paused'))
})

test('asha pauses a trial and promotes it three times and more, and it comes to the bits of one that never paused', async () => {
  const [never, paused] = [place.next(), place.next()]
  // The first one is the best at each rung; whoever comes next has it promoted.
  const rates = [0.03, 1e-4, 5e-5, 2e-5, 1e-5, 5e-6, 2e-6, 1e-6]
  const space = { learningRate: choice(rates) }
  const study = (change) => training({ metric: 'valLoss', direction: 'minimize', sampler: grid(), space, ...change })
  await work(never, study())
  await work(paused, study({ pruner: asha({ reduction: 2 }) }))
  const [whole] = await trialsOf(never)
  const [trial] = await trialsOf(paused)
  assert.is(trial.suggestion.params.learningRate, rates[0])
  const changes = [...trial.changes.values()]
  const pauses = changes.filter(({ type }) => type === 'paused').map(({ epoch }) => epoch)
  assert.equal(pauses, [1, 2, 4, 8])
  assert.is(changes.filter(({ reason }) => reason === 'promoted').length, pauses.length)
  assert.is(trial.state, 'complete')
  assert.equal(trial.values, whole.values)
  assert.equal(await bitsOf(trial), await bitsOf(whole))
})

/** The one checkpoint that is kept: its name, and the weights in it. */
async function bitsOf({ path }) {
  const folder = join(path, 'run.1/checkpoints')
  const names = readdirSync(folder)
  assert.is(names.length, 1)
  const bytes = await (await loadModel(join(folder, names[0]))).toBuffer()
  const header = Number(Buffer.from(bytes).readBigUInt64LE(0))
  const tensors = Buffer.from(bytes).subarray(8 + header)
  return [names[0], createHash('sha256').update(tensors).digest('hex')]
}

test('what is interrupted waits with its checkpoint, and goes on to the same bits', async () => {
  const [never, dir] = [place.next(), place.next()]
  const definition = training({ trials: 2, epochs: 12 })
  await work(never, definition)
  const controller = new AbortController()
  const onEvent = ({ type, epoch }) => type === 'report' && epoch === 3 && controller.abort()
  assert.is(await work(dir, definition, 'here.1', { signal: controller.signal, onEvent }), 'paused')
  const [first] = await trialsOf(dir)
  assert.is(first.state, 'paused')
  assert.equal(first.last.record.details, { reason: 'interrupted' })
  assert.is(await work(dir, definition), 'done')
  const values = (trials) => trials.map(({ values }) => values)
  assert.equal(values(await trialsOf(dir)), values(await trialsOf(never)))
})

test('a trial whose worker is gone is taken over, and lost when that happens too often', async () => {
  const dir = place.next()
  await work(dir, square({ trials: 1 }))
  // A process that claims the next number, and is gone.
  const claims = `
    import { createTrial } from ${JSON.stringify(new URL('../dist/study/index.js', import.meta.url).href)}
    const suggestion = { params: { x: 0.5 }, seed: 1, stage: 1, suggestedBy: 'random', results: [] }
    await createTrial(${JSON.stringify(dir)}, 1, suggestion, { worker: 'gone', budget: null })`
  execFileSync(process.execPath, ['--input-type=module', '-e', claims])
  assert.is((await trialsOf(dir))[1].state, 'running')
  await work(dir, square({ trials: 2 }))
  const [, taken] = await trialsOf(dir)
  assert.is(taken.state, 'complete')
  assert.is(taken.takeovers, 1)
  assert.is(taken.last.record.value, 0.25)

  const other = place.next()
  await work(other, square({ trials: 1, retries: 0 }))
  execFileSync(process.execPath, ['--input-type=module', '-e', claims.replace(dir, other)])
  await work(other, square({ trials: 2, retries: 0 }))
  assert.is((await trialsOf(other))[1].state, 'lost')
})

test('a worker whose trial was taken from it records nothing of it, and goes on with another', async () => {
  const dir = place.next()
  let isFirst = true
  const trial = async ({ params, number, dir: run, report }) => {
    if (number !== 0 || !isFirst) return params.x ** 2
    isFirst = false
    const path = join(run, '..')
    const seen = (await trialsOf(dir))[0]
    // As another worker would that has not seen it beat for a lease.
    const held = await takeTrial({ ...seen, path }, { worker: 'other', budget: null })
    await held.finish({ state: 'complete', epoch: 0, value: 42, reason: null, details: null })
    await report(1)
  }
  const ends = []
  await work(dir, square({ trials: 3, trial }), 'here.1', { onEvent: (e) => e.type === 'end' && ends.push(e) })
  assert.equal(
    ends.map(({ state }) => state),
    ['taken', 'complete', 'complete'],
  )
  const [first] = await trialsOf(dir)
  assert.is(first.last.record.value, 42)
  assert.is(first.next, 4)
})

test('stages narrow to where the best were, go on beyond a border, and say so', async () => {
  const dir = place.next()
  const stages = [
    { trials: 30, epochs: 1 },
    { trials: 15, epochs: 2 },
  ]
  const space = { rate: logUniform(1e-6, 10), hidden: integer(32, 512, { log: true }), kind: choice(['a', 'b']) }
  const trial = ({ params: { rate, hidden, kind }, epochs }) =>
    epochs / 10 - (Math.log10(rate) + 3) ** 2 / 10 + 10 * Math.log2(hidden / 32) + (kind === 'a' ? 90 : 0)
  const notes = []
  const onEvent = (event) => event.type === 'note' && notes.push(event.text)
  const definition = square({ direction: 'maximize', trials: undefined, stages, space, trial })
  // Two come to the same, and one of them tells of it.
  await all(dir, definition, 2, { onEvent })
  const [{ record }] = await readStages(dir)
  const { rate, hidden, kind } = record.parameters
  assert.equal(kind.values, ['a'])
  assert.ok(rate.low > 1e-6 || rate.high < 10)
  const trials = await trialsOf(dir)
  const first = trials.filter(({ suggestion }) => suggestion.stage === 1)
  assert.is(first.length, 30)
  // By hand: the best fifth, on the logarithm, and a tenth of their stretch.
  const best = first.sort((a, b) => b.last.record.value - a.last.record.value).slice(0, 6)
  assert.equal(
    record.best,
    best.map(({ number }) => number),
  )
  const logs = best.map(({ suggestion }) => Math.log10(suggestion.params.rate))
  const margin = (Math.max(...logs) - Math.min(...logs)) / 10
  assert.ok(Math.abs(Math.log10(rate.low) - Math.max(-6, Math.min(...logs) - margin)) < 0.005)
  assert.ok(Math.abs(Math.log10(rate.high) - Math.min(1, Math.max(...logs) + margin)) < 0.005)
  const top = best[0].suggestion.params.hidden
  assert.ok(Math.log2(top / 32) > 3.6)
  assert.is(hidden.high, 1024)
  assert.is(notes.length, 2)
  assert.match(notes[0], 'stage 2 looks at rate')
  assert.match(notes[1], `border: hidden ${top}, the best of stage 1`)
  for (const { suggestion } of trials.filter((trial) => trial.suggestion.stage === 2)) {
    assert.ok(suggestion.params.rate >= rate.low && suggestion.params.rate <= rate.high)
    assert.is(suggestion.params.kind, 'a')
  }
})

test('what is not finite or grows tenfold has exploded; what throws has failed; both are told of', async () => {
  const dir = place.next()
  const trial = ({ number }) => {
    if (number === 0) return Number.NaN
    if (number === 1) throw new Error('no such file')
    return number === 2 ? 'a word' : 1
  }
  await work(dir, square({ trials: 4, trial }))
  const trials = await trialsOf(dir)
  assert.equal(
    trials.map(({ state }) => state),
    ['exploded', 'failed', 'failed', 'complete'],
  )
  assert.match(trials[1].last.record.reason, 'no such file')
  assert.match(trials[2].last.record.reason, 'trial: expected a number')

  const wild = place.next()
  await work(wild, training({ trials: 1, space: { learningRate: uniform(500, 1000) } }))
  const [exploded] = await trialsOf(wild)
  assert.is(exploded.state, 'exploded')
  assert.match(exploded.last.record.reason, 'times the initial')
})

test('five failures at the begin end the search with the text of the first; later it can go on', async () => {
  const dir = place.next()
  let isBroken = true
  const trial = ({ number }) => {
    if (isBroken) throw new Error(`disk ${number} is not there`)
    return number
  }
  const definition = square({ trials: 20, trial })
  const error = await work(dir, definition).then(assert.unreachable, (error) => error)
  assert.is(error.code, 'GRADUS_SEARCH_FAILED')
  assert.match(error.message, 'disk 0 is not there')
  assert.is((await trialsOf(dir)).length, 5)
  isBroken = false
  assert.is(await work(dir, definition), 'done')
  assert.is((await trialsOf(dir)).length, 20)
})

test('of finished trials the ten best keep their best checkpoint, in best as well', async () => {
  const dir = place.next()
  await work(dir, training({ trials: 13, epochs: 2 }))
  const trials = await trialsOf(dir)
  const ranked = [...trials].sort((a, b) => b.last.record.value - a.last.record.value || a.number - b.number)
  const kept = (trial) => readdirSync(join(trial.path, 'run.1/checkpoints')).length
  assert.equal(ranked.map(kept), [...Array(10).fill(1), 0, 0, 0])
  const names = readdirSync(join(dir, 'best')).sort().reverse()
  assert.is(names.length, 10)
  assert.match(names[0], `trial=${String(ranked[0].number).padStart(5, '0')}`.slice(0, 6))
})

test('folds: the mean of as many runs; trials more than were planned make a plan', async () => {
  const dir = place.next()
  const trial = ({ params, fold }) => params.x ** 2 + fold
  await work(dir, square({ trials: 3, folds: 3, trial }))
  for (const { suggestion, last } of await trialsOf(dir)) {
    assert.ok(Math.abs(last.record.value - (suggestion.params.x ** 2 + 1)) < 1e-12)
    assert.ok(Math.abs(last.record.details.spread - 1) < 1e-12)
  }
  await work(dir, square({ trials: 5, folds: 3, trial }))
  assert.is((await trialsOf(dir)).length, 5)
})

test('what the search gives itself, and what a study cannot be, is refused by name', async () => {
  const refused = (make, text) => {
    const error = assert.throws(
      make,
      (error) => error.code === 'GRADUS_INVALID_ARGUMENT' && error.message.includes(text),
    )
    return error
  }
  refused(() => square({ space: {} }), 'space')
  refused(() => square({ direction: 'up' }), 'direction')
  refused(() => square({ pruner: asha() }), 'epochs: expected a number, as asha judges by epochs')
  refused(() => square({ stages: [{ trials: 1, epochs: 1 }] }), 'trials: expected none beside stages')
  refused(() => square({ epochs: 3, pruner: asha(), reproducible: true }), 'reproducible')
  refused(() => square({ sampler: grid() }), 'x has no steps')
  refused(() => square({ metrics: 'value' }), 'metric')
  const dir = place.next()
  await work(
    dir,
    training({ trials: 1, trial: ({ params, fit }) => fit(build(params), { x, y }, { dir: 'elsewhere' }) }),
  )
  assert.match((await trialsOf(dir))[0].last.record.reason, 'fit: dir: expected none, as the study gives it')
  const error = await work(dir, training({ space: { learningRate: uniform(0, 1) } })).catch((error) => error)
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(error.message, 'another space')
})

test.run()
