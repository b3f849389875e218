// Signals while checkpoints are made: the step ends, the checkpoint is written, and the signal takes its way.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkpoint, checkpoints } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { newestClaim } from '../dist/claim.js'
import { startScript } from './support/lines.js'
import { digestOf, fitTiny, tinyModel, uninterrupted } from './support/tiny-run.js'
import { until } from './support/until.js'

const root = mkdtempSync(join(tmpdir(), 'gradus-signals-'))
test.after(() => rmSync(root, { recursive: true }))
let folders = 0
const newFolder = () => join(root, `${++folders}`)

/** Goes on for two epochs, and compares with a run that was never interrupted. */
async function goesOnExactly(dir) {
  const [{ epoch }] = (await checkpoints(dir)).slice(-1)
  const model = tinyModel()
  const history = await fitTiny(model, dir, { epochs: epoch + 2, callbacks: [checkpoint()] })
  assert.is(await digestOf(model, history), await uninterrupted(epoch + 2))
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} ends the process by that signal, with a checkpoint, and says how to go on`, async () => {
    const dir = newFolder()
    const { child, line, exited, errors, kill } = startScript('signalled.js', 'forever', dir)
    try {
      assert.is(await line(), 'trains')
      child.kill(signal)
      assert.equal(await exited, [null, signal], errors())
      const [{ path, sound }, ...others] = await checkpoints(dir)
      assert.equal([sound, others], [true, []])
      const said = errors()
        .split('\n')
        .filter((text) => text.includes('the step is done'))
      assert.is(said.length, 1, errors())
      const sentence = /^the step is done: (.*) written in \d+\.\d\d s; go on with: gradus resume (.*)$/
      assert.equal(sentence.exec(said[0])?.slice(1), [path, dir], said[0])
      const { record } = await newestClaim(join(dir, 'claims'))
      assert.equal([record.type, record.stoppedBy], ['end', signal])
      await goesOnExactly(dir)
    } finally {
      await kill()
    }
  })
}

test('a second signal ends it at once, whatever keeps the first one waiting', async () => {
  for (const signals of [
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGINT'],
  ]) {
    const dir = newFolder()
    const { child, line, exited, errors, kill } = startScript('signalled.js', 'stuck', dir)
    try {
      assert.is(await line(), 'trains')
      child.kill(signals[0])
      await until(() => existsSync(join(dir, 'claims')) && heard(child, signals[0]))
      const began = performance.now()
      child.kill(signals[1])
      assert.equal(await exited, [null, signals[1]], errors())
      console.log(`${signals[1]} again: gone after ${(performance.now() - began).toFixed(0)} ms`)
    } finally {
      await kill()
    }
  }
})

/** Whether the process listens to the signal no more: the system keeps a mask of what is caught. */
function heard({ pid }, signal) {
  const [, mask] = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  const number = { SIGINT: 2, SIGTERM: 15 }[signal]
  return (BigInt(`0x${mask}`) & (1n << BigInt(number - 1))) === 0n
}

test('two runs of one process both write their checkpoints before it ends', async () => {
  const dirs = [newFolder(), newFolder()]
  const { child, line, exited, errors, kill } = startScript('signalled.js', 'forever', ...dirs)
  try {
    assert.equal([await line(), await line()], ['trains', 'trains'])
    child.kill('SIGTERM')
    assert.equal(await exited, [null, 'SIGTERM'], errors())
    for (const dir of dirs) await goesOnExactly(dir)
  } finally {
    await kill()
  }
})

test('where the program listens itself, a checkpoint is written and training goes on', async () => {
  const dir = newFolder()
  const { child, line, exited, errors, kill } = startScript('signalled.js', 'own listeners', dir)
  try {
    assert.is(await line(), 'trains')
    child.kill('SIGTERM')
    assert.is(await line(), 'heard 1, written, trains on')
    assert.is(await line(), 'listening 0,1')
    assert.equal(await exited, [0, null], errors())
    await goesOnExactly(dir)
  } finally {
    await kill()
  }
})

test('nobody listens after a run, however it ended, nor in a worker thread', async () => {
  const counts = startScript('signalled.js', 'counts', ...Array.from({ length: 5 }, newFolder))
  const worker = startScript('signalled.js', 'worker', newFolder())
  try {
    assert.is(await counts.line(), '0,0 1,1 0,0 0,0 0,0 1,1 1,1 0,0', counts.errors())
    assert.is(await worker.line(), 'worker 0,0 main 0,0', worker.errors())
    assert.equal(
      [await counts.exited, await worker.exited],
      [
        [0, null],
        [0, null],
      ],
    )
  } finally {
    await counts.kill()
    await worker.kill()
  }
})

test.run()
