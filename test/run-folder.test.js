// The folders of runs: one each, whoever else begins at the same moment.
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { dense, monitor, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { newestClaim, putClaim } from '../dist/claim.js'
import { openRunFolder } from '../dist/train/run-folder.js'
import { openRun } from '../dist/watch/recording/index.js'
import { startScript } from './support/lines.js'
import { failure } from './support/reference.js'

const folder = mkdtempSync(join(tmpdir(), 'gradus-run-folder-'))
test.after(() => rmSync(folder, { recursive: true }))

const data = {
  x: [
    [1, 2],
    [3, 4],
  ],
  y: [0, 1],
}
const makeModel = () =>
  sequential({ input: [2], seed: 2 }, [dense(2)]).compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })

test('runs with a name have a folder each, also those that begin at once; one folder never has two', async () => {
  const dir = join(folder, 'named')
  const named = { dir, name: 'mnist', quiet: true, epochs: 1 }
  const first = makeModel().fit(data, named)
  assert.is(first.dir, null)
  await first.done
  assert.is(first.dir, join(dir, 'mnist'))
  const runs = Array.from({ length: 8 }, () => makeModel().fit(data, named))
  await Promise.all(runs.map(({ done }) => done))
  const expected = Array.from({ length: 8 }, (_, i) => join(dir, `mnist-${i + 2}`))
  assert.equal(runs.map((run) => run.dir).sort(), expected)
  for (const path of expected) assert.is((await openRun(path)).recording().epochs.length, 1)

  const one = { dir: join(folder, 'one'), quiet: true, epochs: 1 }
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, () =>
      makeModel()
        .fit(data, one)
        .done.then(
          () => 'ran',
          ({ code, message }) => `${code} ${/holds a run already/.test(message)}`,
        ),
    ),
  )
  assert.equal(outcomes.sort(), [...new Array(7).fill('GRADUS_INVALID_ARGUMENT true'), 'ran'])
  assert.is((await openRun(one.dir)).recording().epochs.length, 1)
  assert.equal(
    readdirSync(one.dir).filter((name) => name.endsWith('.tmp')),
    [],
  )

  for (const [options, message] of [
    [{ name: 'a' }, /^name: expected dir beside it/],
    [{ dir, name: '../a' }, /^name: expected the name of a folder, without slashes, received "..\/a"/],
    [{ dir, name: '..' }, /^name: expected the name of a folder/],
    [{ dir, name: 'a', initialEpoch: 1 }, /^name: expected none with initialEpoch; dir alone/],
  ]) {
    assert.throws(() => makeModel().fit(data, options), message)
  }
})

test('a monitor whose second run fails on its data leaves the record of the first as it was', async () => {
  const watching = monitor()
  const dir = join(folder, 'first')
  await makeModel().fit(data, { dir, quiet: true, epochs: 2, callbacks: [watching] }).done
  const warnings = []
  const onWarning = ({ code }) => warnings.push(code)
  process.on('warning', onWarning)
  const bad = { x: data.x, y: [0, 7] }
  const error = await makeModel()
    .fit(bad, { dir: join(folder, 'second'), quiet: true, callbacks: [watching] })
    .done.catch((reason) => reason)
  assert.is(error.code, 'GRADUS_INVALID_DATA')
  await new Promise(setImmediate)
  process.off('warning', onWarning)
  assert.equal(warnings, [])
  const { end } = (await openRun(dir)).recording()
  assert.equal([end.stoppedBy, end.error, watching.dir], ['epochs', undefined, dir])
})

/** Longer than any test is waited for: who watches a journal that does not grow never ends. */
const forEver = { patience: 1e9 }
const claimsOf = (dir) => join(dir, 'claims')

test('a second process finds the folder busy, one that was killed leaves it free at once', async () => {
  const dir = join(folder, 'shared')
  const first = startScript('holds-folder.js', dir)
  let third
  try {
    assert.is(await first.line(), 'open 1')
    for (const signal of ['SIGSTOP', 'SIGCONT']) {
      first.child.kill(signal)
      const second = startScript('holds-folder.js', dir, 'goes on')
      assert.is(
        await second.line(),
        `GRADUS_BUSY dir: the run in ${dir} is under way, in process ${first.child.pid} on ${hostname()}; one process alone goes on with it`,
      )
      await second.exited
    }
    const anew = await failure(() => openRunFolder({ dir }, false))
    assert.match(anew.message, /holds a run already/)
    await first.kill()
    const own = await openRunFolder({ dir }, true, forEver)
    assert.equal([own.claim, own.tookOver, await own.isTaken()], [2, false, false])
    await own.close('stop')
    assert.is(await own.isTaken(), true)

    third = startScript('holds-folder.js', dir, 'goes on')
    assert.is(await third.line(), 'open 4')
    third.child.stdin.end()
    await third.exited
    const { number, record } = await newestClaim(claimsOf(dir))
    assert.equal([number, record.type, record.of, record.stoppedBy], [5, 'end', 4, 'stop'])
  } finally {
    await first.kill()
    await third?.kill()
  }
})

test('of 8 that go on with a run at once, each in one process, one does', async () => {
  const dir = join(folder, 'race')
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, () => openRunFolder({ dir }, true).catch(({ code, message }) => `${code} ${message}`)),
  )
  const [won, ...others] = outcomes.filter((outcome) => typeof outcome === 'object')
  assert.equal(others, [])
  const lost = outcomes.filter((outcome) => outcome !== won)
  const message = `GRADUS_BUSY dir: the run in ${dir} is under way, in this process; one process alone goes on with it`
  assert.equal(lost, Array(7).fill(message))
  await won.close('epochs')
  const next = await openRunFolder({ dir }, true, forEver)
  assert.is(next.claim, 3)
  await next.close('epochs')
})

