// What a monitor records is what happened, in memory and on disk alike.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  dense,
  linearRamp,
  meanSquaredError,
  monitor,
  relu,
  sequential,
  sgd,
  sharpness,
  softmaxCrossEntropy,
} from '../dist/index.js'
import { monitorByClock } from '../dist/watch/monitor/monitor.js'
import { openRun, readHistograms, readLatest } from '../dist/watch/recording/index.js'
import { until } from './support/until.js'

const test = suite('monitor')
const folder = mkdtempSync(join(tmpdir(), 'gradus-monitor-'))
test.after(() => rmSync(folder, { recursive: true }))

const rows = 70
const data = {
  x: Float32Array.from({ length: rows * 64 }, (_, i) => Math.abs(Math.sin(i * i)) % 1),
  y: Int32Array.from({ length: rows }, (_, i) => (i * i) % 3),
}
function makeModel({ momentum = 0, seed = 1, learningRate = 0.05 } = {}) {
  const layers = [dense(7), relu(), dense(3)]
  return sequential({ input: [64], seed }, layers).compile({
    loss: softmaxCrossEntropy(),
    optimizer: sgd({ learningRate, momentum }),
    metrics: ['accuracy'],
  })
}
const plain = (value) => JSON.stringify(value)
const near = (actual, expected, tolerance, what) =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.abs(expected), `${what}: ${actual} is not ${expected}`)
const norm = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))

test('losses, rates and norms are those of each step, ratios those of the weights before and after', async () => {
  const model = makeModel({ momentum: 0.5 })
  const watching = monitor()
  const weights = [model.getWeights()]
  const reports = []
  const follow = {
    onStepsEnd({ steps }) {
      reports.push(steps)
      weights.push(model.getWeights())
    },
  }
  const options = { epochs: 3, batchSize: 16, stepsPerCall: 1, quiet: true, callbacks: [watching, follow] }
  const schedule = linearRamp({ from: 0.1, to: 0.01, length: 15, unit: 'step' })
  const history = await model.fit(data, { ...options, schedule }).done
  const { steps, epochs, info, end } = watching.recording
  assert.is(steps.count, 15)
  assert.equal([...steps.step], [...steps.step.keys()])
  for (const [i, report] of reports.entries()) {
    near(steps.loss[i], report.loss[0], 1e-6, 'loss')
    near(steps.gradientNorm[i], report.gradientNorm[0], 1e-6, 'gradient norm')
    near(steps.learningRate[i], 0.1 - (0.09 * i) / 15, 1e-6, 'learning rate')
    assert.is(steps.momentum[i], 0.5)
    for (const { name, ratio, weightNorm } of steps.tensors) {
      const [before, after] = [weights[i][name].data, weights[i + 1][name].data]
      const change = norm(before.map((value, k) => after[k] - value))
      if (norm(before) > 0) near(ratio[i], change / norm(before), 1e-3, `ratio of ${name}`)
      near(weightNorm[i], norm(before), 1e-5, `norm of ${name}`)
    }
  }
  assert.equal(
    epochs.map(({ loss, accuracy }) => [loss, accuracy]),
    history.loss.map((loss, i) => [loss, history.accuracy[i]]),
  )
  assert.equal(
    epochs.map(({ step }) => step),
    [5, 10, 15],
  )
  assert.is(end.stoppedBy, 'epochs')
  assert.equal([info.examples, info.options.batchSize, info.options.isScheduled], [rows, 16, true])
  assert.equal(
    info.tensors.map(({ name, shape }) => [name, shape.join()]),
    [
      ['dense1.weight', '64,7'],
      ['dense1.bias', '7'],
      ['dense2.weight', '7,3'],
      ['dense2.bias', '3'],
    ],
  )
})

test('a run directory holds what memory holds, and a monitor changes no bit of the weights', async () => {
  const dir = join(folder, 'both')
  const [watched, alone] = [makeModel(), makeModel()]
  const watching = monitor({ histograms: 4 })
  const options = { epochs: 4, batchSize: 16, validationSplit: 0.2, quiet: true }
  await watched.fit(data, { ...options, dir, callbacks: [watching] }).done
  await alone.fit(data, options).done
  assert.equal(watched.getWeights(), alone.getWeights())
  const [inMemory, onDisk] = [watching.recording, (await openRun(dir)).recording()]
  assert.is(plain(onDisk), plain(inMemory))
  assert.is(inMemory.steps.count, 16)
  assert.equal([...inMemory.layers.step], [0, 4, 8, 12])
  assert.equal(
    inMemory.layers.layers.map(({ name, op, units }) => [name, op, units]),
    [
      ['relu1', 'relu', 7],
      ['dense2', 'dense', 3],
    ],
  )
  const { step, counts } = await readHistograms(dir, onDisk.info, { kind: 'activations', name: 'relu1', rows: 9 })
  assert.equal(step, [0, 4, 8, 12])
  assert.equal(
    counts.map((count) => count.reduce((a, b) => a + b)),
    [16 * 7, 16 * 7, 16 * 7, 16 * 7],
  )
})

