// `gradus search` and `gradus worker` with real processes: what they end with, whoever is killed.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadStudy } from '../dist/search/load-study.js'
import { StudyReader } from '../dist/study/index.js'
import { failure } from './support/reference.js'
import { startCommand, writeStudy } from './support/search-studies.js'
import { studyPlace } from './support/studies.js'
import { until } from './support/until.js'

const { next } = studyPlace(test, 'search-command')
function place() {
  const folder = next()
  mkdirSync(folder, { recursive: true })
  return { folder, dir: join(folder, 'study') }
}
const open = (dir) => StudyReader.open(dir, { index: false })
const search = (file, dir, ...more) => startCommand('search', file, '--dir', dir, '--no-page', ...more)
const statesOf = async (dir) => (await open(dir)).trials.map(({ state }) => state)
const running = async (dir) => {
  if (!existsSync(join(dir, 'study.json'))) return []
  return (await open(dir)).trials.filter(({ state }) => state === 'running')
}
const endAll = (...commands) => {
  for (const { child } of commands) child.kill('SIGKILL')
}
/** Each epoch waits for the file `go`: nothing ends by itself before a test wants it. */
const waiting = `async ({ params, report, number, dir }) => {
  while (!existsSync(process.env.GRADUS_TEST_GO)) await setTimeout(10)
  await report(params.x)
  return params.x
}`

test('a study file that cannot be used is told of in one sentence', async () => {
  const { folder } = place()
  const write = (name, text) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const files = [
    [join(folder, 'nowhere.mjs'), /there is no such file/, 'GRADUS_BAD_FILE'],
    [folder, /is a folder/, 'GRADUS_BAD_FILE'],
    [write('a.mjs', 'export const a = 1'), /no default export/, 'GRADUS_BAD_FILE'],
    [write('b.mjs', 'export default 3'), /default export is 3/, 'GRADUS_BAD_FILE'],
    [write('c.mjs', '\nthrow new RangeError("too far")'), /RangeError: too far, in line 2/, 'GRADUS_BAD_FILE'],
    [write('d.mjs', 'export default {'), /SyntaxError/, 'GRADUS_BAD_FILE'],
    [write('e.mjs', 'export default { trial() {}, space: {} }'), /this Gradus/, 'GRADUS_BAD_FILE'],
    [write('f.ts', 'export default 3 as number'), /npm install --save-dev tsx/, 'GRADUS_MISSING_PACKAGE'],
  ]
  for (const [file, pattern, code] of files) {
    const error = await failure(() => loadStudy(file))
    assert.is(error.code, code, `${file}: ${error.stack}`)
    assert.match(error.message, pattern)
  }
  const { definition, module } = await loadStudy(writeStudy(folder))
  assert.is(definition.metric, 'score')
  assert.match(module.sha256, /^[0-9a-f]{64}$/)
})

test('two workers end all trials, each once; +5 has five more, and a file that changed is refused', async () => {
  const { folder, dir } = place()
  const file = writeStudy(folder)
  const first = await search(file, dir, '--workers', '2').ended
  assert.is(first.code, 0, first.err)
  assert.match(first.out, /8 of 8 trials · 2 workers · .* · done\nbest score \d.*\ngradus trials .* --best\n$/)
  assert.is(first.err.match(/^trial \d+ complete · score /gm).length, 8, first.err)
  assert.equal(await statesOf(dir), Array(8).fill('complete'))
  const more = await search(file, dir, '--workers', '1', '--trials', '+5').ended
  assert.is(more.code, 0, more.err)
  assert.is((await statesOf(dir)).length, 13)
  assert.is(more.err.match(/^trial \d+ complete/gm).length, 5, 'trials of before are not told of again')
  writeFileSync(file, `${readFileSync(file, 'utf8')}// changed\n`)
  const refused = await search(file, dir).ended
  assert.equal([refused.code, refused.out], [2, ''])
  assert.match(refused.err, /has changed since .*SHA-256 was [0-9a-f]{64} and is [0-9a-f]{64}/)
  assert.is((await search(file, dir, '--allow-changed', '--workers', '1').ended).code, 0)
})

test('bad options begin nothing', async () => {
  const { folder, dir } = place()
  const file = writeStudy(folder)
  const calls = [
    [/--workers: expected a whole number from 1 up/, 'search', file, '--dir', dir, '--workers', '0'],
    [/--for: expected a time such as/, 'worker', file, '--dir', dir, '--for', '5'],
    [/--threads: expected/, 'worker', file, '--dir', dir, '--threads', 'x'],
    [/there is no such file/, 'search', 'nowhere.mjs', '--dir', dir],
  ]
  for (const [pattern, ...args] of calls) {
    const { code, err } = await startCommand(...args).ended
    assert.is(code, 2)
    assert.match(err, pattern)
  }
  assert.not.ok(existsSync(dir))
})

test('gradus worker trains as many as it is to, without a master', async () => {
  const { folder, dir } = place()
  const { code, out, err } = await startCommand(
    'worker',
    writeStudy(folder),
    '--dir',
    dir,
    '--trials',
    '3',
    '--name',
    'far.1',
  ).ended
  assert.is(code, 0, err)
  assert.match(out, /worker far\.1: limit/)
  const { trials } = await open(dir)
  assert.equal(
    trials.map(({ claim }) => claim.record.worker),
    ['far.1', 'far.1', 'far.1'],
  )
})

