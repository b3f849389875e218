// A process that is killed, or told of a disk that fails, at any system call of a save: what is on the disk is the old
// checkpoint or the new one, and who comes next goes on with it to the same bits and leaves nothing behind.
// `npm run soak:faults` tries all of them.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkpoint, checkpoints, loadModel } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { progress, sampled } from './support/sampled.js'
import { digestOf, fitTiny, tinyModel, uninterrupted } from './support/tiny-run.js'
import { pointsOf, traceSave, whyNoStrace } from './support/traced-save.js'

// The pool that works on files gets one thread: so its calls come in an order, and can be counted.
process.env.UV_THREADPOOL_SIZE = '1'
const root = mkdtempSync(join(tmpdir(), 'gradus-calls-'))
test.after(() => rmSync(root, { recursive: true }))
let folders = 0
const newFolder = () => join(root, `${++folders}`)

const lacking = whyNoStrace()
if (lacking) console.log(`Not tested: saves that are cut short at a system call. ${lacking}`)
else {
  const expected = await reference()
  const { calls, ...ended } = await traceSave(newFolder(), { log: join(root, 'log') })
  assert.equal([ended.code, ended.said], [0, [`digest ${expected.finals[2]}`]], ended.errors)
  const points = pointsOf(calls)

  test('a save writes, syncs, renames, syncs the folder and only then removes the one before', () => {
    const wanted = [
      /^fsync\(.*checkpoints\/.*tmp>/,
      /^rename\(.*checkpoints\/.*tmp".*epoch=002/,
      /^fsync\(\d+<[^>]*checkpoints>/,
      /^unlink\(.*epoch=001/,
    ]
    const found = wanted.map((pattern) => calls.findLastIndex(({ text }) => pattern.test(text)))
    assert.ok(found[0] >= 0 && found.every((at, i) => i === 0 || at > found[i - 1]), JSON.stringify(found))
    const written = calls.findLastIndex(({ text }) => /^pwrite64\(.*checkpoints\/.*tmp>/.test(text))
    assert.ok(written >= 0 && written < found[0])
  })

  for (const effect of ['signal=KILL', 'error=EIO', 'error=ENOSPC']) {
    test(`${effect} at system calls of a save`, async () => {
      let reached = 0
      const tried = sampled(points, 4, effect)
      for (const [i, point] of tried.entries()) {
        progress(i, tried.length, effect)
        const what = `${effect} at ${point.call} ${point.number} of ${point.path || 'the directory'}`
        const dir = newFolder()
        const { code, signal, said, errors } = await traceSave(dir, { point, effect })
        if (effect === 'signal=KILL') {
          if (signal === 'SIGKILL') reached++
          else assert.is(code, 0, what)
        } else {
          assert.is(code, 0, `${what}: ${signal} ${errors}`)
          for (const line of said) assert.match(line, /^(warning |digest |)(GRADUS_\w+|[0-9a-f]{64})/, what)
        }
        await check(dir, expected, what).catch((error) => {
          throw new Error(`${what}: ${error.stack}; the child said ${said.join('; ')}`)
        })
        rmSync(dir, { recursive: true })
      }
      // Where the save before has just ended, a call or two of its own may be over.
      if (effect === 'signal=KILL') assert.ok(reached >= 0.5 * tried.length, `${reached} of ${tried.length} kills hit`)
    })
  }
}

/** What loads from the checkpoints of a run that nothing disturbs, by epoch, and what a run of so many epochs comes to. */
async function reference() {
  const dir = newFolder()
  await fitTiny(tinyModel(), dir, { epochs: 2, callbacks: [checkpoint({ every: 'epoch', keep: 'all' })] })
  const loads = {}
  for (const { path, epoch } of await checkpoints(dir)) loads[epoch] = await digestOf(await loadModel(path))
  return { loads, finals: { 2: await uninterrupted(2), 3: await uninterrupted(3) } }
}

async function check(dir, { loads, finals }, what) {
  const list = await checkpoints(dir)
  assert.ok(list.length > 0)
  for (const { path, epoch, sound, problem } of list) {
    assert.is(sound, true, problem)
    assert.is(await digestOf(await loadModel(path)), loads[epoch])
  }
  assert.ok([1, 2].includes(list.at(-1).epoch))
  const model = tinyModel()
  assert.is(
    await digestOf(model, await fitTiny(model, dir, { callbacks: [checkpoint({ every: 'epoch', keep: 1 })] })),
    finals[3],
    what,
  )
  const left = readdirSync(dir, { recursive: true })
  assert.equal(
    left.filter((name) => name.endsWith('.tmp')),
    [],
  )
  assert.equal(readdirSync(join(dir, 'checkpoints')), ['epoch=003.safetensors'])
}

test.run()
