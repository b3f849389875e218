import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dense, earlyStopping, sequential, sgd, softmaxCrossEntropy, tanh } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

/** Two overlapping classes, few enough that a wide network overfits them. */
function examples(rows, phase) {
  const x = Array.from({ length: rows }, (_, i) => [Math.sin(12.9898 * i + phase), Math.cos(78.233 * i + phase)])
  const y = x.map(([a, b], i) => Number(a * b + Math.sin(i) > 0))
  return { x, y }
}
const train = examples(40, 0)
const validation = examples(30, 1)

function model({ learningRate = 0.5 } = {}) {
  const made = sequential({ input: [2], seed: 2 }, [dense(16), tanh(), dense(2)])
  const optimizer = sgd({ learningRate, momentum: 0.9 })
  return made.compile({ loss: softmaxCrossEntropy(), optimizer, metrics: ['accuracy'] })
}

const weightsOf = (made) => Object.values(made.getWeights()).map(({ data }) => [...data])

async function errorOf(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  assert.unreachable('nothing was thrown')
}

/** A callback that answers every event by doing something with the event's name and context. */
function onEveryEvent(act) {
  const events = ['onTrainBegin', 'onEpochBegin', 'onStepsEnd', 'onEpochEnd', 'onTrainEnd']
  return Object.fromEntries(events.map((event) => [event, (context) => act(event, context)]))
}

test('events come in order, each waited for, with what they are told', async () => {
  const made = model()
  const log = []
  const slow = onEveryEvent(async (event, { epoch, record, steps, history, stoppedBy }) => {
    await new Promise(setImmediate)
    const about = steps ? `${steps.firstStep}+${steps.updates} ${steps.rowsDone}/${steps.rowsTotal}` : ''
    log.push([event, epoch, about, record?.epoch ?? '', history.epochs, stoppedBy ?? ''].join(' ').trimEnd())
  })
  await made.fit(train, { epochs: 2, batchSize: 16, stepsPerCall: 2, callbacks: [slow], quiet: true }).done
  assert.equal(log, [
    'onTrainBegin 0   0',
    'onEpochBegin 1   0',
    'onStepsEnd 1 0+2 32/40  0',
    'onStepsEnd 1 2+1 40/40  0',
    'onEpochEnd 1  1 1',
    'onEpochBegin 2   1',
    'onStepsEnd 2 3+2 32/40  1',
    'onStepsEnd 2 5+1 40/40  1',
    'onEpochEnd 2  2 2',
    'onTrainEnd 2   2 epochs',
  ])
})

test('steps are told as columns', async () => {
  const columns = []
  const onStepsEnd = ({ steps }) => void columns.push(steps)
  await model().fit(train, { batchSize: 10, stepsPerCall: 4, callbacks: [{ onStepsEnd }], quiet: true }).done
  const [steps] = columns
  assert.is(steps.updates, 4)
  for (const name of ['loss', 'weight', 'gradientNorm', 'learningRates', 'refused']) {
    assert.is(steps[name].length, 4, name)
  }
  assert.equal([...steps.weight], [10, 10, 10, 10])
  assert.is(steps.metricSums.length, 2)
  assert.is(steps.tensors.length, 4 * 4 * 4)
})

test('callbacks that wish to see the layers are shown them, together, and the weights stay the same', async () => {
  const seen = []
  const onStepsEnd = ({ steps }) => void seen.push(steps.inspections)
  const callbacks = [
    { onTrainBegin: () => ({ inspections: { every: 6, histograms: true } }) },
    { onTrainBegin: async () => ({ inspections: { every: 3, histograms: false } }), onStepsEnd },
  ]
  const [watched, plain] = [model(), model()]
  const options = { epochs: 2, batchSize: 10, stepsPerCall: 2, quiet: true }
  await watched.fit(train, { ...options, callbacks }).done
  assert.equal(
    seen.map((inspections) => inspections && [...inspections.steps]),
    [[0], [3], undefined, [6]],
  )
  const { inspection } = watched.program
  assert.is(seen[0].values.length, inspection.width)
  assert.equal(
    inspection.layers.map(({ op }) => op),
    ['tanh', 'dense'],
  )
  await plain.fit(train, options).done
  assert.equal(weightsOf(watched), weightsOf(plain))

  for (const inspections of [null, 5, { every: 0, histograms: true }, { every: 5 }, { every: 5, histograms: 1 }]) {
    const callbacks = [{ onTrainBegin: () => ({ inspections }) }]
    const error = await errorOf(model().fit(train, { callbacks, quiet: true }))
    assert.equal([error.code, /^inspections/.test(error.message)], ['GRADUS_INVALID_ARGUMENT', true])
  }
})