/** The newest claim, as if another machine had made it. */
async function moveAway(dir, host = 'far-away') {
  const { number, record } = await newestClaim(claimsOf(dir))
  writeFileSync(join(claimsOf(dir), `${number}.json`), JSON.stringify({ ...record, host }))
}

test('a run on another machine is busy while its journal grows, and taken over when it does not', async () => {
  const dir = join(folder, 'far')
  const first = await openRunFolder({ dir }, false)
  await moveAway(dir)
  const journal = join(dir, 'metrics.jsonl')
  writeFileSync(journal, '')
  const growing = setInterval(() => appendFileSync(journal, '{}\n'), 5)
  try {
    const error = await failure(() => openRunFolder({ dir }, true, forEver))
    assert.equal([error.code, /in process \d+ on far-away;/.test(error.message)], ['GRADUS_BUSY', true], error.message)
  } finally {
    clearInterval(growing)
  }
  const aborting = new AbortController()
  const watching = failure(() => openRunFolder({ dir }, true, { ...forEver, signal: aborting.signal }))
  aborting.abort(new Error('enough'))
  assert.is((await watching).message, 'enough')

  await first.check()
  const second = await openRunFolder({ dir }, true, { patience: 10 })
  assert.equal([second.claim, second.tookOver], [2, true])
  assert.is(await first.isTaken(), true)
  const stale = await failure(() => first.check())
  assert.is(stale.code, 'GRADUS_STALE_RUN')
  await first.close('epochs')
  assert.is(await second.isTaken(), false)
  assert.is((await newestClaim(claimsOf(dir))).number, 2)
  await second.close('epochs')
})

test("a folder that was deleted is nobody's, one that another run has begun in since is taken", async () => {
  const dir = join(folder, 'deleted')
  const first = await openRunFolder({ dir }, false)
  rmSync(dir, { recursive: true })
  assert.is(await first.isTaken(), false)
  const second = await openRunFolder({ dir }, false)
  assert.equal([first.claim, second.claim], [1, 1])
  assert.equal([await first.isTaken(), await second.isTaken()], [true, false])
  await second.close('epochs')
})

test('a begin that came to nothing leaves the folder free, a run does not', async () => {
  const dir = join(folder, 'nothing')
  const bad = { dir, quiet: true, callbacks: [{ onTrainBegin: () => Promise.reject(new Error('bad')) }] }
  assert.is((await failure(() => makeModel().fit(data, bad).done)).message, 'bad')
  assert.equal(readdirSync(dir), ['claims'])
  const first = await openRunFolder({ dir }, false, forEver)
  await first.close('error')
  mkdirSync(join(dir, 'checkpoints'))
  assert.match((await failure(() => openRunFolder({ dir }, false))).message, /holds a run already/)
})

test('a damaged claim is told', async () => {
  const dir = join(folder, 'damaged')
  await openRunFolder({ dir }, false)
  const mark = (await newestClaim(claimsOf(dir))).record
  let number = 1
  for (const record of [null, {}, { ...mark, type: 'x' }, { ...mark, process: -1 }, { ...mark, id: 3 }, [mark]]) {
    await putClaim(claimsOf(dir), ++number, record)
    const error = await failure(() => openRunFolder({ dir }, true))
    assert.is(`${error.code} ${error.message}`, `GRADUS_BAD_FILE ${claimsOf(dir)}/${number}.json: the claim is damaged`)
  }
})

test('callbacks are told of the folder and whether the run goes on; it is theirs until the last has ended', async () => {
  const dir = join(folder, 'told')
  const told = []
  const model = makeModel()
  const note = (event) => async (context) => {
    const { folder, goesOn } = context.call
    told.push([event, folder.path, folder.claim, goesOn, await folder.isTaken(), existsSync(join(dir, 'run.json'))])
  }
  const callbacks = [
    { onTrainBegin: note('begin'), onTrainEnd: () => Promise.reject(new Error('a bad end')) },
    { onTrainEnd: note('end') },
  ]
  const error = await failure(() => model.fit(data, { dir, quiet: true, callbacks }).done)
  assert.is(error.message, 'a bad end')
  assert.is((await newestClaim(claimsOf(dir))).record.stoppedBy, 'error')
  await model.fit(data, { dir, quiet: true, epochs: 2, initialEpoch: 1, callbacks: callbacks.slice(1) }).done
  assert.is((await newestClaim(claimsOf(dir))).record.stoppedBy, 'epochs')
  assert.equal(told, [
    ['begin', dir, 1, false, false, false],
    ['end', dir, 1, false, false, true],
    ['end', dir, 3, true, false, true],
  ])
  const alone = []
  const none = { onTrainBegin: ({ call }) => void alone.push(call.folder, call.goesOn) }
  await makeModel().fit(data, { quiet: true, callbacks: [none] }).done
  assert.equal(alone, [null, false])
})

test('what earlier processes left half written in a run directory goes when the next run opens it', async () => {
  const dir = join(folder, 'orphans')
  const first = await openRunFolder({ dir }, false)
  await first.close('stop')
  const orphans = ['.gradus-far-0-12-0-1.tmp', '.gradus-0123456789ab.tmp']
  const checkpoints = join(dir, 'checkpoints')
  mkdirSync(checkpoints)
  for (const name of orphans)
    for (const place of [dir, claimsOf(dir), checkpoints]) writeFileSync(join(place, name), '')
  await (await openRunFolder({ dir }, true)).close('stop')
  assert.equal(readdirSync(dir), ['checkpoints', 'claims'])
  assert.equal(readdirSync(checkpoints), [])
  assert.equal(readdirSync(claimsOf(dir)).sort(), ['1.json', '2.json', '3.json', '4.json'])
})

test.run()
