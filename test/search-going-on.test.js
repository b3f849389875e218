// What a study goes on with: a wider space, other studies' results, weights of the stage before, a cache, a time that is up.
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dense, relu, sequential, sgd, softmaxCrossEntropy } from '../dist/index.js'
import { choice, createStudy, defineStudy, grid, integer, openStudy, random, uniform } from '../dist/search/index.js'
import { loadStudy } from '../dist/search/load-study.js'
import { StuckTrials } from '../dist/search/master/stuck.js'
import { StudyReader } from '../dist/study/index.js'
import { failure } from './support/reference.js'
import { startCommand, writeStudy } from './support/search-studies.js'
import { studyPlace } from './support/studies.js'

const test = suite('search going on')
const { next } = studyPlace(test, 'going-on')
const trialsOf = async (dir) => (await StudyReader.open(dir, { index: false })).trials
const define = (change = {}) =>
  defineStudy({
    metric: 'value',
    direction: 'minimize',
    trials: 6,
    sampler: random(),
    space: { x: uniform(0, 1) },
    trial: ({ params }) => params.x,
    ...change,
  })
const optimize = async (definition, options, more) => {
  const study = await createStudy(definition, options)
  return await study.optimize({ quiet: true, ...more })
}

/** A sampler that writes down what it was told of. */
function watched() {
  const told = []
  const inner = random()
  return { told, sampler: { ...inner, suggest: (asked) => told.push(asked.trials) && inner.suggest(asked) } }
}

test('a wider space must be asked for; what was tried in the old one stays, and counts', async () => {
  const dir = next()
  const of = (high, change) =>
    define({
      space: { n: integer(1, high), c: choice(['a']) },
      sampler: grid(),
      trial: ({ params }) => params.n,
      ...change,
    })
  assert.is(await optimize(of(3), { dir }), 'exhausted')
  const error = await failure(() => createStudy(of(5), { dir }))
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(error.message, 'another space')
  assert.is(await optimize(of(5), { dir, extend: true }), 'exhausted')
  const numbers = (await trialsOf(dir)).map(({ suggestion }) => suggestion.params.n)
  assert.equal(numbers, [1, 2, 3, 4, 5])
  // From now on that is the study's space.
  assert.is(await optimize(of(5), { dir }), 'exhausted')
  assert.is((await failure(() => createStudy(of(3), { dir }))).code, 'GRADUS_INVALID_ARGUMENT')
})

test('--extend: the command goes on in the wider space of the file', async () => {
  const folder = next()
  mkdirSync(folder, { recursive: true })
  const dir = join(folder, 'study')
  const search = (...more) => startCommand('search', file, '--dir', dir, '--no-page', '--workers', '1', ...more).ended
  let file = writeStudy(folder, { trials: 2 })
  assert.is((await search()).code, 0)
  file = writeStudy(folder, { trials: 4, rest: 'space: { x: uniform(0, 9) },' })
  const refused = await search('--allow-changed')
  assert.is(refused.code, 2)
  assert.match(refused.err, /another space/)
  const extended = await search('--extend')
  assert.is(extended.code, 0, extended.err)
  const [a, b, c, d] = (await trialsOf(dir)).map(({ suggestion }) => suggestion.params.x)
  assert.ok(a <= 1 && b <= 1 && Math.max(c, d) > 1, `${[a, b, c, d]}`)
})

test('startFrom: the sampler is told of what another study has found, and none of it counts as a trial', async () => {
  const [other, dir] = [next(), next()]
  await optimize(define(), { dir: other })
  const { told, sampler } = watched()
  await optimize(define({ startFrom: [other], sampler, seed: 3, trials: 2 }), { dir })
  const found = (await trialsOf(other)).map(({ suggestion, last }) => [suggestion.params, last.record.value])
  assert.equal(
    told[0].map(({ params, value }) => [params, value]),
    found,
  )
  assert.is(told.at(-1).length, 7)
  assert.is((await trialsOf(dir)).length, 2)
  assert.is(
    (
      await failure(() =>
        createStudy(define({ startFrom: [next()] }), { dir: next() }).then((study) => study.optimize()),
      )
    ).code,
    'GRADUS_BAD_FILE',
  )
})

const x = Float32Array.from({ length: 100 * 4 }, (_, i) => Math.sin(1.7 * i))
const y = Int32Array.from({ length: 100 }, (_, i) => (x[4 * i] > 0 ? 1 : 0))

test("initial: 'best': trials of a stage begin with the best weights of the stage before", async () => {
  const dir = next()
  const given = []
  const stages = [
    { trials: 4, epochs: 2 },
    { trials: 2, epochs: 1 },
  ]
  const trial = async ({ fit, params, initial, number }) => {
    given.push([number, initial])
    const model = sequential({ input: [4], seed: 1 }, [dense(6), relu(), dense(2)])
    // The second stage changes nothing that could be seen.
    const learningRate = initial === null ? params.rate : 1e-30
    await fit(
      model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate }) }),
      { x, y },
      { validationSplit: 0.3 },
    )
  }
  const space = { rate: uniform(0.01, 0.5) }
  await optimize(define({ metric: 'valLoss', trials: undefined, stages, initial: 'best', space, trial }), { dir })
  const trials = await trialsOf(dir)
  const first = trials.filter(({ suggestion }) => suggestion.stage === 1)
  const [best] = [...first].sort((a, b) => a.last.record.value - b.last.record.value)
  assert.equal(
    given.slice(0, 4),
    [0, 1, 2, 3].map((number) => [number, null]),
  )
  for (const [, initial] of given.slice(4)) assert.ok(initial.startsWith(best.path), `${initial} of ${best.path}`)
  for (const { last } of trials.slice(4)) assert.ok(Math.abs(last.record.value - best.last.record.value) < 1e-6)
})

