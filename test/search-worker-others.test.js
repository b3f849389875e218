// What others do to a worker's trials: they ask for an end, or leave records that nobody can read.
import fs, { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStudy } from '../dist/search/definition/define-study.js'
import { describeStudy } from '../dist/search/definition/describe.js'
import { random } from '../dist/search/samplers/random.js'
import { uniform } from '../dist/search/space/parameters.js'
import { Search } from '../dist/search/worker/search.js'
import { runWorker } from '../dist/search/worker/worker.js'
import {
  enqueueTrial,
  makeStudy,
  readTrial,
  requestStop,
  StudyReader,
  stopTrial,
  takeTrial,
} from '../dist/study/index.js'
import { draft, studyPlace } from './support/studies.js'
import { until } from './support/until.js'

const test = suite('search worker, others')
const place = studyPlace(test, 'worker-others')

const square = (change = {}) =>
  defineStudy({
    ...{ metric: 'value', direction: 'minimize', trials: 12, sampler: random() },
    space: { x: uniform(-1, 1) },
    trial: ({ params }) => params.x ** 2,
    ...change,
  })

const work = (dir, definition, change = {}) =>
  runWorker({ dir, definition, name: 'here.1', threads: 1, signal: new AbortController().signal, ...change })

const trialsOf = async (dir) => (await StudyReader.open(dir)).trials

test('a stop is heard at once, though no clock goes on, and is not one of the other trials', async () => {
  const dir = place.next()
  const { setInterval } = globalThis
  // What looks now and then never does.
  globalThis.setInterval = () => ({ unref() {} })
  try {
    const trial = async ({ number, signal }) => {
      if (number !== 1) return number
      const request = { by: 'a person', why: 'enough' }
      const [other, own] = await trialsOf(dir)
      await requestStop(other.path, request)
      assert.is(signal.aborted, false)
      assert.is(await stopTrial(own, request), 'asked')
      await until(() => signal.aborted)
      return number
    }
    await work(dir, square({ trials: 3, trial }))
  } finally {
    globalThis.setInterval = setInterval
  }
  const trials = await trialsOf(dir)
  assert.equal(
    trials.map(({ state }) => state),
    ['complete', 'stopped', 'complete'],
  )
  assert.match(trials[1].last.record.reason, 'a person: enough')
})

test('where nothing tells of changes, a stop is still seen at the next look', async () => {
  const dir = place.next()
  const { watch } = fs
  fs.watch = () => {
    throw Object.assign(new Error('too many are watched'), { code: 'EMFILE' })
  }
  syncBuiltinESMExports()
  try {
    const trial = async ({ signal }) => {
      await stopTrial((await trialsOf(dir))[0], { by: 'a person', why: 'enough' })
      await until(() => signal.aborted)
    }
    await work(dir, square({ trials: 1, trial }))
  } finally {
    fs.watch = watch
    syncBuiltinESMExports()
  }
  assert.is((await trialsOf(dir))[0].state, 'stopped')
})

test('a trial whose first record is torn is lost when nobody keeps it alive, and the search goes on', async () => {
  const dir = place.next()
  await work(dir, square({ trials: 3 }))
  const [{ path: running }, { path: waiting }] = await trialsOf(dir)
  rmSync(join(running, '2.json'))
  const paused = { format: 1, type: 'paused', of: 1, epoch: 0, value: null, details: null, time: '' }
  writeFileSync(join(waiting, '2.json'), JSON.stringify(paused))
  for (const path of [running, waiting]) {
    writeFileSync(join(path, '1.json'), readFileSync(join(path, '1.json')).subarray(0, 100))
  }
  await work(dir, square({ trials: 4 }), { lease: 40 })
  const trials = await trialsOf(dir)
  assert.equal(
    trials.map(({ state }) => state),
    ['lost', 'lost', 'complete', 'complete'],
  )
  for (const { last } of trials.slice(0, 2)) assert.match(last.record.reason, '1.json')
})

test('a worker goes on with the first trial that nobody has taken, past what is gone, and what waits for the pruner', async () => {
  const dir = place.next()
  const definition = square({ trials: 300 })
  await makeStudy(dir, describeStudy(definition, null))
  const suggested = (x) => ({ params: { x }, seed: 1, stage: 1, suggestedBy: 'person', results: [] })
  for (let number = 0; number < 300; number++) await enqueueTrial(dir, number, suggested(number / 300), draft)
  const search = await Search.open(dir, definition)
  const isNext = async (number) => assert.is((await search.firstFree())?.number ?? null, number)
  const take = (number) => takeTrial(readTrial(number, search.reader.trial(number).path), draft)
  await isNext(0)
  const held = await take(0)
  for (const number of [1, 2]) await take(number)
  await isNext(3)
  assert.equal(
    search.held.map(({ number }) => number),
    [0, 1, 2],
  )
  await held.pause({ epoch: 1, value: 0, details: { reason: 'pruner' } })
  await search.refresh()
  await isNext(3)
  const second = await takeTrial(search.reader.trial(0), draft)
  await second.pause({ epoch: 1, value: 0, details: { reason: 'interrupted' } })
  await search.reader.refresh({ all: true })
  await isNext(0)
  for (const number of [0, 3]) rmSync(search.reader.trial(number).path, { recursive: true })
  await search.reader.refresh({ all: true })
  await isNext(4)
  // One that a pruner would have taken too: it is looked at, whoever's turn it is.
  for (const number of [140, 200, 250, 290]) {
    await take(number)
    await search.refresh(number)
    assert.is(search.reader.trial(number).state, 'running')
  }
  for (let number = 4; number < 300; number++) if (search.reader.trial(number).state === 'paused') await take(number)
  await isNext(null)
})

test('a disk that is full while a trial is taken over costs time, and none of its retries', async () => {
  const dir = place.next()
  await work(dir, square({ trials: 1 }))
  const [{ path }] = await trialsOf(dir)
  rmSync(join(path, '2.json'))
  mkdirSync(join(path, 'run.1'), { recursive: true })
  writeFileSync(join(path, 'run.1', 'notes'), 'so far')
  const { copyFile } = fs.promises
  let failures = 0
  fs.promises.copyFile = async (...files) => {
    if (++failures <= 2) throw Object.assign(new Error('no space is left'), { code: 'ENOSPC' })
    await copyFile(...files)
  }
  syncBuiltinESMExports()
  try {
    await work(dir, square({ trials: 1, retries: 1 }), { lease: 40 })
  } finally {
    fs.promises.copyFile = copyFile
    syncBuiltinESMExports()
  }
  const [{ state, takeovers }] = await trialsOf(dir)
  assert.equal([state, takeovers, failures], ['complete', 1, 3])
  assert.is(readFileSync(join(path, 'run.2', 'notes'), 'utf8'), 'so far')
})

test.run()
