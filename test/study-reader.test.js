// A study is read whatever has happened to one of its files: the cache is only that, and a torn file costs what stands in it.
import fs, {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createTrial, enqueueTrial, retryTrial, StudyReader, takeTrial } from '../dist/study/index.js'
import { OrderedNumbers } from '../dist/study/ordered-numbers.js'
import { numbers as drawn, failure } from './support/reference.js'
import { draft, ending, readNumbered as read, studyPlace, suggestion } from './support/studies.js'

const { make, next } = studyPlace(test, 'study-reader')
const quick = { sync: false }

/** Trials of each state: 0 complete, 1 exploded, 2 paused, 3 running after it was taken over, 4 waiting, 5 failed. */
async function filled() {
  const study = await make()
  const held = []
  for (const number of [0, 1, 2, 3]) {
    held.push(await createTrial(study, number, suggestion({ seed: number }), draft))
    for (const epoch of [1, 2]) await held[number].report(epoch, number + epoch / 10, { loss: 1 / epoch })
  }
  await held[0].finish(ending(), quick)
  await held[1].report(3, Number.POSITIVE_INFINITY)
  await held[1].finish(ending({ state: 'exploded', value: null }), quick)
  await held[2].pause({ epoch: 2, value: 2.2, details: null }, quick)
  await (await takeTrial(read(study, 3), draft)).report(2, 3.5)
  await enqueueTrial(study, 4, suggestion(), draft)
  await (await createTrial(study, 5, suggestion(), draft)).finish(ending({ state: 'failed', value: null }), quick)
  return { study, held }
}
const told = ({ number, state, epochs, values, next, problem }) => ({ number, state, epochs, values, next, problem })
const statesOf = (reader) => reader.trials.map(({ state }) => state)

test('all trials are there, and what changes is found by the next look', async () => {
  const { study } = await filled()
  const reader = await StudyReader.open(study)
  assert.is(reader.study.metric, 'valAccuracy')
  assert.equal(statesOf(reader), ['complete', 'exploded', 'paused', 'running', 'paused', 'failed'])
  assert.equal(reader.trial(1).values, [1.1, 1.2, Number.POSITIVE_INFINITY])
  assert.equal(reader.trial(3).values, [3.1, 3.5])
  assert.is(reader.trial(6), null)
  assert.equal(await reader.refresh(), [])

  const promoted = await takeTrial(reader.trial(2), draft)
  await promoted.report(3, 7)
  const sixth = await createTrial(study, 6, suggestion(), draft)
  await retryTrial(reader.trial(5))
  const changed = await reader.refresh()
  assert.equal(changed.map(({ number, state }) => `${number} ${state}`).sort(), ['2 running', '5 paused', '6 running'])
  assert.equal(reader.trial(2).values, [2.1, 2.2, 7])
  await sixth.report(1, 0.5)
  assert.equal((await reader.refresh()).map(told), [told(read(study, 6))])
  // Two looks at once do not come between one another.
  await sixth.finish(ending(), quick)
  const both = await Promise.all([reader.refresh(), reader.refresh({ all: true })])
  assert.equal(
    both.map((list) => list.length),
    [1, 0],
  )
  rmSync(join(study, 'trials', '00004'), { recursive: true })
  await reader.refresh({ all: true })
  assert.is(reader.trial(4), null)
})

test('of many trials those that have changed take their places, and lists that were given stay as they are', async () => {
  const study = await make()
  const add = (number) => enqueueTrial(study, number, suggestion(), draft)
  for (let number = 0; number < 70; number++) if (number !== 5) await add(number)
  const reader = await StudyReader.open(study)
  const before = reader.trials
  const held = await takeTrial(reader.trial(33), draft)
  await held.report(1, 0.5)
  await add(70)
  assert.equal((await reader.refresh()).map(({ number }) => number).sort(), [33, 70])
  // Told of by all looks that list the folder.
  await add(5)
  await reader.refresh({ all: true })
  assert.equal(
    reader.trials.map(({ number }) => number),
    [...Array(71).keys()],
  )
  const running = reader.trials.filter(({ state }) => state === 'running')
  assert.equal(running.map(told), [told(read(study, 33))])
  assert.equal([before.length, before[32].state], [69, 'paused'])
})

