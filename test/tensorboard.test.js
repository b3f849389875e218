// Event files of TensorBoard, read by plain code that shares nothing with the writer.
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { adam, cosine, dense, relu, sequential, softmaxCrossEntropy } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tensorboard } from '../dist/watch/tensorboard/index.js'
import { barePackage } from './support/bare-package.js'
import { readEvents, scalarsOf } from './support/event-file.js'
import { numbers } from './support/reference.js'

const test = suite('tensorboard')
const folder = mkdtempSync(join(tmpdir(), 'gradus-tensorboard-'))
test.after(() => rmSync(folder, { recursive: true }))

const rows = 60
const data = { x: numbers(3 * rows, 3), y: Int32Array.from({ length: rows }, (_, i) => i % 2) }
const model = () =>
  sequential({ input: [3], seed: 2 }, [dense(5), relu(), dense(2)]).compile({
    ...{ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'] },
  })
const fileIn = (dir) => join(dir, readdirSync(dir)[0])

test('every number of epochs and steps is there', async () => {
  const dir = join(folder, 'new', 'scalars')
  const seen = []
  const onStepsEnd = ({ steps }) => seen.push(steps)
  const before = Date.now() / 1000
  const schedules = { schedule: cosine({ length: 3 }), momentumSchedule: cosine({ length: 4, minimum: 0.5 }) }
  const options = { epochs: 3, batchSize: 8, stepsPerCall: 3, validation: data, quiet: true, ...schedules }
  const history = await model().fit(data, { ...options, callbacks: [tensorboard({ dir, every: 4 }), { onStepsEnd }] })
    .done
  assert.match(readdirSync(dir).join(), /^events\.out\.tfevents\.\d{10}\.[\w.-]+\.0$/)
  const [version, ...events] = readEvents(readFileSync(fileIn(dir)))
  assert.equal([version.fileVersion, version.step], ['brain.Event:2', 0])
  const times = [version, ...events].map(({ wallTime }) => wallTime)
  assert.equal(times, times.toSorted())
  assert.ok(times[0] >= before && times.at(-1) <= Date.now() / 1000)

  const { epochs, stoppedBy, epoch, valConfusionMatrix, ...columns } = history
  const found = scalarsOf(events)
  for (const [name, values] of Object.entries(columns)) {
    assert.equal(
      found[`epoch/${name}`],
      values.map((value, i) => [i + 1, Math.fround(value)]),
      name,
    )
  }
  assert.ok('momentum' in columns && 'valAccuracy' in columns)

  const expected = {}
  for (const steps of seen) {
    for (let i = 0; i < steps.updates; i++) {
      const step = steps.firstStep + i
      if (step % 4 !== 0) continue
      const add = (tag, value) => {
        expected[tag] ??= []
        expected[tag].push([step, Math.fround(value)])
      }
      for (const name of ['loss', 'regularizationLoss', 'gradientNorm']) add(`step/${name}`, steps[name][i])
      add('step/learningRate', steps.learningRates[i])
      add('step/momentum', steps.momenta[i])
      for (const [t, name] of ['dense1.weight', 'dense1.bias', 'dense2.weight', 'dense2.bias'].entries()) {
        const [, norm, change] = steps.tensors.subarray(16 * i + 4 * t)
        add(`ratio/${name}`, norm === 0 ? 0 : change / norm)
      }
    }
  }
  const ofSteps = Object.entries(found).filter(([tag]) => !tag.startsWith('epoch/'))
  assert.equal(Object.fromEntries(ofSteps), expected)
  assert.is(expected['step/loss'].length, 6)
})

/** A run's events by hand, of a program with these layers and tensors; returns what was written. */
async function written({ layers = [], tensors = [], ...options }, ...reports) {
  const dir = mkdtempSync(join(folder, 'by-hand-'))
  const parameters = [
    { name: 'frozen.weight', trainable: false },
    ...tensors.map((name) => ({ name, trainable: true })),
  ]
  const target = { program: { parameters, inspection: { layers: layers.map((layer) => ({ layer })) } } }
  const callback = tensorboard({ dir, ...options })
  const wishes = await callback.onTrainBegin({ target })
  for (const steps of reports) await callback.onStepsEnd({ target, steps })
  await callback.onTrainEnd({ target })
  return { wishes, events: readEvents(readFileSync(fileIn(dir))).slice(1) }
}

const columns = ['loss', 'regularizationLoss', 'gradientNorm']
const report = (updates, more) => ({
  ...{ updates, firstStep: 0, refused: new Uint8Array(updates), learningRates: new Float64Array(updates).fill(0.1) },
  ...Object.fromEntries(columns.map((name) => [name, Float64Array.from({ length: updates }, (_, i) => i)])),
  ...{ tensors: new Float64Array(0), ...more },
})

test('refused steps have no point; the next has their number', async () => {
  const refused = Uint8Array.of(0, 1, 1, 0, 0)
  const learningRates = Float64Array.of(3, 2, 1)
  const { events } = await written({ every: 1 }, report(5, { refused, learningRates, firstStep: 7 }))
  const found = scalarsOf(events)
  assert.equal(
    found['step/loss'],
    [0, 3, 4].map((loss, i) => [7 + i, loss]),
  )
  assert.equal(
    found['step/learningRate'],
    [3, 2, 1].map((rate, i) => [7 + i, rate]),
  )
})

const octave = (k) => (k % 2 ? 1.5 : 1) * 2 ** (Math.floor(k / 2) - 24)
/** The bins as they are agreed on, found by going through the edges one by one. */
function binsOf(values) {
  const counts = new Float32Array(129)
  for (const value of values) {
    let k = 0
    while (k < 64 && Math.abs(value) >= octave(k)) k++
    counts[64 + Math.sign(value) * k]++
  }
  return counts
}
const sum = (values) => values.reduce((a, b) => a + b, 0)
const squares = (values) => sum(values.map((value) => value * value))

test('histograms: each value in its bucket, sums known or estimated', async () => {
  const layers = ['dense1', 'shared', 'shared']
  const tensors = ['dense1.weight', 'dense1.bias']
  const values = [
    ...[numbers(1000, 1), [0, 0, 0, 0.75, -3], [Number.NaN]],
    ...[numbers(500, 2).map((v) => 1e-3 * v ** 3), [-1e-9, 1e-9]],
    ...[numbers(77, 3).map((v) => 150 * v), [1, 1, 1, 2 ** -24, -(2 ** -24), 191.9]],
  ].map((list) => [...list])
  const moments = values.slice(0, 3).map((list) => {
    const mean = sum(list) / list.length
    return [mean, Math.sqrt(squares(list) / list.length - mean * mean), 0, 0, 0]
  })
  const counts = values.map((list) => (Number.isNaN(list[0]) ? new Float32Array(129) : binsOf(list)))
  const row = Float32Array.of(...moments.flat(), ...counts.flatMap((bins) => [...bins]))
  // Another callback wants a look at every seventh step: each first one of ten that was not refused is written.
  const inspections = {
    ...{ steps: Float64Array.of(13, 14, 21, 28), refused: Uint8Array.of(0, 0, 1, 0) },
    values: Float32Array.of(...row, ...row.map(() => 7), ...row.map(() => Number.NaN), ...row),
  }
  const { events, wishes } = await written(
    { every: 1000, histograms: 10, layers, tensors },
    report(1, { firstStep: 1, tensors: new Float64Array(8), inspections }),
    report(0, { inspections: { steps: Float64Array.of(35), refused: Uint8Array.of(0), values: row } }),
  )
  assert.equal(wishes.inspections, { every: 10, histograms: true })
  assert.equal(
    events.map(({ step }) => step),
    [13, 28, 35],
  )
  for (const { values } of events) assert.equal(values, events[0].values)
  const tags = ['activations/dense1', 'activations/shared', ...['gradients', 'weights'].flatMap(ofTensors)]
  function ofTensors(kind) {
    return tensors.map((name) => `${kind}/${name}`)
  }
  assert.equal(
    events[0].values.map(({ tag }) => tag),
    tags,
  )
  const lists = values.filter((list) => !Number.isNaN(list[0]))
  for (const [i, { tag, histogram }] of events[0].values.entries()) {
    const list = lists[i]
    const { min, max, num, bucketLimit, bucket } = histogram
    assert.is(num, list.length, tag)
    assert.is(sum(bucket), num)
    assert.equal(
      bucketLimit,
      bucketLimit.toSorted((a, b) => a - b),
    )
    assert.ok(list.every((value) => value >= min && value <= max && bucketLimit.at(-1) === max))
    assert.ok(bucket[0] > 0 && bucket.at(-1) > 0, 'no empty buckets at the ends')
    for (const [b, count] of bucket.entries()) {
      const begin = bucketLimit[b - 1] ?? min
      const strictly = list.filter((value) => value > begin && value < bucketLimit[b]).length
      const atEnds = list.filter((value) => value === begin || value === bucketLimit[b]).length
      assert.ok(count >= strictly && count <= strictly + atEnds, `${tag} ${b}: ${count}`)
    }
    // A value is at most a fifth from the middle of its bin; those next to zero count as zero.
    const [error, squaresError] = i < 2 ? [1e-6, 1e-6] : [0.21, 0.45]
    assert.ok(Math.abs(histogram.sum - sum(list)) <= error * sum(list.map(Math.abs)) + 1e-8, tag)
    assert.ok(Math.abs(histogram.sumSquares - squares(list)) <= squaresError * squares(list) + 1e-16, tag)
  }
})

test('without histograms nothing is asked for, and what others asked for is not written', async () => {
  const values = new Float32Array(5)
  const inspections = { steps: Float64Array.of(0), refused: Uint8Array.of(0), values }
  const { events, wishes } = await written({ layers: ['a'] }, report(1, { firstStep: 1, inspections }))
  assert.equal([wishes.inspections, events], [undefined, []])
})

test('runs into one directory have files of their own; the object serves several runs', async () => {
  const dir = join(folder, 'shared')
  const callbacks = [tensorboard({ dir }), tensorboard({ dir })]
  for (let i = 0; i < 2; i++) await model().fit(data, { callbacks, quiet: true }).done
  const files = readdirSync(dir)
  assert.is(files.length, 4)
  const [first, ...others] = files.map((file) => readEvents(readFileSync(join(dir, file))).map(({ step }) => step))
  assert.ok(first.length >= 3)
  for (const other of others) assert.equal(other, first)
})

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

test('a killed run leaves whole records, and at most a torn last one', async () => {
  const dir = join(folder, 'killed')
  const script = `
    import { dense, sequential, sgd, softmaxCrossEntropy } from 'gradus'
    import { tensorboard } from './dist/watch/tensorboard/index.js'
    const model = sequential({ input: [2] }, [dense(2)]).compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
    const callbacks = [tensorboard({ dir: ${JSON.stringify(dir)}, every: 1 })]
    await model.fit({ x: [[1, 2], [3, 4]], y: [0, 1] }, { epochs: 1e9, callbacks, quiet: true }).done`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: root, stdio: 'inherit' })
  const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)))
  mkdirSync(dir)
  while (readdirSync(dir).length === 0 || readFileSync(fileIn(dir)).length < 10_000) await delay(5)
  child.kill('SIGKILL')
  assert.is(await ended, 'SIGKILL')
  const bytes = readFileSync(fileIn(dir))
  const whole = readEvents(bytes, { torn: true })
  assert.ok(whole.length > 20)
  // As if it had been killed in the middle of the last record.
  assert.is(readEvents(bytes.subarray(0, whole.at(-1).end - 1), { torn: true }).length, whole.length - 1)
})

