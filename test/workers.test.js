// The addon in several threads, and at the end of things: worker threads ended in the middle of a step, processes that
// exit during a fit, objects that nobody holds while their call runs.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { dense, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { ended } from './support/ended.js'
import { numbers } from './support/reference.js'
import { trainedBits } from './support/side-by-side.js'

/** Under sanitizers, where everything takes ten times as long. */
const isQuick = process.env.GRADUS_QUICK !== undefined
const [terminations, turnsAtMost, exits] = isQuick ? [6, 4, 1] : [20, 10, 3]

const support = (name) => new URL(`./support/${name}.js`, import.meta.url)
const unfinished = (role) => new Worker(support('unfinished'), { workerData: { role } })

test('four workers train at once, each with the bits of a run alone', async () => {
  const seeds = [1, 2, 3, 4]
  const workers = seeds.map((seed) => new Worker(support('side-by-side'), { workerData: { seed } }))
  const messages = await Promise.all(workers.map((worker) => once(worker, 'message')))
  for (const [i, [bits]] of messages.entries()) assert.equal(bits, await trainedBits(seeds[i]))
  assert.is(new Set(messages.map(([[hash]]) => hash)).size, 4)
})

test('a worker terminated in the middle of a step, again and again', async () => {
  const alone = await trainedBits(1)
  for (let i = 0; i < terminations; i++) {
    const worker = unfinished(['wait', 'waitForThree'][i % 2])
    assert.equal(await once(worker, 'message'), ['begun'])
    assert.is(await worker.terminate(), 1)
  }
  assert.equal(await trainedBits(1), alone)
})

test('a worker terminated during a fit, at any of its turns', async () => {
  for (let turns = 1; turns <= turnsAtMost; turns++) {
    const worker = unfinished('fit')
    for (let i = 0; i < turns; i++) assert.equal(await once(worker, 'message'), ['begun'])
    assert.is(await worker.terminate(), 1)
  }
})

test('four workers terminated at once', async () => {
  const workers = [1, 2, 3, 4].map(() => unfinished('waitForThree'))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  assert.equal(await Promise.all(workers.map((worker) => worker.terminate())), [1, 1, 1, 1])
})

test('a worker that leaves with an unfinished step or fit', async () => {
  assert.equal(await once(unfinished('leave'), 'exit'), [3])
  assert.equal(await once(unfinished('leaveFit'), 'exit'), [4])
})

test('process.exit during a fit ends the process with its code; so does an uncaught error', async () => {
  const endings = { exitInCallback: 7, exitInFit: 7, exitInCall: 8, throwInCall: 1 }
  for (const [role, expected] of Object.entries(endings)) {
    for (let i = 0; i < exits; i++) {
      const { code, signal, stderr } = await ended('unfinished', role)
      assert.equal([code, signal], [expected, null], `${role}: ${stderr}`)
    }
  }
})

test('the objects of a call may be garbage while it runs, and are collected after it', async () => {
  const { stdout, stderr } = await ended('collected', '', '--expose-gc')
  assert.is(stderr, '')
  const { loss, output, collected } = JSON.parse(stdout)
  assert.ok(loss > 0 && loss < 2, `a loss of ${loss}`)
  assert.ok(output.length === 3 && output.every(Number.isFinite))
  const objects = ['dataset', 'program', 'view']
  assert.equal(
    collected,
    ['predict', 'train'].flatMap((call) => objects.map((object) => `${call}: ${object}`)),
  )
})

test('models and a dataset that nobody holds do their work to the end, and are collected after it', async () => {
  const { stdout, stderr } = await ended('forgotten', '', '--expose-gc')
  assert.is(stderr, '')
  const { predicted, forgotten, held, collected } = JSON.parse(stdout)
  assert.is(predicted, 32)
  assert.equal(forgotten, held)
  assert.equal(collected, ['dataset', 'model', 'model with functions'])
})

function programAndCall(rows) {
  const model = sequential({ input: [6], seed: 5 }, [dense(300), dense(300), dense(4)])
  const { descriptor } = model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
  const program = new native.Program(descriptor)
  const column = { name: 'x', type: 'float32', shape: [6] }
  const dataset = new native.Dataset(rows, [column], { name: 'y', type: 'int32', shape: [] }, null)
  dataset.write('input', 0, 0, Float32Array.from(numbers(rows * 6, 9)))
  const learningRates = new Float64Array(rows).fill(0.01)
  const order = { shuffle: false, epoch: 0, firstRow: 0, batchSize: 1, batches: rows }
  return { program, dataset, call: { dataset, learningRates, threads: 2, ...order } }
}

test('to stop or abort what is disposed of already does no harm', async () => {
  const { code, signal, stdout, stderr } = await ended('unfinished', 'abortAfterDispose')
  assert.equal([code, signal, stdout], [0, null, 'AbortError\n'], stderr)
})

async function codeOf(promise) {
  return promise.then(
    () => 'resolved',
    (error) => `${error.name} ${error.code}`,
  )
}

test('a program disposed in a call rejects it, then and for good', async () => {
  const calls = {
    train: (program, call) => program.train(call),
    evaluate: (program, { dataset, threads }) => program.evaluate({ dataset, batchSize: 1, threads }),
    predict: (program, { dataset, threads }) => program.predict({ dataset, batchSize: 1, threads }),
    gradient: (program, { dataset, threads }) =>
      program.gradient({ dataset, training: true, randomness: true, term: 'total', threads }),
  }
  for (const [name, begin] of Object.entries(calls)) {
    const { program, call } = programAndCall(2000)
    const promise = codeOf(begin(program, call))
    assert.ok(program.busy, name)
    program.dispose()
    program.dispose()
    assert.throws(
      () => begin(program, call),
      (error) => error.code === 'GRADUS_DISPOSED',
    )
    assert.is(await promise, 'GradusError GRADUS_DISPOSED', name)
    assert.not(program.busy)
    program.dispose()
  }
})

test('the collector hears of what calls make grow: dropped programs go before memory does', async () => {
  const [many, { descriptor }] = [200_000, sequential({ input: [6], seed: 5 }, [dense(5), dense(4)])]
  const dataset = new native.Dataset(many, [{ name: 'x', type: 'float32', shape: [6] }], null, null)
  let collected = 0
  const registry = new FinalizationRegistry(() => collected++)
  for (let i = 0; i < 40; i++) {
    const program = new native.Program(descriptor)
    registry.register(program, i)
    await program.predict({ dataset, batchSize: many, threads: 1 })
    await new Promise(setImmediate)
  }
  assert.ok(collected > 0)
})

test('a dataset disposed in a call stays until the call is done', async () => {
  const [kept, dropped] = [programAndCall(300), programAndCall(300)]
  const expected = await kept.program.train(kept.call)
  const promise = dropped.program.train(dropped.call)
  dropped.dataset.dispose()
  assert.equal((await promise).loss, expected.loss)
  assert.throws(
    () => dropped.program.train(dropped.call),
    (error) => error.code === 'GRADUS_DISPOSED',
  )
})

test('many programs in calls at once, in one thread', async () => {
  const all = Array.from({ length: 12 }, () => programAndCall(50))
  const results = await Promise.all(all.map(({ program, call }) => program.train(call)))
  for (const { loss } of results) assert.equal(loss, results[0].loss)
})

test.run()