test('every and histograms say how often; layers can be left out', async () => {
  const watching = monitor({ every: 4, histograms: false })
  await makeModel().fit(data, { epochs: 3, batchSize: 16, stepsPerCall: 3, quiet: true, callbacks: [watching] }).done
  const { steps, layers, info } = watching.recording
  assert.equal([...steps.step], [0, 4, 8, 12])
  assert.equal([layers.layers, info.layers, info.monitor.histograms], [[], [], null])
})

test('what the model says of the validation examples, and the pictures', async () => {
  const dir = join(folder, 'pictures')
  const model = makeModel()
  const validation = { x: data.x.slice(0, 20 * 64), y: data.y.slice(0, 20) }
  const watching = monitor()
  await model.fit(data, { epochs: 3, quiet: true, validation, dir, callbacks: [watching] }).done
  const scores = await model.predict(validation.x)
  const said = Array.from(validation.y, (_, i) => {
    const own = [...scores[i]]
    return own.indexOf(Math.max(...own))
  })
  const predicted = [0, 1, 2].map((label) => said.filter((other) => other === label).length)
  const actual = [0, 1, 2].map((label) => validation.y.filter((other) => other === label).length)
  const last = watching.recording.predictions.at(-1)
  assert.equal([last.epoch, last.predicted, last.actual], [3, predicted, actual])
  const latest = await readLatest(dir)
  for (const [row, label] of validation.y.entries()) latest.confusion[label][said[row]]--
  assert.equal(latest.confusion.flat(), Array(9).fill(0))
  assert.equal(
    latest.misclassified.map(({ row }) => row).sort((a, b) => a - b),
    [...said.keys()].filter((row) => said[row] !== validation.y[row]),
  )
  assert.equal(latest.image, { height: 8, width: 8, channels: 1 })
  const { row, image } = latest.misclassified[0]
  assert.equal(
    [...Buffer.from(image, 'base64')],
    [...validation.x.subarray(64 * row, 64 * row + 64)].map((value) => Math.round(255 * value)),
  )
  const { units, least, most, pixels } = latest.firstLayer
  const weights = model.getWeights()['dense1.weight'].data
  assert.equal([units, least, most], [7, Math.min(...weights), Math.max(...weights)])
  assert.is(
    Buffer.from(pixels, 'base64')[64 * 2 + 5],
    Math.round(((weights[5 * 7 + 2] - least) * 255) / (most - least)),
  )
})

test('a refused step is recorded with the place where numbers stopped being finite', async () => {
  const model = makeModel()
  const weights = model.getWeights()
  weights['dense2.weight'].data.fill(3e38) // whose sums overflow
  model.setWeights(weights)
  const dir = join(folder, 'refused')
  const watching = monitor()
  const run = model.fit(data, { epochs: 1, batchSize: 16, maxRefusedSteps: 3, quiet: true, dir, callbacks: [watching] })
  const error = await run.done.catch((error) => error)
  assert.is(error.code, 'GRADUS_NON_FINITE')
  const { steps, refusal, end } = watching.recording
  assert.equal([steps.count, steps.refused[0], steps.step[0]], [3, 1, 0])
  assert.is(refusal.layer, 'dense2')
  assert.equal([end.stoppedBy, end.error], ['error', error.message])
  assert.is(plain((await openRun(dir)).recording()), plain(watching.recording))
})