test('a worker that is killed is told of with its trial and started again; each result is there once', async () => {
  const { folder, dir } = place()
  const go = join(folder, 'go')
  process.env.GRADUS_TEST_GO = go
  const one = search(writeStudy(folder, { trials: 4, trial: waiting }), dir, '--workers', '2')
  try {
    const killed = new Set()
    for (let time = 0; time < 3; time++) {
      let held = null
      await until(async () => {
        held = (await running(dir)).find(({ claim }) => !killed.has(claim.record.process))
        return held !== undefined
      })
      killed.add(held.claim.record.process)
      process.kill(held.claim.record.process, 'SIGKILL')
      await until(() => one.text.err.includes(`and had trial ${held.number}`))
    }
    writeFileSync(go, '')
    const { code, err } = await one.ended
    assert.is(code, 0, err)
    assert.match(err, /worker here\.\d has died \(SIGKILL\) and had trial \d+; another takes its place/)
    const { trials } = await open(dir)
    assert.equal(
      trials.map(({ state }) => state),
      Array(4).fill('complete'),
    )
    for (const { changes } of trials) {
      assert.is([...changes.values()].filter(({ type }) => type === 'result').length, 1)
    }
  } finally {
    endAll(one)
  }
})

test('without its master a worker goes on; the next master takes it for one of its own, a second one only watches', async () => {
  const { folder, dir } = place()
  const go = join(folder, 'go')
  process.env.GRADUS_TEST_GO = go
  const file = writeStudy(folder, { trials: 3, trial: waiting })
  const [one, two] = [search(file, dir, '--workers', '1')]
  const rest = []
  try {
    await until(async () => (await running(dir)).length === 1)
    const [{ claim }] = await running(dir)
    const second = search(file, dir, '--workers', '1')
    rest.push(second)
    await until(() => second.text.err.includes('this one watches'))
    one.child.kill('SIGKILL')
    await until(() => second.text.err.includes('this one takes its place'))
    assert.equal(
      (await running(dir)).map((trial) => trial.claim.record.process),
      [claim.record.process],
      'no other was started',
    )
    writeFileSync(go, '')
    const { code, err } = await second.ended
    assert.is(code, 0, err)
    assert.equal(await statesOf(dir), ['complete', 'complete', 'complete'])
    assert.is(two, undefined)
  } finally {
    endAll(one, ...rest)
    for (const { claim } of await running(dir)) process.kill(claim.record.process, 'SIGKILL')
  }
})

test('a signal has trials pause, and the same command goes on; a second signal ends all at once', async () => {
  const { folder, dir } = place()
  const go = join(folder, 'go')
  process.env.GRADUS_TEST_GO = go
  const stops = `async ({ params, report, signal }) => {
    while (!existsSync(process.env.GRADUS_TEST_GO)) { signal.throwIfAborted(); await setTimeout(10) }
    await report(params.x)
    return params.x
  }`
  const file = writeStudy(folder, { trials: 3, trial: stops })
  const first = search(file, dir, '--workers', '2')
  let second = null
  try {
    await until(async () => (await running(dir)).length === 2)
    first.child.kill('SIGINT')
    const paused = await first.ended
    assert.is(paused.code, 130, paused.err)
    assert.match(paused.out, /paused\n.*the same command goes on/s)
    assert.equal(await statesOf(dir), ['paused', 'paused'])
    second = search(file, dir, '--workers', '2')
    await until(async () => (await running(dir)).length === 2)
    writeFileSync(go, '')
    const { code, err } = await second.ended
    assert.is(code, 0, err)
    assert.equal(await statesOf(dir), ['complete', 'complete', 'complete'])
  } finally {
    endAll(first, ...(second ? [second] : []))
  }
  const again = place()
  process.env.GRADUS_TEST_GO = join(again.folder, 'go')
  // Its trial does not hear of signals.
  const deaf = search(writeStudy(again.folder, { trials: 2, trial: waiting }), again.dir, '--workers', '1')
  try {
    await until(async () => (await running(again.dir)).length === 1)
    const [{ claim }] = await running(again.dir)
    deaf.child.kill('SIGINT')
    await until(() => deaf.text.err.includes('once more ends all at once'))
    deaf.child.kill('SIGINT')
    assert.is((await deaf.ended).code, 130)
    assert.throws(() => process.kill(claim.record.process, 0), 'the worker is gone')
  } finally {
    endAll(deaf)
  }
})

test('a study whose first trials all fail ends with the text of the first, and can go on', async () => {
  const { folder, dir } = place()
  const trial = `() => { throw new Error('no such data') }`
  const { code, err } = await search(writeStudy(folder, { trials: 20, trial }), dir, '--workers', '1').ended
  assert.is(code, 1, err)
  assert.match(err, /gradus: .*no such data/s)
  assert.is((await statesOf(dir)).filter((state) => state === 'failed').length, 5)
})

test.run()