test('a function is told of each epoch', async () => {
  const losses = []
  const history = await model().fit(train, {
    epochs: 3,
    callbacks: [({ record }) => void losses.push(record.loss)],
    quiet: true,
  }).done
  assert.equal(losses, history.loss)
  assert.is(losses.length, 3)
})

test('iterating gives each record once, from the first, also late and twice', async () => {
  const run = model().fit(train, { epochs: 4, quiet: true })
  const collect = async () => {
    const records = []
    for await (const record of run) records.push(record)
    return records
  }
  const [first, second] = await Promise.all([collect(), collect()])
  const history = await run.done
  assert.equal(
    first.map(({ epoch }) => epoch),
    [1, 2, 3, 4],
  )
  assert.equal(
    first.map(({ loss }) => loss),
    history.loss,
  )
  assert.equal([second, await collect()], [first, first])
  assert.equal([history.epochs, history.stoppedBy, run.history], [4, 'epochs', history])
})

test('an error comes out of the iteration and of done alike', async () => {
  const run = model().fit({ x: [[1, 2]], y: [7] }, { quiet: true })
  const iterate = async () => {
    for await (const _ of run) assert.unreachable()
  }
  const [first, second] = await Promise.all([errorOf(iterate()), errorOf(run.done)])
  assert.is(first, second)
  assert.is(first.code, 'GRADUS_INVALID_DATA')
})

for (const event of ['onTrainBegin', 'onEpochBegin', 'onStepsEnd', 'onEpochEnd', 'onTrainEnd']) {
  test(`an error thrown in ${event} ends the run with it and leaves the model usable`, async () => {
    const made = model()
    const mistake = new Error('mistake in a callback')
    const ended = []
    const thrower = {
      [event]: async () => {
        throw mistake
      },
    }
    const watcher = { onTrainEnd: ({ stoppedBy }) => void ended.push(stoppedBy) }
    const run = made.fit(train, { epochs: 3, callbacks: [thrower, watcher], quiet: true })
    assert.is(await errorOf(run.done), mistake)
    // Whoever was not told of the begin is not told of the end.
    assert.equal(ended, event === 'onTrainBegin' ? [] : [event === 'onTrainEnd' ? 'epochs' : 'error'])
    const steps = { onTrainBegin: 0, onEpochBegin: 0, onStepsEnd: 1, onEpochEnd: 2, onTrainEnd: 6 }
    assert.ok(made.program.step === steps[event] || event === 'onStepsEnd', `${made.program.step} steps`)
    assert.is((await made.fit(train, { quiet: true }).done).epochs, 1)
  })
}

test('stop in onEpochEnd ends the run after the epoch; in onStepsEnd, and from outside, after the step', async () => {
  const byEpoch = await model().fit(train, {
    epochs: 9,
    callbacks: [({ epoch, stop }) => epoch === 2 && stop('good enough')],
    quiet: true,
  }).done
  assert.equal([byEpoch.epochs, byEpoch.stoppedBy], [2, 'good enough'])

  const made = model()
  const onStepsEnd = ({ steps, stop }) => steps.firstStep === 4 && stop()
  const options = { epochs: 9, batchSize: 10, stepsPerCall: 1, quiet: true }
  const byStep = await made.fit(train, { ...options, callbacks: [{ onStepsEnd }] }).done
  assert.equal([byStep.epochs, byStep.stoppedBy, made.program.step], [1, 'stop', 5])

  const run = made.fit(train, { ...options, epochs: 1_000_000 })
  for await (const { epoch } of run) if (epoch === 3) run.stop('seen enough')
  const outside = await run.done
  assert.is(outside.stoppedBy, 'seen enough')
  assert.ok(outside.epochs < 1000)

  const atOnce = made.fit(train, { epochs: 5, quiet: true })
  atOnce.stop()
  assert.equal([(await atOnce.done).epochs, atOnce.history.stoppedBy], [0, 'stop'])
})