test('each file of a trial torn at every byte costs what stands in it, and no other trial', async () => {
  const { study, held } = await filled()
  const [{ path: complete }, , { path: paused }, { path: taken }] = held
  await takeTrial(read(study, 2), draft)
  const whole = await StudyReader.open(study, { index: false })
  const expected = whole.trials.map(told)
  for (const folder of [complete, paused, taken]) {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      const bytes = readFileSync(path)
      const number = Number(folder.slice(-5))
      for (let length = 0; length < bytes.length; length++) {
        writeFileSync(path, bytes.subarray(0, length))
        const trial = read(study, number)
        check(trial, expected[number], name, length, bytes)
        // The others are read but now and then, as they are the same files.
        if (length % 97 !== 0) continue
        const reader = await StudyReader.open(study, { index: false })
        const others = ({ number: other }) => other !== number
        assert.equal(reader.trials.map(told).filter(others), expected.filter(others))
        assert.equal(told(reader.trial(number)), told(trial))
        // A record may be whole at the next look: where there are no hard links it is seen while it is written.
        if (!name.endsWith('.json')) continue
        writeFileSync(path, bytes)
        await reader.refresh()
        assert.equal(reader.trials.map(told), expected, `${path} at ${length}`)
      }
      writeFileSync(path, bytes)
    }
  }
})

/** What a trial is when one of its files is torn. */
function check(trial, before, name, length, bytes) {
  const what = `${name} of trial ${trial.number} at ${length}`
  const isWhole = length === bytes.length - 1
  if (name.startsWith('beats') || isWhole) return assert.equal(told(trial).state, before.state, what)
  if (name.startsWith('reports')) {
    // Lines that are whole stay, and of other claims all.
    assert.equal([trial.state, trial.problem], [before.state, null], what)
    const lines = bytes.subarray(0, length).toString().split('\n').length - 1
    if (trial.number === 0) assert.is(trial.epochs.length, lines, what)
    return
  }
  assert.match(trial.problem, name, what)
  assert.is(trial.next, before.next, what)
  const [number] = name.split('.')
  if (number === '1') return assert.is(trial.suggestion, null, what)
  const states = { 2: 'running', 3: 'paused' }
  assert.is(trial.state, Number(number) === before.next - 1 ? states[number] : before.state, what)
}

test('folders and files with other names, and links, are no trials', async () => {
  const { study } = await filled()
  const expected = (await StudyReader.open(study)).trials.map(told)
  const trials = join(study, 'trials')
  const copy = (name) => cpSync(join(trials, '00000'), join(trials, name), { recursive: true })
  for (const name of ['7', '000007', '00007.tmp', '-0001', '0x007', '__proto__', '9999999999', '00007 ', 'constructor'])
    copy(name)
  symlinkSync(join(trials, '00000'), join(trials, '00008'))
  writeFileSync(join(trials, '00009'), 'a file')
  for (const name of ['02.json', '1e1.json', '-3.json', '99999999.json', '__proto__.json', 'reports.x.jsonl', 'run.x'])
    writeFileSync(join(trials, '00000', name), '{}')
  assert.equal((await StudyReader.open(study)).trials.map(told), expected)
})

test('progress is told, others have their turn, and what is no study has a code', async () => {
  const study = await make()
  for (let number = 0; number < 600; number++) {
    const path = join(study, 'trials', String(number).padStart(5, '0'))
    if (number === 0) await createTrial(study, 0, suggestion(), draft)
    else cpSync(join(study, 'trials', '00000'), path, { recursive: true })
  }
  const seen = []
  let turns = 0
  const turn = setInterval(() => turns++, 0)
  const reader = await StudyReader.open(study, { onProgress: (done, all) => seen.push([done, all]) })
  clearInterval(turn)
  assert.is(reader.trials.length, 600)
  assert.equal(seen, [
    [255, 600],
    [511, 600],
    [600, 600],
  ])
  assert.ok(turns > 0)
  const none = next()
  const error = await failure(() => StudyReader.open(none))
  assert.is(
    `${error.code} ${error.message}`,
    `GRADUS_BAD_FILE ${none}: it holds no study: there is no study.json in it`,
  )
  mkdirSync(none)
  cpSync(join(study, 'study.json'), join(none, 'study.json'))
  assert.equal((await StudyReader.open(none)).trials, [])
  writeFileSync(join(none, 'trials'), '')
  assert.is((await failure(() => StudyReader.open(none))).code, 'GRADUS_BAD_FILE')
  assert.ok(existsSync(none))
  appendFileSync(join(none, 'study.json'), 'x')
  assert.is((await failure(() => StudyReader.open(none))).code, 'GRADUS_BAD_FILE')
})

