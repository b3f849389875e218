// Trials in a study's folder: of many who want a change one gets it, and whoever comes late is told so.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createTrial,
  endTrial,
  enqueueTrial,
  readStop,
  readTrial,
  requestStop,
  retryTrial,
  takeTrial,
} from '../dist/study/index.js'
import { startScript } from './support/lines.js'
import { failure } from './support/reference.js'
import { draft, ending, studyPlace, suggestion } from './support/studies.js'

const { make } = studyPlace(test, 'study-trials')
const pathOf = (study, number) => join(study, 'trials', String(number).padStart(5, '0'))
const read = (study, number) => readTrial(number, pathOf(study, number))
const textOf = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'))

test('of 20 processes that want a number at once one gets it, of trials and of their changes', async () => {
  const study = await make()
  const workers = Array.from({ length: 20 }, () => startScript('trial-worker.js', study))
  const all = async (line) => {
    for (const { child } of workers) child.stdin.write(`${line}\n`)
    return Promise.all(workers.map(({ line }) => line()))
  }
  try {
    for (const { line } of workers) assert.is(await line(), 'ready')
    for (let number = 0; number < 12; number++) {
      const said = await all(`create ${number}`)
      assert.is(said.filter((one) => one === `won ${number}`).length, 1, `${said}`)
      assert.is(said.filter((one) => one === `lost ${number}`).length, 19, `${said}`)
      const winner = workers[said.indexOf(`won ${number}`)].child.pid
      assert.is(read(study, number).claim.record.worker, `${winner}`)
      // What has reported is claimed with a sync of the disk, what has not without: by other ways.
      if (number % 3 === 1) appendFileSync(join(pathOf(study, number), 'reports.1.jsonl'), '{"epoch":1,"value":0.5}\n')
      await all(`see ${number}`)
      const taken = await all(`take ${number}`)
      assert.is(taken.filter((one) => one === `won ${number}`).length, 1, `${taken}`)
      const taker = workers[taken.indexOf(`won ${number}`)].child.pid
      assert.equal([read(study, number).claim.number, read(study, number).claim.record.worker], [2, `${taker}`])
      // The one that has made it wants to end it while another one takes it over once more.
      const seen = read(study, number)
      const [first, second] = await Promise.all([
        (async () => {
          workers[taken.indexOf(`won ${number}`)].child.stdin.write('finish 0.5\n')
          return workers[taken.indexOf(`won ${number}`)].line()
        })(),
        takeTrial(seen, draft),
      ])
      assert.is(Number(first === 'finished') + Number(second !== null), 1, `${first}`)
      assert.is(read(study, number).state, second ? 'running' : 'complete')
    }
  } finally {
    for (const { kill } of workers) await kill()
  }
  assert.equal(readdirSync(join(study, 'trials')).length, 12)
})

test('a trial is never seen without its claim, and a number that is taken stays as it is', async () => {
  const study = await make()
  const held = await createTrial(study, 42, suggestion({ results: [[0, 40]] }), draft)
  assert.equal([held.path, held.run], [pathOf(study, 42), join(pathOf(study, 42), 'run.1')])
  assert.equal(readdirSync(held.path).sort(), ['1.json', 'beats.1'])
  const before = readFileSync(join(held.path, '1.json'), 'utf8')
  assert.is(await createTrial(study, 42, suggestion({ params: {} }), draft), null)
  assert.is(await enqueueTrial(study, 42, suggestion({ params: {} }), draft), false)
  assert.is(readFileSync(join(held.path, '1.json'), 'utf8'), before)
  writeFileSync(join(study, 'trials', '00043'), 'a file')
  assert.is(await createTrial(study, 43, suggestion(), draft), null)
  assert.equal(readdirSync(join(study, 'trials')), ['00042', '00043'])
  const { state, suggestion: told, next, problem } = read(study, 42)
  assert.equal([state, told, next, problem], ['running', suggestion({ results: [[0, 40]] }), 2, null])
})

