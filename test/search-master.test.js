// The master of a search: what it tells of, with workers that are made to end at the worst moment.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Crew } from '../dist/search/master/crew.js'
import { runMaster } from '../dist/search/master/master.js'
import { Beats, createTrial, StudyReader } from '../dist/study/index.js'
import { failure } from './support/reference.js'
import { draft, ending, studyPlace, suggestion } from './support/studies.js'

const test = suite('search master')
const place = studyPlace(test, 'master')

/** A worker that does `work` when the master has just read the trials, and ends before it looks at anything else. */
function endingBehind(reader, work) {
  let end = null
  const executor = {
    name: 'in a test',
    start: (name) => ({ name, process: null, ended: new Promise((resolve) => (end = resolve)), pause() {}, kill() {} }),
  }
  const refresh = reader.refresh.bind(reader)
  reader.refresh = async () => {
    const changed = await refresh()
    if (end !== null) {
      await work()
      end('done')
      end = null
      await null
    }
    return changed
  }
  return executor
}

test('a trial that ends after the last look at the trials is told of before the search ends', async () => {
  const dir = await place.make()
  const reader = await StudyReader.open(dir)
  const beats = new Beats()
  const executor = endingBehind(reader, async () => {
    const held = await createTrial(dir, 0, suggestion(), { ...draft, beats })
    await held.finish(ending())
  })
  const told = []
  const end = await runMaster({
    ...{ reader, name: dir, executor, workers: 1, signal: new AbortController().signal },
    onTrial: ({ number, state }) => told.push([number, state]),
  })
  await beats.close()
  assert.is(end, 'done')
  assert.equal(told, [[0, 'complete']])
})

test('a trial whose worker does not answer is ended by the master, and so is the worker; another takes its place', async () => {
  const dir = await place.make()
  const reader = await StudyReader.open(dir)
  const beats = new Beats()
  // Its process beats on, as that of one does whose thread is blocked.
  const held = await createTrial(dir, 0, suggestion(), { ...draft, beats })
  const started = []
  const start = (name) => {
    const worker = { name, process: started.length === 0 ? process.pid : null, isKilled: false, pause() {} }
    worker.ended = new Promise((resolve) => {
      worker.kill = () => {
        worker.isKilled = true
        resolve({ crashed: 'SIGKILL' })
      }
      if (started.length > 0) resolve('done')
    })
    started.push(worker)
    return worker
  }
  const lines = []
  const end = await runMaster({
    ...{ reader, name: dir, executor: { name: 'in a test', start }, workers: 1, signal: new AbortController().signal },
    ...{ timeout: 0.05, patience: 0.05, onLine: (text) => lines.push(text) },
  })
  await beats.close()
  assert.is(end, 'done')
  const { state, last } = reader.trial(0)
  assert.equal([state, last.record.reason], ['failed', 'timeout: no report for 0.05 s, and no answer'])
  assert.equal(
    started.map(({ isKilled }) => isKilled),
    [true, false],
  )
  assert.match(lines.join(), /worker here\.1 has died \(SIGKILL\).*another takes its place/)
  // It wakes up, and is refused.
  assert.is((await failure(() => held.finish(ending()))).code, 'GRADUS_STALE_LEASE')
})

/** A crew whose workers die whenever the test says so. */
function mortalCrew(workers) {
  const [dies, lines] = [[], []]
  const start = (name) => {
    const ended = new Promise((resolve) => dies.push(() => resolve({ crashed: 'SIGKILL' })))
    return { name, process: null, ended, pause() {}, kill() {} }
  }
  const executor = { name: 'in a test', start }
  const crew = new Crew({ executor, workers, onLine: (text) => lines.push(text), onChange() {} })
  return { crew, dies, lines }
}

test('workers that die are started again as long as the search gets on, whoever of them does', async () => {
  const dir = await place.make()
  const held = await createTrial(dir, 0, suggestion(), draft)
  const reader = await StudyReader.open(dir)
  const { crew, dies, lines } = mortalCrew(2)
  const dieAndLook = async () => {
    for (const die of dies.splice(0)) die()
    await new Promise(setImmediate)
    crew.sawChanges(await reader.refresh())
    crew.look(reader.trials)
  }
  crew.look(reader.trials)
  for (let epoch = 1; epoch <= 10; epoch++) {
    await held.report(epoch, 0.5)
    await dieAndLook()
    assert.is(dies.length, 2, `after epoch ${epoch}`)
  }
  // Nothing goes on any more: three times each, and no more.
  for (let again = 1; again <= 3; again++) {
    await dieAndLook()
    assert.is(dies.length, 2, `again ${again}`)
  }
  await dieAndLook()
  assert.equal([dies.length, crew.running, crew.dead], [0, 0, ['here.1', 'here.2']])
  assert.match(lines.at(-1), 'it is not started again, as it has died too often while no trial got any further')
  await held.finish(ending())
})

test.run()