test('a look at one trial sees what became of that one, and new ones; the next look sees the rest', async () => {
  const study = await make()
  const held = []
  for (const number of [0, 1]) held.push(await createTrial(study, number, suggestion({ seed: number }), draft))
  const reader = await StudyReader.open(study)
  assert.is(reader.heldCount, 2)
  for (const one of held) await one.report(1, 0.5)
  await createTrial(study, 2, suggestion({ seed: 2 }), draft)
  const numbers = (trials) => trials.map(({ number }) => number)
  assert.equal(numbers(await reader.refresh({ held: false, trial: 0 })), [0, 2])
  assert.equal(reader.trial(1).epochs, [])
  assert.equal(numbers(await reader.refresh({ held: false })), [])
  assert.equal(numbers(await reader.refresh()), [1])
  await held[0].finish(ending(0.5), quick)
  await reader.refresh()
  assert.is(reader.heldCount, 2)
})

/** How often `lstat` is called meanwhile. */
async function looksOf(work) {
  const { lstatSync } = fs
  let count = 0
  fs.lstatSync = (...given) => {
    count++
    return lstatSync(...given)
  }
  syncBuiltinESMExports()
  try {
    await work()
  } finally {
    fs.lstatSync = lstatSync
    syncBuiltinESMExports()
  }
  return count
}

test('of a thousand that wait a look costs what has changed, and what others change in any of them is seen in time', async () => {
  const study = await make()
  await enqueueTrial(study, 0, suggestion(), draft)
  for (let number = 1; number < 1000; number++) {
    const name = String(number).padStart(5, '0')
    cpSync(join(study, 'trials', '00000'), join(study, 'trials', name), { recursive: true })
  }
  let now = 0
  const told = []
  const reader = await StudyReader.open(study, { now: () => now, onTrial: ({ number }) => told.push(number) })
  assert.equal([told.length, reader.waitingCount, reader.heldCount], [1000, 1000, 0])
  const numbers = (trials) => trials.map(({ number }) => number)
  // Far from the first, which others take first.
  const held = await takeTrial(reader.trial(900), draft)
  assert.ok((await looksOf(async () => assert.equal(await reader.refresh({ waiting: false }), []))) < 5)
  assert.ok((await looksOf(async () => assert.equal(await reader.refresh(), []))) < 150)
  // A tenth of the ten seconds has passed, then all of them.
  now = 1000
  assert.ok((await looksOf(() => reader.refresh())) < 150)
  now = 11_000
  assert.equal(numbers(await reader.refresh()), [900])
  assert.equal([reader.waitingCount, numbers(reader.held)], [999, [900]])
  // One under way is seen by each look, and so are those that others have taken from the first on, without a gap.
  await reader.refresh()
  await held.report(1, 0.5)
  for (const number of [0, 1, 2, 4]) await takeTrial(reader.trial(number), draft)
  assert.equal(numbers(await reader.refresh()), [900, 0, 1, 2])
  for (let number = 100; number < 400; number++) await takeTrial(reader.trial(number), draft)
  assert.is((await reader.refresh({ all: true })).length, 301)
  assert.equal([reader.heldCount, told.length], [305, 1306])
  await held.pause({ epoch: 1, value: 0.5, details: null }, quick)
  await reader.refresh({ waiting: false })
  assert.equal([reader.trial(900).state, reader.trial(900).values], ['paused', [0.5]])
})

test('numbers are in order, each once, whatever comes and goes, and have their turns', () => {
  const [numbers, expected] = [new OrderedNumbers(), new Set()]
  for (const [i, draw] of drawn(4000, 97).entries()) {
    const number = Math.floor(30 * (draw + 1))
    assert.is(numbers.has(number), expected.has(number))
    if (i % 3 === 0) {
      numbers.delete(number)
      expected.delete(number)
    } else {
      numbers.add(number)
      expected.add(number)
    }
    const sorted = [...expected].sort((a, b) => a - b)
    assert.equal([numbers.all, numbers.size, numbers.first], [sorted, sorted.length, sorted[0] ?? null])
  }
  const { all, size } = numbers
  const turns = Array.from({ length: Math.ceil(size / 7) }, () => numbers.turn(7))
  assert.equal(turns.flat(), all)
  assert.equal(numbers.turn(3), all.slice(0, 3))
  assert.equal(new OrderedNumbers().turn(3), [])
})

test.run()
