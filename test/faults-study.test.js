// Whoever changes a study is killed at each call of the file system, its disk is full, or has no hard links: nothing is lost but
// what was being written.
import { spawnSync } from 'node:child_process'
import fs, { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createTrial, enqueueTrial, makeStudy, StudyReader, takeTrial } from '../dist/study/index.js'
import { progress, sampled } from './support/sampled.js'
import { description, draft, ending, readNumbered as read, studyPlace, suggestion } from './support/studies.js'

const { make, next } = studyPlace(test, 'faults-study')
const script = (name) => fileURLToPath(new URL(`support/${name}`, import.meta.url))

function change(study, what, call) {
  const given = call === undefined ? [] : [String(call)]
  const { signal, stdout, stderr } = spawnSync(process.execPath, [script('killed-change.js'), study, what, ...given], {
    encoding: 'utf8',
  })
  assert.is(signal, call === undefined ? null : 'SIGKILL', stderr)
  return Number(stdout)
}

/** A study in which a run was begun, whose process is gone. */
async function begun() {
  const study = await make()
  const { run } = await createTrial(study, 0, suggestion(), draft)
  for (const folder of ['checkpoints', 'claims', 'own/deep']) mkdirSync(join(run, folder), { recursive: true })
  for (const [name, text] of files) writeFileSync(join(run, name), text)
  for (const name of ['claims/1.json', '.gradus-far-0-1-0-1.tmp']) writeFileSync(join(run, name), 'not copied')
  return study
}
const files = [
  ['metrics.jsonl', '{}\n'.repeat(1000)],
  ['checkpoints/epoch=001.safetensors', 'a checkpoint'],
  ['own/deep/state.json', 'of a person'],
]
const filesIn = (folder) => {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = names.map(({ parentPath, path, name }) => join(parentPath ?? path, name)).sort()
  return paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')])
}

for (const [what, prepare, check] of [
  [
    'create',
    make,
    async (study, trials) => {
      assert.ok(trials.length === 0 || trials[0].state === 'running')
      const held = await createTrial(study, 0, suggestion(), draft)
      assert.is(held === null, trials.length === 1)
      assert.equal(readdirSync(join(study, 'trials')), ['00000'])
      await (held ?? (await takeTrial(read(study, 0), draft))).finish(ending())
    },
  ],
  [
    'finish',
    make,
    async (study, [{ state, last }]) => {
      // Nobody writes there again, and so nobody removes the second name of what is in its place.
      if (state === 'complete') return assert.is(last.record.value, 0.5) ?? 'left'
      assert.is(state, 'running')
      await (await takeTrial(read(study, 0), draft)).finish(ending())
    },
  ],
  [
    'take',
    begun,
    async (study, [{ state }]) => {
      assert.is(state, 'running')
      const held = await takeTrial(read(study, 0), draft)
      assert.equal(filesIn(held.run), [...files].sort())
      await held.finish(ending())
    },
  ],
]) {
  test(`killed before any call of ${what}: there is what was there before, or all of it`, async () => {
    const calls = change(await prepare(), what)
    assert.ok(calls > 5, `${calls}`)
    const points = sampled(
      Array.from({ length: calls }, (_, i) => i + 1),
      4,
      what,
    )
    for (const [i, call] of points.entries()) {
      progress(i, points.length, what)
      const study = await prepare()
      change(study, what, call)
      const { trials } = await StudyReader.open(study)
      assert.ok(
        trials.every(({ problem }) => problem === null),
        `${what} at ${call}`,
      )
      const isLeft = (await check(study, trials)) === 'left'
      const [{ state, suggestion: told, changes }] = (await StudyReader.open(study)).trials
      assert.equal([state, told], ['complete', suggestion()])
      assert.is([...changes.values()].filter(({ type }) => type === 'result').length, 1)
      const isTemporary = ([name]) => name.includes('tmp') && !/run\.1/.test(name)
      if (!isLeft) assert.equal(filesIn(join(study, 'trials')).filter(isTemporary), [])
    }
  })
}

