// The master of a search: what it tells of, with workers that are made to end at the worst moment.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runMaster } from '../dist/search/master/master.js'
import { Beats, createTrial, StudyReader } from '../dist/study/index.js'
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

test.run()
