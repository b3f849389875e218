// A run: awaited, iterated, left, stopped; what becomes of its errors.
import { spawnSync } from 'node:child_process'
import { dense, earlyStopping, fitLbfgs, sequential, sgd, softmaxCrossEntropy, tanh } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const rows = 40
const data = { x: numbers(2 * rows, 3), y: Int32Array.from({ length: rows }, (_, i) => i % 2) }

function model({ width = 4 } = {}) {
  const made = sequential({ input: [2], seed: 2 }, [dense(width), tanh(), dense(2)])
  return made.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 0.1 }), metrics: ['accuracy'] })
}

/** Rows that keep the wide network below at work for many seconds. */
const many = { x: new Float32Array(2 * 200_000), y: new Int32Array(200_000) }

function slow() {
  const wide = sequential({ input: [2], seed: 1 }, [dense(1500), tanh(), dense(1500), tanh(), dense(2)])
  return wide.compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
}

const quiet = { quiet: true }
const long = { ...quiet, epochs: 1e9 }

async function errorOf(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  assert.unreachable('nothing was thrown')
}

/** Pieces of 8 rows; after so many of them it does something else. */
function pieces(count, then = () => {}, closed = []) {
  return async function* () {
    try {
      for (let i = 0; i < count; i++) yield { x: data.x.subarray(0, 16), y: data.y.subarray(0, 8) }
      await then()
    } finally {
      closed.push('closed')
    }
  }
}
const forever = () => new Promise(() => {})

test('awaiting a run waits for its end and gives the history; its error is thrown', async () => {
  const run = model().fit(data, { ...quiet, epochs: 3 })
  const history = await run
  assert.equal([history.epochs, history.stoppedBy], [3, 'epochs'])
  assert.is(history, run.history)
  assert.is(await run.done, history)
  assert.is(await run.then(({ epochs }) => epochs), 3)
  const bad = { x: [[1, 2]], y: [7] }
  const error = await errorOf(model().fit(bad, quiet))
  assert.is(error.code, 'GRADUS_INVALID_DATA')
  const returned = (async () => model().fit(data, quiet))()
  assert.is((await returned).epochs, 1)
})

for (const [how, leave] of [
  ['break', () => 'break'],
  [
    'an error',
    () => {
      throw new Error('pruned')
    },
  ],
]) {
  test(`leaving the loop by ${how} stops the run`, async () => {
    const run = model().fit(data, long)
    let seen = 0
    const looped = (async () => {
      for await (const _ of run) if (++seen === 2 && leave() === 'break') break
      return 'left'
    })()
    assert.is(await looped.catch((error) => error.message), how === 'break' ? 'left' : 'pruned')
    assert.is(run.history.stoppedBy, 'break')
    assert.is((await run).stoppedBy, 'break')
  })
}

test('leaving the loop of a run that has ended changes nothing', async () => {
  const run = model().fit(data, { ...quiet, epochs: 3 })
  await run
  for await (const _ of run) break
  assert.equal([run.history.stoppedBy, run.history.epochs], ['epochs', 3])
})

test('the error of a run is heard by whoever leaves its loop', async () => {
  const mistake = new Error('at the end')
  const run = model().fit(data, {
    ...long,
    callbacks: [
      {
        onTrainEnd() {
          throw mistake
        },
      },
    ],
  })
  const looped = (async () => {
    for await (const _ of run) break
  })()
  assert.is(await errorOf(looped), mistake)
})

