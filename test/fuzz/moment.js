// node test/fuzz/moment.js NAME: what hardly ever happens, at the moment when it hurts most. Each ends by itself and says 'held'.
import assert from 'node:assert/strict'
import { writeSync } from 'node:fs'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { limitColumnNorms } from 'gradus/kernels'
import { native } from '../../dist/native.js'
import { bases, hostFor } from './models.js'
import { datasetFor, trainCall } from './one-update.js'

const plain = bases[0]
const custom = bases.at(-1)

function made(base = plain, answer = (result) => result) {
  const host = hostFor(base.descriptor)
  const program = new native.Program(base.descriptor, (...asked) => answer(host(...asked), ...asked))
  const dataset = datasetFor(base)
  return { program, dataset, call: trainCall(dataset, 3) }
}

/** A call that fails on its way: the data of another model. */
const failing = () => {
  const { program } = made()
  return program.evaluate({ dataset: made(custom).dataset, batchSize: 2, threads: 1 })
}

const code = (promise) =>
  promise.then(
    () => 'resolved',
    (error) => error?.code ?? error,
  )

const withStacks = async (prepare) => {
  Error.prepareStackTrace = prepare
  const found = await code(failing())
  delete Error.prepareStackTrace
  assert.equal(found, 'GRADUS_SHAPE_MISMATCH')
}

/** A host does something once; then its call has ended and another one works. */
async function whileAnswering(act, expected) {
  let isFirst = true
  const scene = made(custom, (result, ...asked) => {
    if (!isFirst) return result
    isFirst = false
    return act(scene, result, ...asked) ?? result
  })
  const found = await code(scene.program.train(scene.call))
  assert.ok([expected].flat().includes(found), `${String(found)}, expected ${expected}`)
  await stillWorks()
}

async function stillWorks() {
  for (const base of [plain, custom]) {
    const { program, call } = made(base)
    assert.equal((await program.train(call)).updates, 3)
    assert.equal(program.busy, false)
  }
}