test('a run goes on in its directory; another one does not', async () => {
  const dir = join(folder, 'on')
  const options = { batchSize: 16, quiet: true, dir }
  const model = makeModel()
  await model.fit(data, { ...options, epochs: 2 }).done
  await model.fit(data, { ...options, epochs: 3, initialEpoch: 2 }).done
  const { steps, epochs, end } = (await openRun(dir)).recording()
  assert.equal([steps.count, epochs.map(({ epoch }) => epoch), end.step], [15, [1, 2, 3], 15])
  const again = await makeModel()
    .fit(data, { ...options, epochs: 1 })
    .done.catch((error) => error)
  assert.is(again.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(
    again.message,
    new RegExp(`^dir: ${dir} holds a run already; dir: '${folder}' with name: 'on' gives each`),
  )
  assert.is((await openRun(dir)).recording().steps.count, 15)
})

test('a killed run leaves all but its last moment', async () => {
  const dir = join(folder, 'killed')
  const child = spawn(process.execPath, [fileURLToPath(new URL('support/monitored-forever.js', import.meta.url)), dir])
  const steps = join(dir, 'steps.f32')
  try {
    await until(() => child.exitCode !== null || (existsSync(steps) && statSync(steps).size > 1e5))
    assert.is(child.exitCode, null)
  } finally {
    child.kill('SIGKILL')
  }
  await once(child, 'exit')
  const { epochs, steps: series, end } = (await openRun(dir)).recording()
  assert.ok(series.count > 500)
  assert.is(end, null)
  assert.equal(
    epochs.map(({ epoch }) => epoch),
    [...epochs.keys()].map((i) => i + 1),
  )
})

test('the largest eigenvalue of the Hessian is measured when asked for', async () => {
  const model = makeModel()
  const watching = monitor({ sharpness: { every: 2, examples: 40 } })
  await model.fit(data, { epochs: 5, batchSize: 16, quiet: true, callbacks: [watching] }).done
  const found = watching.recording.sharpness
  assert.equal(
    found.map(({ epoch, step }) => [epoch, step]),
    [
      [2, 10],
      [4, 20],
    ],
  )
  const again = makeModel()
  await again.fit(data, { epochs: 4, batchSize: 16, quiet: true }).done
  const { eigenvalue, learningRateLimit } = await sharpness(again, data, { examples: 40 })
  assert.equal(found[1], { epoch: 4, step: 20, eigenvalue, learningRateLimit })
  const stream = () => [data]
  const error = await model.fit(stream, { quiet: true, callbacks: [monitor({ sharpness: true })] }).done.catch((e) => e)
  assert.match(error.message, 'sharpness: expected')
})

test('streams, regressions and runs that end by themselves are recorded too', async () => {
  const model = sequential({ input: [64], seed: 1 }, [dense(1)]).compile({ loss: meanSquaredError(), optimizer: sgd() })
  const targets = Float32Array.from({ length: rows }, (_, i) => i / rows)
  const watching = monitor()
  const stop = ({ epoch, stop }) => epoch === 2 && stop('enough')
  const options = { epochs: 9, quiet: true, callbacks: [watching, stop] }
  await model.fit(() => [{ x: data.x, y: targets }], options).done
  const { steps, predictions, end, info } = watching.recording
  assert.equal([steps.count, predictions, end.stoppedBy, info.examples], [2, [], 'enough', null])
})

test('a monitor serves one run after the other', async () => {
  const watching = monitor()
  assert.is(watching.recording, null)
  for (const epochs of [2, 3]) {
    await makeModel().fit(data, { epochs, batchSize: 35, quiet: true, callbacks: [watching] }).done
    assert.is(watching.recording.steps.count, 2 * epochs)
  }
})

test('a run says what is wrong with it, with a monitor or by its epochs alone, at any time', async () => {
  const frozen = { epochs: 8, batchSize: 1, quiet: true }
  const said = []
  const run = makeModel({ learningRate: 1e-7 }).fit(data, { ...frozen, callbacks: [monitor()] })
  for await (const _ of run) said.push(run.diagnose()[0].rule)
  assert.is(said.length, 8)
  const [finding] = run.diagnose()
  assert.is(finding.rule, 'learningRateTooLow')
  assert.is(said.at(-1), finding.rule)
  const alone = makeModel({ learningRate: 1e-7 }).fit(data, { ...frozen, epochs: 40 })
  assert.is(alone.diagnose()[0].rule, 'tooShort')
  await alone.done
  assert.ok(alone.diagnose().length > 0)
})

test('classes have names, as many as there are', async () => {
  const dir = join(folder, 'named')
  const classNames = ['cat', 'dog', '<b>']
  await makeModel().fit(data, { epochs: 1, quiet: true, dir, callbacks: [monitor({ classNames })] }).done
  assert.equal((await openRun(dir)).info.classNames, classNames)
  const few = { quiet: true, callbacks: [monitor({ classNames: ['cat'] })] }
  const error = await makeModel()
    .fit(data, few)
    .done.catch((error) => error)
  assert.equal(
    [error.code, error.message],
    ['GRADUS_INVALID_ARGUMENT', 'classNames: expected 3 names, one for each class, received 1'],
  )
  const numbers = sequential({ input: [64] }, [dense(3)]).compile({ loss: meanSquaredError(), optimizer: sgd() })
  const other = numbers.fit({ x: data.x, y: new Float32Array(3 * rows) }, few).done.catch((error) => error)
  assert.match((await other).message, /classNames: expected a model that tells classes apart/)
})

test('looks are taken at all steps that one of the callbacks asks for', async () => {
  const watching = monitor({ histograms: 4 })
  const seen = []
  const other = {
    onTrainBegin: () => ({ inspections: { every: 6, histograms: false } }),
    onStepsEnd: ({ steps }) => void seen.push(...(steps.inspections?.steps ?? [])),
  }
  await makeModel().fit(data, { epochs: 3, batchSize: 16, quiet: true, callbacks: [watching, other] }).done
  assert.equal([...watching.recording.layers.step], [0, 4, 8, 12])
  assert.equal(seen, [0, 2, 4, 6, 8, 10, 12, 14])
})

const mistakes = {
  every: [0, 'every: expected a positive integer, received 0'],
  histograms: [-1, 'histograms: expected a positive integer'],
  dir: ['', 'dir: expected a path'],
  sharpness: [{ examples: 0 }, 'sharpness.examples: expected'],
  classNames: [['cat', 7], 'classNames[1]: expected a string, received 7'],
  interval: [1, 'there is no option "interval"'],
}
for (const [name, [value, message]] of Object.entries(mistakes)) {
  test(`${name}: ${JSON.stringify(value)} is refused`, () => {
    assert.throws(
      () => monitor({ [name]: value }),
      ({ code, message: text }) => code === 'GRADUS_INVALID_ARGUMENT' && text.includes(message),
    )
  })
}

test('a directory that cannot be is an error of the run, with its path', async () => {
  const file = join(folder, 'file')
  writeFileSync(file, 'x')
  const error = await makeModel()
    .fit(data, { quiet: true, dir: join(file, 'run') })
    .done.catch((error) => error)
  assert.is(error.code, 'GRADUS_BAD_FILE')
  assert.match(error.message, file)
  assert.is(readFileSync(file, 'utf8'), 'x')
  assert.throws(() => makeModel().fit(data, { dir: 5 }), /dir: expected a path/)
})

test('speed, delays and memory are recorded by the second of the clock that the monitor has', async () => {
  const clock = { time: 5000, now: () => clock.time, date: () => 1e12 + clock.time }
  const watching = monitorByClock({}, clock)
  const model = makeModel()
  const train = model.program.train.bind(model.program)
  let calls = 0
  model.program.train = async (call) => {
    const result = await train(call)
    clock.time += 300
    return { ...result, waited: ++calls }
  }
  await model.fit(data, { epochs: 3, stepsPerCall: 1, batchSize: 16, quiet: true, callbacks: [watching] }).done
  assert.is(calls, 15)
  // Calls 1 to 4, 5 to 8 and 9 to 12 take 1.2 s each; the fifth of each epoch has 6 examples.
  const expected = [
    { step: 4, time: 1e12 + 6200, samplesPerSecond: 64 / 1.2, eventLoopDelay: 2.5, eventLoopDelayMost: 4 },
    { step: 8, time: 1e12 + 7400, samplesPerSecond: 54 / 1.2, eventLoopDelay: 6.5, eventLoopDelayMost: 8 },
    { step: 12, time: 1e12 + 8600, samplesPerSecond: 54 / 1.2, eventLoopDelay: 10.5, eventLoopDelayMost: 12 },
  ]
  const { system, steps } = watching.recording
  assert.equal(
    system.map(({ memory, samplesPerSecond, ...entry }) => ({ ...entry, samplesPerSecond })),
    expected,
  )
  for (const { memory } of system) assert.ok(memory > 1e6 && memory < 1e12)
  near(steps.seconds.at(-1), 4.5, 1e-6, 'seconds since the begin')
})

test('a call tells how long its result waited for the event loop', async () => {
  const model = makeModel()
  const train = model.program.train.bind(model.program)
  /** A run of one step, while whose call nobody is there to take the result for so many milliseconds. */
  async function waitedFor(blocked) {
    let waited = 0
    let began = 0
    model.program.train = (call) => {
      began = performance.now()
      const promise = train(call)
      while (performance.now() < began + blocked);
      return promise
    }
    const onStepsEnd = ({ steps }) => {
      waited = steps.waited
    }
    await model.fit(data, { stepsPerCall: 1, batchSize: rows, quiet: true, callbacks: [{ onStepsEnd }] }).done
    return { waited, most: performance.now() - began }
  }
  // However busy the machine is, the step is over at some time, and then the result waits.
  for (let blocked = 25; ; blocked *= 2) {
    const { waited, most } = await waitedFor(blocked)
    assert.ok(waited >= 0 && waited <= most, `${waited} of ${most} ms`)
    if (waited > blocked / 2) break
    assert.ok(blocked < 20_000, `blocked for ${blocked} ms, and the result waited for ${waited}`)
  }
})

test.run()