/** How a program of its own ends, and what it says. */
function spawn(body) {
  const script = `
    import { dense, sequential, sgd, softmaxCrossEntropy } from 'gradus'
    const model = sequential({ input: [2] }, [dense(2)])
    model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd(), metrics: ['accuracy'] })
    const good = { x: [[1, 2], [3, 4]], y: [0, 1] }
    ${body}`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('an error that comes after the loop was left by hand, with nobody waiting, ends the process', () => {
  const { status, stderr } = spawn(`
    const onEpochEnd = ({ epoch }) => { if (epoch === 4) throw new Error('in epoch 4') }
    const run = model.fit(good, { epochs: 9, quiet: true, callbacks: [onEpochEnd] })
    const loop = run[Symbol.asyncIterator]()
    await loop.next()
    loop.return()`)
  assert.is(status, 0, stderr)
  const kept = spawn(`
    const onTrainEnd = () => { throw new Error('at the end') }
    const { done } = model.fit(good, { epochs: 2, quiet: true, callbacks: [{ onTrainEnd }] })`)
  assert.is(kept.status, 1)
  assert.match(kept.stderr, /at the end/)
})

test('the best epoch is the one with the lowest validation loss, without validation the lowest loss', async () => {
  const validation = { x: numbers(20, 8), y: Int32Array.from({ length: 10 }, (_, i) => (i >> 1) % 2) }
  const run = model({ width: 16 }).fit(data, { ...quiet, epochs: 40, validation, batchSize: 8 })
  assert.is(run.best, null)
  const { valLoss, loss } = await run
  const epoch = 1 + valLoss.indexOf(Math.min(...valLoss))
  assert.equal([run.best.epoch, run.best.valLoss], [epoch, valLoss[epoch - 1]])
  const plain = model({ width: 16 }).fit(data, { ...quiet, epochs: 40, batchSize: 8 })
  assert.equal((await plain).loss, loss)
  assert.is(plain.best.epoch, 1 + loss.indexOf(Math.min(...loss)))
})

test('maxSeconds ends the run', async () => {
  const history = await model().fit(data, { ...long, maxSeconds: 0.05 })
  assert.is(history.stoppedBy, 'maxSeconds')
  assert.throws(() => model().fit(data, { ...quiet, maxSeconds: 0 }), /maxSeconds: expected a positive number/)
  assert.throws(() => model().fit(data, { ...quiet, maxSeconds: 1e9 }), /maxSeconds: expected .* up to 2147483/)
})

test('stop in the last step of an epoch keeps its record, in memory and of a stream', async () => {
  const onStepsEnd = ({ steps, stop }) => steps.rowsDone === rows && stop('enough')
  const history = await model().fit(data, { ...quiet, epochs: 3, callbacks: [{ onStepsEnd }] })
  assert.equal([history.epochs, history.stoppedBy, history.loss.length], [1, 'enough', 1])
  const ofStream = await model().fit(pieces(5), { ...quiet, epochs: 3, callbacks: [{ onStepsEnd }] })
  assert.equal([ofStream.epochs, ofStream.stoppedBy], [1, 'enough'])
})

test('an epoch whose validation is cut short has a record without it, and nobody judges it by the other columns', async () => {
  const hanging = pieces(1, forever)
  const stopping = earlyStopping({ patience: 1 })
  const run = model().fit(data, { ...quiet, epochs: 3, validation: hanging, callbacks: [stopping] })
  setTimeout(() => run.stop('tired'), 50)
  const history = await run
  assert.equal([history.epochs, history.stoppedBy, history.loss.length], [1, 'tired', 1])
  assert.equal([history.valLoss, stopping.best, run.best], [undefined, null, null])
})

for (const [what, start] of [
  ['training on a stream', (signal) => model().fit(pieces(1, forever), { ...quiet, signal }).done],
  ['validation', (signal) => model().fit(data, { ...long, validation: pieces(1, forever), signal }).done],
  ['evaluate', (signal) => model().evaluate(pieces(1, forever), { signal })],
]) {
  test(`an abort is heard while a stream hangs in ${what}`, async () => {
    const controller = new AbortController()
    const reason = new Error('no longer wanted')
    const error = errorOf(start(controller.signal))
    setTimeout(() => controller.abort(reason), 30)
    assert.is(await error, reason)
  })
}

test('an abort ends evaluate, predict and validation within the batch they are in', async () => {
  const reason = new Error('no longer wanted')
  for (const call of [
    (signal) => slow().evaluate(many, { signal }),
    (signal) => slow().predict(many.x, { signal }),
    (signal) => slow().fit(data, { ...quiet, validation: many, signal }).done,
  ]) {
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 20)
    assert.is(await errorOf(call(controller.signal)), reason)
  }
})