test('a late result is refused with a code, recorded nowhere, and leaves what came first', async () => {
  const study = await make()
  for (const [number, late] of [
    [0, (held) => held.finish(ending())],
    [1, (held) => held.pause({ epoch: 1, value: 0.5, details: null })],
    [2, (held) => held.check()],
  ]) {
    const held = await createTrial(study, number, suggestion(), draft)
    await held.check()
    const other = await takeTrial(read(study, number), { ...draft, worker: 'there.1' })
    assert.is(other.claim, 2)
    const names = readdirSync(held.path)
    const error = await failure(() => late(held))
    assert.is(error.code, 'GRADUS_STALE_LEASE')
    assert.match(error.message, /^.+: another process has taken this trial over/)
    assert.equal(readdirSync(held.path), names)
    await other.finish(ending({ value: 0.25 }))
    assert.equal([read(study, number).state, read(study, number).last.record.value], ['complete', 0.25])
    assert.is((await failure(() => other.finish(ending()))).code, 'GRADUS_STALE_LEASE')
  }
  const gone = await createTrial(study, 3, suggestion(), draft)
  rmSync(gone.path, { recursive: true })
  assert.is((await failure(() => gone.finish(ending()))).code, 'GRADUS_STALE_LEASE')
  assert.not(existsSync(gone.path))
})

test('paused, promoted, taken over, lost, given back: each is the next number', async () => {
  const study = await make()
  const first = await createTrial(study, 0, suggestion(), draft)
  await first.report(1, 0.5, { loss: 2 })
  await first.pause({ epoch: 1, value: 0.5, details: { rung: 0 } })
  assert.equal([read(study, 0).state, read(study, 0).last.record.details], ['paused', { rung: 0 }])
  const second = await takeTrial(read(study, 0), { ...draft, budget: 9 })
  assert.equal([second.claim, second.run, second.record.reason], [3, first.run, 'promoted'])
  await second.report(2, 0.25)
  await second.report(3, Number.NaN)
  const third = await takeTrial(read(study, 0), draft)
  assert.equal([third.claim, third.run, third.record.reason], [4, join(first.path, 'run.4'), 'takenOver'])
  assert.equal(
    [read(study, 0).epochs, read(study, 0).values],
    [
      [1, 2, 3],
      [0.5, 0.25, Number.NaN],
    ],
  )
  // It goes on from epoch 1, and does the second once more.
  await third.report(2, 0.75)
  assert.equal([read(study, 0).epochs, read(study, 0).values, read(study, 0).takeovers], [[1, 2], [0.5, 0.75], 1])
  assert.is(await endTrial(read(study, 0), { state: 'lost', reason: 'three times' }), true)
  const { state, last, takeovers } = read(study, 0)
  assert.equal([state, last.record.value, last.record.epoch, takeovers], ['lost', 0.75, 2, 1])
  await requestStop(first.path, { by: 'a person', why: 'enough' })
  await requestStop(first.path, { by: 'another', why: 'too' })
  const { by, why } = readStop(first.path)
  assert.equal([by, why], ['a person', 'enough'])
  assert.is(await retryTrial(read(study, 0)), true)
  assert.equal([read(study, 0).state, read(study, 0).next, readStop(first.path)], ['paused', 7, null])
  assert.equal(await enqueueTrial(study, 1, suggestion(), draft), true)
  assert.equal([read(study, 1).state, read(study, 1).last.record.epoch, read(study, 1).epochs], ['paused', 0, []])
})

test('values that JSON does not know come back; a complete trial has a finite one', async () => {
  const study = await make()
  for (const [number, value] of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, null].entries()) {
    const held = await createTrial(study, number, suggestion(), draft)
    await held.finish(ending({ state: 'exploded', value, reason: 'too large' }), { sync: false })
    assert.equal([read(study, number).state, read(study, number).last.record.value], ['exploded', value])
  }
  writeFileSync(
    join(pathOf(study, 0), '3.json'),
    JSON.stringify({ ...textOf(pathOf(study, 0), '2.json'), state: 'complete' }),
  )
  assert.match(read(study, 0).problem, /3\.json: value: expected a finite number of a complete trial$/)
  assert.is(read(study, 0).state, 'exploded')
})

