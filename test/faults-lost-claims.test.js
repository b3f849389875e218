// Power that is lost while trials that waited are claimed, trained and ended: their claims are not synced, as whoever loses one
// loses no work. In each of a thousand states of the disk (`npm run soak:faults`; a few in `npm test`) what was told to be done is
// there, with its parameters, nothing else is taken for a result, and the search goes on.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runWorker } from '../dist/search/worker/worker.js'
import { hasEnded, StudyReader } from '../dist/study/index.js'
import { makeFiles, operationsOf, surviving } from './support/lost-writes.js'
import { numbers } from './support/reference.js'
import { isSoak, progress } from './support/sampled.js'
import { whyNoStrace } from './support/traced-save.js'
import { definition, params } from './support/waiting-study.js'

const states = isSoak ? 1000 : 40
const root = realpathSync(mkdtempSync(join(tmpdir(), 'gradus-lost-claims-')))
test.after(() => rmSync(root, { recursive: true }))

const lacking = whyNoStrace()
if (lacking) console.log(`Not tested: claims that are lost with the power. ${lacking}`)
else {
  const traced = join(root, 'traced')
  mkdirSync(traced)
  const operations = trace(traced)
  /** Of each trial what is promised, and behind which operation. */
  const promised = operations.flatMap(({ type, path }, at) => {
    const [, number, state] = (type === 'name' && /\/promised\/(\d+) (\w+)$/.exec(path)) || []
    return state ? [{ number: Number(number), state, at }] : []
  })

  test('the calls that were seen are all: together they make the study as it is', () => {
    const again = join(root, 'again')
    makeFiles(operations, again)
    assert.equal(filesIn(again), filesIn(traced))
    assert.equal(
      promised.map(({ number, state }) => `${number} ${state}`),
      ['0 complete', '1 paused', '1 complete', '2 complete', '5 stopped'],
    )
  })

  test(`in ${states} states after a loss of power what was promised is there, and the search goes on`, async () => {
    for (let number = 0; number < states; number++) {
      progress(number, states, 'power lost')
      assert.is(await lose(operations, number), null)
    }
  })

  const isOf = ({ path = '' }, pattern) => pattern.test(path)
  for (const [mistake, forgotten] of [
    [
      'a claim that what ends the trial does not put on the disk',
      ({ type, ...one }) => type === 'sync' && isOf(one, /\d\.json$/),
    ],
    [
      'the name of a trial that its end does not',
      ({ type, ...one }) => type === 'syncFolder' && isOf(one, /\/trials$/),
    ],
    [
      'the names of records that are not synced',
      ({ type, ...one }) => type === 'syncFolder' && isOf(one, /\/trials\/\d+$/),
    ],
  ]) {
    test(`${mistake} would be found`, async () => {
      const without = operations.map((operation) => (forgotten(operation) ? { type: 'none' } : operation))
      assert.ok(without.some(({ type }) => type === 'none'))
      let number = 0
      while (number < 500 && (await lose(without, number)) === null) number++
      assert.ok(number < 500)
    })
  }

  /** What is wrong with the study after a loss of power; null where nothing is. */
  async function lose(operations, number) {
    const chance = chances(number + 1)
    const count = Math.floor(chance() * (operations.length + 1))
    const place = join(root, 'lost')
    makeFiles(surviving(operations, count, chance), place)
    try {
      await check(
        join(place, 'study'),
        promised.filter(({ at }) => at < count),
      )
      return null
    } catch (error) {
      return `state ${number}, power lost behind ${count} of ${operations.length} operations: ${error.stack}`
    } finally {
      rmSync(place, { recursive: true })
    }
  }
}

const results = { 0: 0.2, 1: 0.4, 2: 0.5, 4: 0.6 }

async function check(study, kept) {
  // The last promise of a trial counts.
  const wanted = new Map(kept.map(({ number, state }) => [number, state]))
  if (wanted.size > 0) checkTrials((await StudyReader.open(study)).trials, wanted)
  await runWorker({
    ...{ dir: study, definition, name: 'after', threads: 1, signal: new AbortController().signal, lease: 1 },
  })
  const { trials } = await StudyReader.open(study)
  checkTrials(trials, new Map([...wanted].filter(([, state]) => state !== 'paused')))
  assert.is(trials.length, params.length)
  assert.ok(trials.every(hasEnded))
}

function checkTrials(trials, wanted) {
  for (const [number, state] of wanted) {
    const trial = trials.find((trial) => trial.number === number)
    assert.ok(trial, `trial ${number} is gone`)
    // One that paused may have gone on by then.
    const states = state === 'paused' ? ['paused', 'running', 'complete'] : [state]
    assert.ok(states.includes(trial.state), `trial ${number} is ${trial.state}, ${state} was promised`)
    assert.is(trial.problem, null)
    assert.equal(trial.suggestion.params, params[number])
    if (state === 'complete') assert.is(trial.last.record.value, results[number])
  }
  for (const { number, state, last, suggestion } of trials) {
    // Of one that was lost before it began there may be another in its place.
    const isOld = suggestion?.suggestedBy === 'person'
    if (isOld) assert.equal(suggestion.params, params[number])
    if (isOld && state === 'complete' && last.record.value < 100) assert.is(last.record.value, results[number])
  }
}

/** What a process does with a study of trials that wait. */
function trace(folder) {
  const script = fileURLToPath(new URL('support/waiting-trials.js', import.meta.url))
  const calls = 'openat,close,mkdir,rename,link,unlink,write,pwrite64,ftruncate,fsync,fdatasync'
  const options = ['-f', '-y', '-xx', '-s', '1000000', '-e', `trace=${calls}`, '-o', join(root, 'log')]
  const { status, stderr } = spawnSync('strace', [...options, process.execPath, script, folder], {
    encoding: 'utf8',
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  })
  assert.is(status, 0, stderr)
  return operationsOf(join(root, 'log'), folder)
}

function filesIn(folder) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => statSync(join(folder, name)).isFile())
  return names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')])
}

/** Numbers from 0 to 1. */
function chances(seed) {
  const drawn = numbers(4000, seed * 7919)
  let i = 0
  return () => (drawn[i++ % drawn.length] + 1) / 2
}

test.run()