test('an abort of a call that waits for its turn is heard at once', async () => {
  const made = slow()
  // One call that goes on until it is stopped.
  const run = made.fit(many, { ...long, batchSize: 1, stepsPerCall: many.y.length })
  const controller = new AbortController()
  while (!made.program.busy) await new Promise(setImmediate)
  const waiting = errorOf(made.predict(data.x, { signal: controller.signal }))
  const reason = new Error('no longer wanted')
  setTimeout(() => controller.abort(reason), 5)
  const first = await Promise.race([waiting, run.done])
  assert.is(first, reason)
  run.stop()
  await run
  assert.is((await made.predict(data.x)).length, rows)
})

test('a stream that fails after stop() rejects the run, or warns when it is late: the process lives', async () => {
  const failing = pieces(1, async () => {
    throw new RangeError('the disk is gone')
  })
  const onStepsEnd = ({ stop }) => stop('enough')
  const error = await errorOf(model().fit(failing, { ...quiet, callbacks: [{ onStepsEnd }] }))
  assert.is(error.message, 'the disk is gone')

  const warned = new Promise((resolve) => process.once('warning', resolve))
  let fail
  const late = pieces(1, () => new Promise((_, reject) => (fail = reject)))
  const history = await model().fit(late, { ...quiet, callbacks: [{ onStepsEnd }] })
  assert.is(history.stoppedBy, 'enough')
  fail(new RangeError('the disk is gone'))
  const warning = await warned
  assert.is(warning.code, 'GRADUS_STREAM_FAILED')
  assert.match(warning.message, /failed after it was no longer needed: RangeError: the disk is gone/)
})

test('a bad first piece closes the generator, in fit and evaluate', async () => {
  for (const use of [(stream) => model().fit(stream, quiet).done, (stream) => model().evaluate(stream)]) {
    const closed = []
    const bad = async function* () {
      try {
        yield { x: [[1]], y: [0] }
      } finally {
        closed.push('closed')
      }
    }
    assert.is((await errorOf(use(bad))).code, 'GRADUS_INVALID_ARGUMENT')
    assert.equal(closed, ['closed'])
  }
})

test('a stream is closed before the run has ended', async () => {
  const closed = []
  const run = model().fit(pieces(1e9, undefined, closed), quiet)
  for (let i = 0; i < 3; i++) await new Promise(setImmediate)
  run.stop()
  await run
  assert.equal(closed, ['closed'])
})

for (const [what, start] of [
  ['fit', (made, signal) => made.fit(many, { ...long, signal }).done],
  ['evaluate', (made, signal) => made.evaluate(many, { signal })],
  ['predict', (made, signal) => made.predict(many.x, { signal })],
]) {
  test(`dispose, then abort, during ${what}: an error of the call, not of the process`, async () => {
    const made = slow()
    const controller = new AbortController()
    const error = errorOf(start(made, controller.signal))
    while (!made.program.busy) await new Promise(setImmediate)
    made.dispose()
    controller.abort()
    const { name, code } = await error
    assert.ok(name === 'AbortError' || code === 'GRADUS_DISPOSED', `${name} ${code}`)
  })
}

test('dispose, then stop', async () => {
  const made = model()
  const run = made.fit(data, long)
  await new Promise((resolve) => setTimeout(resolve, 20))
  made.dispose()
  run.stop()
  await run.done.catch((error) => assert.is(error.code, 'GRADUS_DISPOSED'))
})

