// Threads of calls: a program owns none, calls wait where the system gives none, and the floating-point environment
// that a thread inherits changes no bits.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { sharedLibrary } from './support/shared-library.js'
import { descriptor, longDataset } from './support/small-program.js'

const test = suite('threads')
const isLinux = process.platform === 'linux'
const printed = async (name, arguments_ = [], variables = {}) => {
  const file = fileURLToPath(new URL(`./support/${name}.js`, import.meta.url))
  const env = { ...process.env, ...variables }
  const { stdout } = await promisify(execFile)(process.execPath, [file, ...arguments_], { env, maxBuffer: 2 ** 24 })
  return JSON.parse(stdout)
}

if (isLinux) {
  test('150 programs in calls at once leave no thread behind', async () => {
    const threads = () => readdirSync('/proc/self/task').length
    const programs = Array.from({ length: 150 }, () => new native.Program(descriptor))
    const dataset = longDataset.subset(Uint32Array.from({ length: 2000 }, (_, i) => i)) // not done at once
    const call = { dataset, batchSize: 1, threads: 1 }
    await programs[0].evaluate(call)
    const before = threads()
    const results = await Promise.all(programs.map((program) => program.evaluate(call)))
    for (const { loss } of results) assert.is(loss, results[0].loss)
    // Those of the crew that stay are at most four. The others have been told to end, but the system may take a while.
    for (let turns = 0; threads() > before + 3 && turns < 2000; turns++) await new Promise(setImmediate)
    assert.ok(threads() <= before + 3, `${threads()} threads after ${before}`)
    await Promise.all(programs.map((program) => program.evaluate(call)))
  })

  test('where the system starts no thread a call waits for those there are, and is refused only without any', async () => {
    const preloaded = [process.env.LD_PRELOAD, await sharedLibrary('no-threads')].filter(Boolean).join(':')
    const outcomes = await printed('without-threads', [], { LD_PRELOAD: preloaded })
    assert.equal(outcomes, {
      'no thread at all': ['GradusError GRADUS_OUT_OF_THREADS', false],
      'the first thread': ['a loss', false],
      'four calls, one thread': ['a loss', 'a loss', 'a loss', 'a loss'],
      'no thread for a pool': 'a result', // of the call's own thread: `threads` is the most that it takes
    })
  })

  test('a library that flushes denormals changes no bits of kernels and training', async () => {
    const usual = await printed('denormal-bits')
    const flushing = await printed('denormal-bits', [await sharedLibrary('flush-denormals')])
    assert.equal([usual.flushed, flushing.flushed], [false, true])
    assert.equal(flushing.bits, usual.bits)
  })
}

test.run()