test('a trial that reports nothing for so long fails; its signal has said so', async () => {
  const dir = next()
  const trial = async ({ number, signal, report }) => {
    await report(1)
    if (number !== 0) return 1
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    throw signal.reason
  }
  await optimize(define({ timeout: 0.2, trials: 2, trial }), { dir })
  const [silent] = await trialsOf(dir)
  assert.is(silent.state, 'failed')
  assert.match(silent.last.record.reason, 'timeout: no report for 0.2 s after epoch 1')
})

test('a trial is shown as stuck after ten times the median epoch, and ten minutes at least', () => {
  let now = 0
  const stuck = new StuckTrials(() => now)
  const claim = { number: 1, record: { time: '2026-01-01T00:00:00Z' } }
  const ended = (number, seconds) => ({
    ...{
      number,
      state: 'complete',
      claim,
      epochs: [1, 2],
      values: [0, 0],
      changes: new Map([
        [1, { type: 'claim', time: '2026-01-01T00:00:00Z' }],
        [
          2,
          {
            type: 'result',
            of: 1,
            epoch: 2,
            state: 'complete',
            time: new Date(Date.parse('2026-01-01T00:00:00Z') + 1000 * seconds).toISOString(),
          },
        ],
      ]),
    },
    last: {
      number: 2,
      record: {
        type: 'result',
        epoch: 2,
        state: 'complete',
        time: new Date(Date.parse('2026-01-01T00:00:00Z') + 1000 * seconds).toISOString(),
      },
    },
  })
  const running = (epochs) => ({
    number: 9,
    state: 'running',
    claim,
    epochs,
    values: epochs,
    last: { number: 1, record: claim.record },
    changes: new Map(),
  })
  const at = (seconds, epochs, ...others) => {
    now = 1000 * seconds
    stuck.look([running(epochs), ...others])
    return stuck.isStuck(running(epochs))
  }
  assert.equal([at(0, []), at(599, []), at(600, []), at(601, [1]), at(1201, [1])], [false, false, true, false, true])
  // Two epochs in 200 s: a thousand seconds are nothing strange.
  assert.equal(
    [at(1300, [1, 2], ended(1, 200)), at(2299, [1, 2], ended(1, 200)), at(2300, [1, 2], ended(1, 200))],
    [false, false, true],
  )
})

test('the master keeps a cache of what has ended: the same trials with it and without', async () => {
  const dir = next()
  await optimize(define(), { dir }, { workers: 2 })
  const caches = () => readdirSync(join(dir, 'masters')).filter((name) => name.startsWith('index.'))
  assert.equal(caches(), ['index.1.bin'])
  await optimize(define({ trials: 9 }), { dir })
  assert.is(caches().length, 1)
  assert.not.equal(caches(), ['index.1.bin'], 'that of the newest master')
  const told = ({ number, state, epochs, values, last }) => [number, state, epochs, values, last.record.value]
  const [cached, read] = [await StudyReader.open(dir), await StudyReader.open(dir, { index: false })]
  assert.is(cached.trials.length, 9)
  assert.equal(cached.trials.map(told), read.trials.map(told))
})

test('--for: a worker pauses its trial before its time is up, and that is no failure', async () => {
  const folder = next()
  mkdirSync(folder, { recursive: true })
  const dir = join(folder, 'study')
  const trial = `async ({ signal }) => {
    while (!signal.aborted) await setTimeout(10)
    throw signal.reason
  }`
  const { code, out, err } = await startCommand('worker', writeStudy(folder, { trial }), '--dir', dir, '--for', '4s')
    .ended
  assert.is(code, 0, err)
  assert.match(out, /: paused\n$/)
  // It may have had no time to begin one.
  const states = existsSync(join(dir, 'study.json')) ? (await trialsOf(dir)).map(({ state }) => state) : []
  assert.equal(states, Array(states.length).fill('paused'))
})

test('a study in TypeScript is read by tsx, where that is installed beside it', async () => {
  const folder = next()
  mkdirSync(folder, { recursive: true })
  symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(folder, 'node_modules'))
  const file = writeStudy(folder, {
    name: 'study.ts',
    trials: 2,
    trial: '({ params }: { params: { x: number } }): number => params.x',
  })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const { definition } = await loadStudy(file)
  assert.is(definition.trials, 2)
  const dir = join(folder, 'study')
  const { code, err } = await startCommand('search', file, '--dir', dir, '--no-page', '--workers', '1').ended
  assert.is(code, 0, err)
  assert.equal(
    (await (await openStudy(dir)).trials()).map(({ state }) => state),
    ['complete', 'complete'],
  )
})

test.run()