test('during fit weights are read and written in its callbacks alone; otherwise each time refused, not by chance', async () => {
  const made = model()
  const weights = made.getWeights()
  const seen = []
  const onEpochEnd = async () => {
    made.setWeights(weights)
    await new Promise(setImmediate)
    seen.push(made.getWeights())
  }
  await made.fit(data, { ...quiet, epochs: 4, callbacks: [{ onEpochEnd }] })
  assert.equal(seen, [weights, weights, weights, weights])

  let run
  const begun = new Promise((resolve) => {
    run = made.fit(data, { ...long, batchSize: 8, stepsPerCall: 1, callbacks: [{ onStepsEnd: () => resolve() }] })
  })
  await begun
  for (let i = 0; i < 150; i++) {
    await new Promise(setImmediate)
    for (const act of [() => made.getWeights(), () => made.setWeights(weights)]) {
      assert.throws(act, (error) => error.code === 'GRADUS_BUSY' && /callback of fit/.test(error.message))
    }
  }
  run.stop()
  await run
  made.setWeights(weights)
})

test('compile is refused while calls wait or are at work, and they come to their end', async () => {
  const made = model()
  const options = { loss: softmaxCrossEntropy(), optimizer: sgd() }
  const busy = () => {
    try {
      made.compile(options)
    } catch ({ code }) {
      return code
    }
    return 'compiled'
  }
  const [first, second] = [made.predict(data.x), made.evaluate(data)]
  // They copy their data, then wait for their turn.
  assert.is(busy(), 'GRADUS_BUSY')
  await new Promise(setImmediate)
  assert.is((await first).length, rows)
  assert.type((await second).loss, 'number')
  assert.is(busy(), 'compiled')

  const codes = []
  await fitLbfgs(made, data, { maxIterations: 3, onIteration: () => void codes.push(busy()) })
  assert.equal(codes, ['GRADUS_BUSY', 'GRADUS_BUSY', 'GRADUS_BUSY'])
})

test('onTrainEnd is told to the callbacks that were told of the begin, and to no others', async () => {
  const told = []
  const callback = { onTrainBegin: () => void told.push('begin'), onTrainEnd: () => void told.push('end') }
  await errorOf(model().fit({ x: [[1, 2]], y: [7] }, { ...quiet, callbacks: [callback] }))
  assert.equal(told, [])
  await model().fit(data, { ...quiet, callbacks: [callback] })
  assert.equal(told, ['begin', 'end'])
})

test('who asks a model while nobody awaits its run is told of the await, once a run, and nobody else', async () => {
  const warnings = []
  const listen = ({ code, message }) =>
    code === 'GRADUS_NOT_AWAITED' && warnings.push(message.slice(0, message.indexOf(' ')))
  process.on('warning', listen)
  const told = async (act) => {
    const made = model()
    await act(made, () => made.fit(data, { ...quiet, epochs: 50 }))
    await new Promise(setImmediate)
    return warnings.splice(0)
  }
  const forgotten = async (made, fit, ask) => {
    const run = fit()
    await ask(made)
    await ask(made)
    run.stop()
    await run
  }
  try {
    assert.equal(await told((made, fit) => forgotten(made, fit, () => made.evaluate(data))), ['evaluate()'])
    assert.equal(await told((made, fit) => forgotten(made, fit, () => made.predict(data.x))), ['predict()'])
    assert.equal(await told((made, fit) => forgotten(made, fit, () => made.toBuffer())), ['save()'])
    // Awaited, before or meanwhile; in a loop; in callbacks; without a run.
    assert.equal(await told((made, fit) => fit().then(() => made.evaluate(data))), [])
    assert.equal(await told((made) => Promise.all([made.fit(data, quiet), made.evaluate(data)])), [])
    const loop = async (made, fit) => {
      for await (const { epoch } of fit()) {
        await made.evaluate(data)
        if (epoch === 3) break
      }
    }
    assert.equal(await told(loop), [])
    const fromCallback = async (made) => {
      let ended
      const hasEnded = new Promise((resolve) => {
        ended = resolve
      })
      const onEpochEnd = async () => void (await made.evaluate(data))
      made.fit(data, { ...quiet, epochs: 2, callbacks: [{ onEpochEnd, onTrainEnd: ended }] })
      await hasEnded
    }
    assert.equal(await told(fromCallback), [])
    assert.equal(await told((made) => made.evaluate(data)), [])
  } finally {
    process.off('warning', listen)
  }
})

test.run()
