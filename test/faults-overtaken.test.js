// Two processes and one directory: the second is refused; one that stood still and was overtaken ends, and leaves what the other
// has written alone.
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import timers from 'node:timers/promises'

// Whoever watches a journal for ten seconds is done in a tenth of one: the process that would write it stands still.
const { setTimeout: wait } = timers
timers.setTimeout = (milliseconds, ...rest) => wait(milliseconds / 100, ...rest)
syncBuiltinESMExports()

const { checkpoint, checkpoints, monitor } = await import('gradus')
const { suite } = await import('uvu')
const assert = await import('uvu/assert')
const { startScript } = await import('./support/lines.js')
const { failure } = await import('./support/reference.js')
const { isSoak, progress } = await import('./support/sampled.js')
const { digestOf, fitTiny, tinyModel, uninterrupted } = await import('./support/tiny-run.js')
const { until } = await import('./support/until.js')

const test = suite('overtaken')
const root = mkdtempSync(join(tmpdir(), 'gradus-overtaken-'))
test.after(() => rmSync(root, { recursive: true }))
let folders = 0
const newFolder = () => join(root, `${++folders}`)

test('a second process is refused while the first lives', async () => {
  const dir = newFolder()
  const first = startScript('signalled.js', 'forever', dir)
  try {
    assert.is(await first.line(), 'trains')
    for (const resume of [true, 'must']) {
      const { code, message } = await failure(
        () => fitTiny(tinyModel(), dir, { resume, callbacks: [checkpoint()] }).done,
      )
      assert.is(code, 'GRADUS_BUSY')
      assert.match(message, new RegExp(`is under way, in process ${first.child.pid} on `))
    }
    const { message } = await failure(() => fitTiny(tinyModel(), dir, { resume: false }).done)
    assert.match(message, /holds a run already/)
  } finally {
    await first.kill()
  }
})

/** Name → hash, of every file below a folder. */
function contentsOf(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => statSync(join(folder, name)).isFile())
  const hashOf = (name) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
  return new Map(files.sort().map((name) => [name, hashOf(name)]))
}

/**
 * Nothing new and nothing changed. A process may be stopped when it has seen that the run is its own, and is about to remove a
 * checkpoint of its own: one system call, which it finishes when it wakes up.
 */
function assertUntouched(before, after, ownCheckpoints) {
  const gone = [...before.keys()].filter((name) => !after.has(name))
  assert.ok(gone.length <= 1 && gone.every((name) => ownCheckpoints.has(name)), gone.join())
  for (const name of gone) before.delete(name)
  assert.equal([...after], [...before])
}

const times = isSoak ? 50 : 3
test(`one that was stopped and overtaken ends with GRADUS_STALE_RUN and changes nothing, ${times} of ${times}`, async () => {
  for (let i = 0; i < times; i++) {
    progress(i, times, 'overtaken')
    const dir = newFolder()
    const first = startScript('elsewhere.js', dir, String(2 + (i % 3)))
    try {
      assert.is(await first.line(), 'trains', first.errors())
      await wait(Math.random() * 20)
      first.child.kill('SIGSTOP')
      const state = () => readFileSync(`/proc/${first.child.pid}/stat`, 'utf8').split(') ')[1][0]
      await until(() => state() === 'T')
      const own = new Set([...contentsOf(dir).keys()].filter((name) => name.startsWith('checkpoints/')))
      const [{ epoch }] = (await checkpoints(dir)).filter(({ sound }) => sound).slice(-1)
      const model = tinyModel()
      // More are kept than the first would leave.
      const history = await fitTiny(model, dir, {
        epochs: epoch + 2,
        callbacks: [monitor({ histograms: 1 }), checkpoint({ keep: 'all' })],
      })
      assert.is(await digestOf(model, history), await uninterrupted(epoch + 2))
      const before = contentsOf(dir)
      first.child.kill('SIGCONT')
      assert.equal(await first.exited, [1, null])
      assert.match(first.errors(), /GRADUS_STALE_RUN/)
      assertUntouched(before, contentsOf(dir), own)
    } finally {
      await first.kill()
    }
    rmSync(dir, { recursive: true })
  }
})

test.run()