test('reports come in order; a line that is torn or foreign is passed over', async () => {
  const study = await make()
  const held = await createTrial(study, 0, suggestion(), draft)
  for (const epoch of [0, 1.5, Number.NaN, '1']) {
    const error = await failure(() => held.report(epoch, 1))
    assert.match(error.message, /^report: expected an epoch from 1 up, received/)
    assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  }
  await held.report(1, 0.5)
  await held.report(3, 0.5)
  const error = await failure(() => held.report(3, 0.5))
  assert.is(error.message, 'report: expected an epoch after 3, the last one reported, received 3')
  const path = join(held.path, 'reports.1.jsonl')
  const own = readFileSync(path, 'utf8')
  const others = ['{"epoch":3,"value":9}', 'null', '[]', '{"epoch":4,"value":"x"}', '{"epoch":1e99,"value":1}', '', '{']
  writeFileSync(path, `${own}${others.join('\n')}\n{"epoch":5,"value":0.125}\n{"epoch":6,"value":1`)
  assert.equal(
    [read(study, 0).epochs, read(study, 0).values],
    [
      [1, 3, 5],
      [0.5, 0.5, 0.125],
    ],
  )
})

test('a trial whose files somebody has made up is unfinished or has a problem that names the file', async () => {
  const study = await make()
  const outside = join(study, 'outside.json')
  const good = JSON.stringify({ ...textOf((await createTrial(study, 0, suggestion(), draft)).path, '1.json') })
  writeFileSync(outside, good)
  const changed = (change) => JSON.stringify({ ...JSON.parse(good), ...change })
  const deep = `${'['.repeat(100)}${']'.repeat(100)}`
  let number = 0
  for (const [text, problem] of [
    ['', /Unexpected end of JSON input|JSON/],
    ['null', /expected an object/],
    [good.replace('"params"', '"__proto__"'), /the key __proto__ is refused/],
    [good.replace('"learningRate"', '"\\u005f_proto__"'), /the key __proto__ is refused/],
    [changed({ format: 2 }), /a newer Gradus wrote it: format 2, and this one reads 1/],
    [changed({ format: undefined }), /its format is unknown: format none/],
    [changed({ type: 'toString' }), /type: expected one of claim, paused, result/],
    [changed({ process: -1 }), /process: expected a whole number from 1 up/],
    [changed({ host: 7 }), /host: expected a string/],
    [changed({ reason: 'bored' }), /reason: expected one of new/],
    [changed({ suggestion: null }), /there is no claim that suggests parameters/],
    [changed({ suggestion: [] }), /suggestion: expected an object/],
    [changed({ suggestion: suggestion({ params: 7 }) }), /suggestion\.params: expected an object/],
    [changed({ suggestion: suggestion({ results: [[3, 1]] }) }), /suggestion\.results: expected pairs/],
    [good.replace('{"learningRate":0.25}', `{"a":${deep}}`), /expected no more than 64 levels/],
    [' '.repeat(2 ** 20 + 1), /it has 1048577 bytes, and at most 1048576 are read/],
    [(path) => symlinkSync(outside, path), /it is a link, and none is followed here/],
    [(path) => mkdirSync(path), /it is a folder, not a file|it is not a regular file/],
    [() => undefined, /there is no claim that suggests parameters/],
  ]) {
    const path = join(pathOf(study, ++number), '1.json')
    mkdirSync(pathOf(study, number))
    typeof text === 'function' ? text(path) : writeFileSync(path, text)
    const trial = read(study, number)
    assert.match(trial.problem, problem)
    assert.ok(trial.problem.startsWith(`${path}: `), trial.problem)
    if (!/no claim that suggests/.test(trial.problem)) assert.is(trial.state, 'unfinished')
    assert.is(trial.suggestion, null)
    assert.equal([{}.learningRate, trial.next], [undefined, typeof text === 'function' && !existsSync(path) ? 1 : 2])
  }
})

test('where a folder was put empty, a trial still takes its place whole', async () => {
  const study = await make()
  mkdirSync(pathOf(study, 0))
  const held = await createTrial(study, 0, suggestion(), draft)
  assert.ok(held)
  assert.is(statSync(held.path).isDirectory(), true)
  renameSync(held.path, `${held.path}-moved`)
  assert.is(await held.isTaken(), true)
})

test.run()