test('a full disk costs the curves, with one warning, and not the training', () => {
  // No file may be longer than a few blocks: what is written beyond fails, as on a full disk.
  const script = `
    import { dense, sequential, sgd, softmaxCrossEntropy, tensorboard } from 'gradus'
    const model = sequential({ input: [2] }, [dense(2)]).compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
    process.on('warning', ({ code, message }) => console.log(code, message.replace(/: .*\\. /, ': …. ')))
    const callbacks = [tensorboard({ dir: ${JSON.stringify(join(folder, 'full'))}, every: 1 })]
    const { epochs } = await model.fit({ x: [[1, 2], [3, 4]], y: [0, 1] }, { epochs: 500, quiet: true, callbacks })
    console.log(epochs)`
  const command = `trap '' XFSZ; ulimit -f 8; exec "$0" --no-warnings --input-type=module -e "$1"`
  const out = execFileSync('sh', ['-c', command, process.execPath, script], { cwd: root, encoding: 'utf8' })
  const warning = `GRADUS_NOT_RECORDED TensorBoard's file in ${join(folder, 'full')} is no longer written: …. Training goes on`
  assert.equal(out.split('\n').sort(), ['', '500', warning])
})

test('what is asked for is checked, and a missing package named with the command that installs it', () => {
  for (const [options, message] of [
    [{}, /^dir: expected a path, received undefined/],
    [{ dir: '' }, /^dir: /],
    [{ dir: 'a', every: 0 }, /^every: /],
    [{ dir: 'a', histograms: 1.5 }, /^histograms: /],
    [{ dir: 'a', steps: 1 }, /^tensorboard: there is no option "steps"/],
    [undefined, /^dir: expected a path/],
  ]) {
    assert.throws(
      () => tensorboard(options),
      (error) => error.code === 'GRADUS_INVALID_ARGUMENT' && message.test(error.message),
    )
  }
  const bare = join(folder, 'bare')
  barePackage(bare)
  const script = `
    import { tensorboard } from './dist/watch/tensorboard/index.js'
    await tensorboard({ dir: 'runs' }).onTrainBegin().catch((error) => console.log(error.code, error.message))`
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: bare, encoding: 'utf8' })
  const command = 'npm install @bufbuild/protobuf'
  assert.is(out, `GRADUS_MISSING_PACKAGE tensorboard needs the package @bufbuild/protobuf: ${command}\n`)
  assert.equal(readdirSync(bare).includes('runs'), false)
})

test.run()