const mayMount = spawnSync('unshare', ['-m', 'true']).status === 0
if (!mayMount) console.log('Not tested: a disk that is full. Only root may mount one, with unshare and mount')
else
  test('a full disk refuses what is new with a code, keeps what there is, and beats go on', () => {
    const place = next()
    mkdirSync(place)
    const mount = 'mount -t tmpfs -o size=1m gradus "$1" && exec "$2" "$3" "$1"'
    const given = ['-m', 'sh', '-c', mount, 'sh', place, process.execPath, script('full-disk-study.js')]
    const { status, stdout, stderr } = spawnSync('unshare', given, { encoding: 'utf8' })
    assert.is(status, 0, stderr)
    const { codes, meanwhile, after } = JSON.parse(stdout)
    assert.equal(codes, Array(4).fill('GRADUS_BAD_FILE true'))
    assert.equal(meanwhile, ['running 1', 'running 1'])
    assert.equal(after, ['complete 1 null', 'running 1,2 null', 'running  null'])
  })

test('where there are no hard links one alone still gets a number, and a warning says what that costs', async () => {
  const [{ link }, { linkSync }] = [fs.promises, fs]
  const warnings = []
  const onWarning = ({ code, message }) => warnings.push([code, message])
  process.on('warning', onWarning)
  const refused = Object.assign(new Error('no links'), { code: 'EPERM' })
  fs.promises.link = () => Promise.reject(refused)
  fs.linkSync = () => {
    throw refused
  }
  syncBuiltinESMExports()
  try {
    const study = next()
    const made = await Promise.all(Array.from({ length: 5 }, () => makeStudy(study, description())))
    assert.is(made.filter(({ isNew }) => isNew).length, 1)
    const first = await createTrial(study, 0, suggestion(), draft)
    mkdirSync(join(first.run, 'checkpoints'), { recursive: true })
    writeFileSync(join(first.run, 'checkpoints', 'a.safetensors'), 'a checkpoint')
    const seen = read(study, 0)
    const takers = await Promise.all(Array.from({ length: 10 }, () => takeTrial(seen, draft)))
    const [taker, ...others] = takers.filter((held) => held !== null)
    assert.equal([taker.claim, others.length], [2, 0])
    assert.is(readFileSync(join(taker.run, 'checkpoints', 'a.safetensors'), 'utf8'), 'a checkpoint')
    // Killed while it wrote its result: the next number is the next.
    writeFileSync(join(first.path, '3.json'), '{"format":1,"type":"res')
    assert.equal([read(study, 0).state, read(study, 0).next], ['running', 4])
    const last = await takeTrial(read(study, 0), draft)
    await last.finish(ending())
    assert.equal([read(study, 0).state, read(study, 0).next], ['complete', 6])
    cpSync(study, `${study} copied`, { recursive: true })
    assert.is((await StudyReader.open(`${study} copied`)).trials[0].state, 'complete')
    await new Promise(setImmediate)
    assert.equal(
      warnings.map(([code]) => code),
      ['GRADUS_NO_HARD_LINKS'],
    )
    assert.match(warnings[0][1], /the file system has no hard links\. Files are created under their names instead/)
  } finally {
    Object.assign(fs.promises, { link })
    Object.assign(fs, { linkSync })
    syncBuiltinESMExports()
    process.off('warning', onWarning)
  }
})

test('a claim that a server has made, and says that it was there when it is asked again, is ours; that of another is not', async () => {
  const study = await make()
  const { linkSync } = fs
  await enqueueTrial(study, 0, suggestion(), draft)
  const seen = read(study, 0)
  fs.linkSync = (...paths) => {
    linkSync(...paths)
    throw Object.assign(new Error('it is there'), { code: 'EEXIST' })
  }
  syncBuiltinESMExports()
  try {
    const held = await takeTrial(seen, draft)
    assert.equal([held?.claim, await takeTrial(seen, draft)], [3, null])
    await held.finish(ending({ epoch: 0 }), { sync: false })
  } finally {
    fs.linkSync = linkSync
    syncBuiltinESMExports()
  }
  assert.equal([read(study, 0).state, read(study, 0).next], ['complete', 5])
  assert.equal(
    readdirSync(read(study, 0).path).filter((name) => name.endsWith('.tmp')),
    [],
  )
})

test.run()