test('an aborted signal rejects with its reason: before, during and between steps', async () => {
  const made = model()
  const before = weightsOf(made)
  const reason = new Error('no longer wanted')
  const early = made.fit(train, { signal: AbortSignal.abort(reason), quiet: true })
  assert.is(await errorOf(early.done), reason)
  assert.equal(weightsOf(made), before)

  const controller = new AbortController()
  const ended = []
  const onStepsEnd = ({ steps }) => steps.firstStep === 2 && controller.abort(reason)
  const onTrainEnd = ({ stoppedBy }) => void ended.push(stoppedBy)
  const options = { epochs: 9, batchSize: 10, stepsPerCall: 1, quiet: true, signal: controller.signal }
  const late = made.fit(train, { ...options, callbacks: [{ onStepsEnd, onTrainEnd }] })
  assert.is(await errorOf(late.done), reason)
  assert.equal([ended, made.program.step, late.history.stoppedBy], [['abort'], 3, 'abort'])

  const plain = made.fit(train, { epochs: 1_000_000, signal: AbortSignal.timeout(20), quiet: true })
  assert.is((await errorOf(plain.done)).name, 'TimeoutError')
  const hanging = async function* () {
    await new Promise(() => {})
  }
  const impatient = new AbortController()
  setTimeout(() => impatient.abort(reason), 5)
  assert.is(await errorOf(made.fit(hanging, { signal: impatient.signal, quiet: true }).done), reason)
  assert.is(await errorOf(made.predict(train.x, { signal: AbortSignal.abort(reason) })), reason)
  assert.is(await errorOf(made.evaluate(train, { signal: AbortSignal.abort(reason) })), reason)
  assert.is((await made.fit(train, { quiet: true }).done).epochs, 1)
})

/** Overfits, so that the best validation loss lies before the end. */
const longRun = { epochs: 200, batchSize: 8, validation, quiet: true }

test('early stopping waits its patience out and restores the weights of the best epoch, nothing else', async () => {
  const [stopped, plain] = [model(), model()]
  const after = []
  const remember = () => void after.push(weightsOf(stopped))
  const stopping = earlyStopping({ patience: 6, restoreBest: true })
  const history = await stopped.fit(train, { ...longRun, callbacks: [remember, stopping] }).done
  const best = history.valLoss.indexOf(Math.min(...history.valLoss))
  assert.equal([history.stoppedBy, history.epochs], ['earlyStopping', best + 1 + 6])
  assert.equal(stopping.best, { epoch: best + 1, value: history.valLoss[best] })
  assert.equal(weightsOf(stopped), after[best])
  assert.not.equal(after.at(-1), after[best])
  assert.is((await stopped.evaluate(validation)).loss, history.valLoss[best])

  // The optimizer went on: its steps are those of the run without restoring.
  await plain.fit(train, { ...longRun, epochs: history.epochs }).done
  assert.is(stopped.program.step, plain.program.step)
  const velocity = stopped.program.arenas.find((arena) => arena !== 'parameters' && arena !== 'gradients')
  assert.equal([...stopped.program.read(velocity, 0)], [...plain.program.read(velocity, 0)])
})

test('without restoreBest the last weights stay; the object serves the next run afresh', async () => {
  const stopping = earlyStopping({ patience: 2 })
  const made = model()
  const after = []
  const options = { ...longRun, callbacks: [stopping, () => void after.push(weightsOf(made))] }
  await made.fit(train, options).done
  assert.equal(weightsOf(made), after.at(-1))
  const other = model()
  const again = await other.fit(train, { ...options, callbacks: [stopping] }).done
  assert.is(again.epochs, after.length)
})