const moments = {
  'a hook for stacks throws while a call fails': () =>
    withStacks(() => {
      throw new Error('planned')
    }),
  'a hook for stacks gives a symbol while a call fails': () => withStacks(() => Symbol('stack')),
  'a hook for stacks disposes the program that fails': async () => {
    const { program } = made()
    Error.prepareStackTrace = () => program.dispose()
    const found = await code(program.evaluate({ dataset: made(custom).dataset, batchSize: 2, threads: 1 }))
    delete Error.prepareStackTrace
    assert.equal(found, 'GRADUS_SHAPE_MISMATCH')
  },
  'columns without rows, without number': () => {
    limitColumnNorms(new Float32Array(0), { rows: 0, columns: 2 ** 53 - 1, limit: 1 })
  },
  'rows of no elements, without number': () => {
    const column = { name: 'x', type: 'float32', shape: [0] }
    assert.equal(new native.Dataset(2 ** 32 - 1, [column], null, null).firstNonfinite('input', 0), -1)
  },
  'a subset at the end of the stack, then a dataset': () => {
    const { dataset } = made()
    const rows = Uint32Array.of(1)
    const deeper = () => {
      try {
        dataset.subset(rows)
      } catch {}
      deeper()
    }
    assert.throws(deeper, RangeError)
    assert.equal(new native.Dataset(100, plain.inputs, null, null).size, 100)
  },
  'a getter of a result disposes the program': () =>
    whileAnswering(
      ({ program }, result) => ({
        get outputs() {
          program.dispose()
          return result.outputs
        },
        fingerprint: 0,
      }),
      ['GRADUS_DISPOSED', 'resolved'],
    ),
  'a setter of Array.prototype disposes the program': async () => {
    const scene = made(custom)
    const promise = scene.program.train(scene.call)
    Object.defineProperty(Array.prototype, 0, { configurable: true, set: () => scene.program.dispose() })
    const found = await code(promise)
    delete Array.prototype[0]
    assert.ok(['GRADUS_DISPOSED', 'resolved'].includes(found), String(found))
    await stillWorks()
  },
  'a host disposes its program': () =>
    whileAnswering(({ program }) => void program.dispose(), ['GRADUS_DISPOSED', 'resolved']),
  'a host disposes its dataset': () => whileAnswering(({ dataset }) => void dataset.dispose(), 'resolved'),
  'a host stops its call': () => whileAnswering(({ program }) => void program.stop(), 'resolved'),
  'a host calls its program': () =>
    whileAnswering(({ program, call }) => {
      assert.throws(() => program.train(call), { code: 'GRADUS_BUSY' })
      assert.throws(() => program.read('parameters', 0), { code: 'GRADUS_BUSY' })
    }, 'resolved'),
  'a host throws what is no error': async () => {
    for (const value of [undefined, null, 'planned', 5, Symbol.iterator, 7n]) {
      const { program, call } = made(custom, () => {
        throw value
      })
      let thrown = 'nothing'
      await program.train(call).catch((error) => {
        thrown = error
      })
      assert.equal(thrown, value)
      assert.equal(program.busy, false)
    }
  },
  'a host recurses until the stack ends': () =>
    whileAnswering(() => {
      const deeper = () => deeper()
      assert.throws(deeper, RangeError)
    }, 'resolved'),
  'a host gives arrays that are detached while others are read': () =>
    whileAnswering((_, result) => {
      const { outputs } = result
      const [first] = outputs
      Object.defineProperty(outputs, 0, {
        get() {
          structuredClone(first.buffer, { transfer: [first.buffer] })
          return first
        },
      })
      return { outputs, fingerprint: 0 }
    }, 'GRADUS_INVALID_ARGUMENT'),
  'all is collected while a call runs': async () => {
    let promise
    {
      const scene = made(custom, (result) => {
        globalThis.gc()
        return result
      })
      promise = scene.program.train(scene.call)
    }
    globalThis.gc()
    assert.equal((await promise).updates, 3)
  },
  'arrays are detached and data disposed as soon as a call runs': async () => {
    const { program, dataset, call } = made()
    const promise = program.train(call)
    structuredClone(call.learningRates.buffer, { transfer: [call.learningRates.buffer] })
    dataset.dispose()
    assert.equal((await promise).updates, 3)
  },
  'a program is disposed as soon as its call runs': async () => {
    for (const base of [plain, custom]) {
      const { program, call } = made(base)
      const promise = program.train(call)
      program.dispose()
      program.dispose()
      assert.ok(['resolved', 'GRADUS_DISPOSED'].includes(await code(promise)))
    }
    await stillWorks()
  },
  'constructors and prototypes are others than at load': async () => {
    const scene = made()
    const before = { Float32Array, Float64Array, Int32Array, Promise }
    for (const name of Object.keys(before)) globalThis[name] = function Other() {}
    Object.defineProperty(Object.prototype, 'outputs', { configurable: true, get: () => 5 })
    const { then } = before.Promise.prototype
    const promise = scene.program.predict({ dataset: scene.dataset, batchSize: 2, threads: 1 })
    Object.assign(globalThis, before)
    delete Object.prototype.outputs
    assert.equal((await then.call(promise, (value) => value)).length, 18)
  },
  'an error class that throws, or makes no error': async () => {
    for (const Wrong of [
      class {
        constructor() {
          throw new TypeError('planned')
        }
      },
      () => 5,
      function Plain() {
        return { plain: true }
      },
    ]) {
      native.setErrorClass(Wrong)
      let isThrown = false
      try {
        new native.Program({})
      } catch {
        isThrown = true
      }
      assert.ok(isThrown)
      assert.notEqual(await code(failing()), 'resolved')
    }
  },
  'a worker ends itself in its host': async () => {
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(new URL(import.meta.url), { workerData: { moment: 'end' } })
      assert.equal(await new Promise((resolve) => worker.once('exit', resolve)), 5)
    }
    await stillWorks()
  },
  'a call is left behind at the end': async () => {
    const { program, call } = made()
    program.train(call)
    made(custom)
      .program.train(made(custom).call)
      .catch(() => {})
    writeSync(1, 'held\n')
    process.exit(0)
  },
}

export const names = Object.keys(moments)

if (!isMainThread && workerData?.moment === 'end') {
  const { program, call } = made(custom, () => process.exit(5))
  program.train(call)
} else if (isMainThread && process.argv[1]?.endsWith('moment.js')) {
  await moments[process.argv[2]]()
  writeSync(1, 'held\n')
}