test('early stopping watches what it is told, larger or smaller', async () => {
  const scripted = async (values, options) => {
    const stopping = earlyStopping(options)
    const stops = []
    await stopping.onTrainBegin({})
    for (const [i, value] of values.entries()) {
      const record = { epoch: i + 1, loss: 1, valAccuracy: value, valLoss: value }
      await stopping.onEpochEnd({
        ...{ target: model(), record, defaultColumn: 'valLoss' },
        stop: () => stops.push(i + 1),
      })
      if (stops.length) break
    }
    return [stopping.best?.epoch, stops[0]]
  }
  const rising = [0.1, 0.5, 0.4, 0.45, 0.6]
  assert.equal(await scripted(rising, { monitor: 'valAccuracy', patience: 2 }), [2, 4])
  assert.equal(await scripted(rising, { monitor: 'valAccuracy', patience: 3 }), [5, undefined])
  assert.equal(await scripted(rising, { monitor: 'valAccuracy', patience: 2, mode: 'min' }), [1, 3])
  assert.equal(await scripted(rising, { patience: 2 }), [1, 3])
  assert.equal(await scripted([1, 0.95, 0.9, 0.8], { patience: 3, minimumDelta: 0.15 }), [4, undefined])
  assert.equal(await scripted([1, 0.95, 0.9, 0.8], { patience: 2, minimumDelta: 0.5 }), [1, 3])
  assert.equal(await scripted([Number.NaN, 3, Number.NaN, 4], { patience: 2 }), [2, 4])
  assert.throws(() => earlyStopping({ patience: 0 }), /patience: expected a positive integer/)
  assert.throws(() => earlyStopping({ mode: 'auto' }), /mode: expected one of 'min', 'max'/)
})

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** What a programme that trains writes, and how it ends. */
function spawn(body) {
  const script = `
    import { dense, sequential, sgd, softmaxCrossEntropy } from 'gradus'
    const model = sequential({ input: [2] }, [dense(2)])
    model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd(), metrics: ['accuracy'] })
    const good = { x: [[1, 2], [3, 4]], y: [0, 1] }
    const bad = { x: [[1, 2]], y: [7] }
    ${body}`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('not in a terminal, a run writes nothing; when told to, one line an epoch, to standard error', () => {
  const { stdout, stderr } = spawn(`
    await model.fit(good, { epochs: 2, validation: good, quiet: false })
    await model.fit(good, { epochs: 3, callbacks: [({ stop }) => stop('enough')], quiet: false })
    await model.fit(good)
    console.log('a result')`)
  const number = '[0-9.e+-]+'
  const line = (epoch, values) =>
    new RegExp(
      `^epoch ${epoch} · ${number} s · [0-9]+ examples/s · ${values.map((name) => `${name} ${number}`).join(' · ')}$`,
    )
  const lines = stderr.split('\n')
  assert.match(lines[0], line('1/2', ['loss', 'learningRate', 'accuracy', 'valLoss', 'valAccuracy']))
  assert.match(lines[1], line('2/2', ['loss', 'learningRate', 'accuracy', 'valLoss', 'valAccuracy']))
  assert.match(lines[2], line('1/3', ['loss', 'learningRate', 'accuracy']))
  assert.equal(lines.slice(3), ['ended by enough in epoch 1', ''])
  assert.is(stdout, 'a result\n')
})

test('an error seen by the iteration alone, or by done alone, is no unhandled rejection', () => {
  const { status, stdout } = spawn(`
    try { for await (const _ of model.fit(bad, { quiet: true })); } catch (error) { console.log(error.code) }
    await model.fit(bad, { quiet: true }).done.catch((error) => console.log(error.code))
    await new Promise((resolve) => setTimeout(resolve, 20))`)
  assert.equal([status, stdout], [0, 'GRADUS_INVALID_DATA\nGRADUS_INVALID_DATA\n'])
})

test('an error that nobody could see ends the process; a run that nobody looks at trains', () => {
  const { status, stderr } = spawn(`model.fit(bad, { quiet: true })`)
  assert.is(status, 1)
  assert.match(stderr, /GRADUS_INVALID_DATA/)
  const unseen = spawn(`
    model.fit(good, { epochs: 3, quiet: true, callbacks: [{ onTrainEnd: ({ history }) => console.log(history.epochs) }] })`)
  assert.equal([unseen.status, unseen.stdout], [0, '3\n'])
})

test('early stopping without validation says once that it goes by the training loss', () => {
  const told = (options, more = '') => {
    const body = `
      const { earlyStopping } = await import('gradus')
      const options = () => ({ epochs: 2, quiet: true, callbacks: [earlyStopping(${options})], ${more} })
      for (let i = 0; i < 2; i++) await model.fit(good, options())`
    return spawn(body).stderr.match(/\[GRADUS_NO_VALIDATION\] GradusWarning: .*|\(node:\d+\) \[GRADUS.*/g) ?? []
  }
  const [line, ...others] = told('')
  assert.equal(others, [])
  assert.match(
    line,
    /\[GRADUS_NO_VALIDATION\] GradusWarning: earlyStopping\(\) goes by the training loss, .* say monitor: 'loss'/,
  )
  assert.equal(told("{ monitor: 'loss' }"), [])
  assert.equal(told('', 'validationSplit: 0.5'), [])
})

test.run()
