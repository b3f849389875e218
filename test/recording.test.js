// Run directories: what was written is what is read, however long the run, wherever a kill came.
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  endOf,
  histogramBins,
  histogramEdges,
  layerRowWidth,
  Rows,
  setEnd,
  stepRowWidth,
} from '../dist/watch/recording/files.js'
import { decodeCounts, HistogramEncoder } from '../dist/watch/recording/histogram-bytes.js'
import { findRuns, openRun, readHistograms, readSteps } from '../dist/watch/recording/index.js'
import { LayerLooks } from '../dist/watch/recording/layer-looks.js'
import { StepBuckets } from '../dist/watch/recording/step-buckets.js'
import { openDirectory } from './support/open-directory.js'
import { runInfo } from './support/run-info.js'

const test = suite('recording')
const folder = mkdtempSync(join(tmpdir(), 'gradus-recording-'))
test.after(() => rmSync(folder, { recursive: true }))

const tensors = [{ name: 'dense1.weight', shape: [3, 2] }]
const layers = [{ name: 'relu1', op: 'relu', units: 4 }]
const width = stepRowWidth(tensors.length)

/** Step i: all columns are simple functions of i; each seventh is refused. */
function rowsOf(from, count) {
  const rows = Rows.of(count, width)
  for (let i = 0; i < count; i++) {
    const step = from + i
    const refused = step % 7 === 6
    const loss = refused ? Number.NaN : 1 / (1 + step) + (step % 2) / 8
    const columns = [0, step / 10, loss, step / 4, 0.5, 0.25, refused ? Number.NaN : step, Number(refused)]
    rows.values.set([...columns, step % 3, 2, refused ? Number.NaN : 4, refused ? 0.5 : 0], i * width)
    rows.steps[i * width] = step
  }
  return rows
}

/** NaN and typed arrays as they can be compared. */
const plain = (value) => JSON.stringify(value)
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

for (const count of [1, 7, 8, 9, 100, 1003]) {
  test(`${count} steps in at most 8 stretches are their means, extremes and shares`, () => {
    const buckets = new StepBuckets(width, 8)
    for (let from = 0; from < count; from += 5) buckets.add(rowsOf(from, Math.min(5, count - from)))
    const series = buckets.series(tensors)
    let each = 1
    while (count > 8 * each) each *= 2
    assert.is(series.count, count)
    assert.is(series.lastStep, count - 1)
    assert.is(series.step.length, Math.ceil(count / each))
    let before = Number.NaN
    for (const [bucket, first] of series.step.entries()) {
      assert.is(first, bucket * each)
      const all = Array.from({ length: Math.min(each, count - first) }, (_, i) => first + i)
      const steps = all.filter((step) => step % 7 !== 6)
      const losses = steps.map((step) => Math.fround(1 / (1 + step) + (step % 2) / 8))
      const jumps = losses.map((loss, i) => loss - (i ? losses[i - 1] : before)).filter((jump) => !Number.isNaN(jump))
      before = losses.at(-1) ?? before
      const near = (column, expected) => {
        const actual = series[column][bucket]
        assert.ok(Object.is(actual, expected) || Math.abs(actual - expected) <= 1e-12 * Math.abs(expected), column)
      }
      near('loss', mean(losses))
      near('lossLeast', steps.length ? Math.min(...losses) : Number.NaN)
      near('lossMost', steps.length ? Math.max(...losses) : Number.NaN)
      near('lossNoise', Math.sqrt(mean(jumps.map((jump) => jump ** 2)) / 2))
      near('gradientNorm', mean(steps))
      near('refused', 1 - steps.length / all.length)
      const { ratio, nonfinite } = series.tensors[0]
      assert.ok(
        Object.is(ratio[bucket], mean(steps.map((step) => step % 3))) ||
          Math.abs(ratio[bucket] - mean(steps.map((step) => step % 3))) < 1e-12,
      )
      assert.ok(Math.abs(nonfinite[bucket] - (0.5 * (all.length - steps.length)) / all.length) < 1e-12)
    }
  })
}

test('looks at layers beyond the capacity are thinned evenly, whether they come one by one or all at once', () => {
  const row = (number) => {
    const rows = Rows.of(1, 8)
    rows.steps[0] = 50 * number
    rows.values.set([number, 1, 2, 0, 0], 3)
    return rows
  }
  const grown = new LayerLooks(layers, 16)
  for (let i = 0; i < 100; i++) grown.add(i, row(i), 0)
  const read = new LayerLooks(layers, 16)
  read.expect(100)
  while (read.next < 100) read.add(read.next, row(read.next), 0)
  assert.equal(grown.series(), read.series())
  assert.equal(
    [...grown.series().step],
    Array.from({ length: 13 }, (_, i) => 400 * i),
  )
  assert.equal([...grown.series().layers[0].dead], Array(13).fill(0.5))
})

async function writeRun(name, info = runInfo({ tensors })) {
  const path = join(folder, name)
  const directory = await openDirectory(path, info, { step: 0, goesOn: false })
  directory.addEntry({ type: 'begin', step: 0, time: 1 })
  for (const [from, count] of [
    [0, 100],
    [100, 1],
    [101, 899],
  ])
    directory.addSteps(rowsOf(from, count))
  for (const epoch of [1, 2]) directory.addEntry({ type: 'epoch', epoch, step: 500 * epoch, loss: 1 / epoch })
  await directory.close()
  return path
}

test('what was written is read, at once or as it grows', async () => {
  const path = await writeRun('whole')
  const { steps, epochs, end } = (await openRun(path)).recording()
  const expected = new StepBuckets(width)
  expected.add(rowsOf(0, 1000))
  assert.equal(plain(steps), plain(expected.series(tensors)))
  assert.equal(epochs, [
    { epoch: 1, step: 500, loss: 1 },
    { epoch: 2, step: 1000, loss: 0.5 },
  ])
  assert.is(end, null)

  const reader = await openRun(path)
  assert.is(await reader.refresh(), false)
  appendFileSync(join(path, 'metrics.jsonl'), '{"type":"end","step":1000,"time":2,"stop')
  await reader.refresh()
  assert.is(reader.recording().end, null)
  appendFileSync(join(path, 'metrics.jsonl'), 'pedBy":"epochs"}\n')
  assert.is(await reader.refresh(), true)
  assert.equal(reader.recording().end, { step: 1000, time: 2, stoppedBy: 'epochs' })
})

test('a part of a run is read in as many stretches as asked for', async () => {
  const path = await writeRun('zoom')
  const { info } = await openRun(path)
  const series = await readSteps(path, info, { from: 250, to: 349, buckets: 10 })
  assert.is(series.count, 100)
  assert.equal(
    [...series.step],
    Array.from({ length: 10 }, (_, i) => 250 + 10 * i),
  )
  const none = await readSteps(path, info, { from: 5000, to: 6000, buckets: 10 })
  assert.is(none.count, 0)
})

test('a kill at any byte loses the torn record alone, and the run goes on behind it', async () => {
  const path = await writeRun('killed')
  const [table, journal] = ['steps.f32', 'metrics.jsonl'].map((name) => join(path, name))
  const [steps, lines] = [readFileSync(table), readFileSync(journal)]
  const secondLast = lines.lastIndexOf('\n', lines.length - 2) + 1
  for (let cut = 1; cut <= 4 * width; cut += 3) {
    writeFileSync(table, steps)
    writeFileSync(journal, lines)
    truncateSync(table, steps.length - cut)
    truncateSync(journal, Math.max(secondLast, lines.length - cut))
    const torn = (await openRun(path)).recording()
    assert.is(torn.steps.count, 999)
    assert.is(torn.epochs.length, 1)
    const directory = await openDirectory(path, runInfo({ tensors }), { step: 999, goesOn: true })
    directory.addEntry({ type: 'begin', step: 999, time: 3 })
    directory.addSteps(rowsOf(999, 1))
    directory.addEntry({ type: 'epoch', epoch: 2, step: 1000, loss: 0.5 })
    await directory.close()
    const { steps: again, epochs } = (await openRun(path)).recording()
    assert.is(again.count, 1000)
    assert.is(epochs.length, 2)
  }
  assert.is(statSync(table).size, steps.length)
})

test('a run that goes on from an earlier step does the rest once more', async () => {
  const path = await writeRun('back')
  const directory = await openDirectory(path, runInfo({ tensors }), { step: 500, goesOn: true })
  directory.addEntry({ type: 'begin', step: 500, time: 3 })
  directory.addSteps(rowsOf(500, 10))
  await directory.close()
  const { steps, epochs } = (await openRun(path)).recording()
  assert.is(steps.count, 510)
  assert.equal(
    epochs.map(({ epoch }) => epoch),
    [1],
  )
})

test('a folder that holds a run takes no other', async () => {
  const path = await writeRun('taken')
  const again = await openDirectory(path, runInfo({ tensors }), { step: 0, goesOn: false }).catch((error) => error)
  assert.is(again.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(again.message, /^dir: .*taken holds a run already/)
  const other = await openDirectory(path, runInfo({ tensors: [] }), { step: 0, goesOn: true }).catch((error) => error)
  assert.match(other.message, /another model/)
  assert.is((await openRun(path)).recording().steps.count, 1000)
})

test('counts as bytes are the same counts again, all of them or a part', () => {
  const encoder = new HistogramEncoder()
  const cases = [
    [],
    [0],
    [1, 127, 128, 16383, 16384, 2 ** 24, 2 ** 32 - 256],
    [...Array(255).fill(0), 7, ...Array(256).fill(0), 7, ...Array(257).fill(0), 7, ...Array(600).fill(0)],
    Array.from({ length: 5 * histogramBins }, (_, i) => (i % 7 < 4 ? 0 : (i * 7919) % 40_000)),
  ]
  for (const counts of cases) {
    const bytes = encoder.encode(Float32Array.from(counts))
    assert.equal(decodeCounts(bytes, 0, counts.length), counts)
    const [from, to] = [Math.floor(counts.length / 3), Math.floor(counts.length / 2)]
    assert.equal(decodeCounts(bytes, from, to), counts.slice(from, to))
    for (let end = 0; end < bytes.length; end++) {
      assert.is(decodeCounts(bytes.subarray(0, end), 0, counts.length), null, `torn at ${end}`)
    }
  }
  assert.equal(decodeCounts(encoder.encode(Float32Array.of(2 ** 32)), 0, 1), [2 ** 32 - 1])
  assert.ok(encoder.encode(new Float32Array(histogramBins)).length === 2)
  assert.is(decodeCounts(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 1), 0, 1), null)
})

const infoWithLooks = runInfo({ tensors, layers, monitor: { every: 1, histograms: 50 } })

/** Bin b of the h-th histogram of a look: two of three bins are empty, the others' counts say where they are. */
const countAt = (look, h, b) => (b % 3 === 1 ? 1000 * look + histogramBins * h + b : 0)

function addLooks(directory, from, to) {
  for (let look = from; look < to; look++) {
    const rows = Rows.of(1, layerRowWidth(1))
    rows.steps[0] = 50 * look
    rows.values.set([look, 1, 2, 0, 0], 3)
    const counts = Array.from({ length: 3 * histogramBins }, (_, i) => {
      return countAt(look, Math.floor(i / histogramBins), i % histogramBins)
    })
    directory.addLooks(rows, [Float32Array.from(counts)])
  }
}

/** Steps of the looks whose histograms are whole; all are compared with what was written. */
async function checkHistograms(path, rows) {
  const names = { activations: 'relu1', gradients: 'dense1.weight', weights: 'dense1.weight' }
  const steps = []
  for (const [h, [kind, name]] of Object.entries(names).entries()) {
    const { step, counts } = await readHistograms(path, infoWithLooks, { kind, name, rows })
    const expected = step.map((of) => Array.from({ length: histogramBins }, (_, b) => countAt(of / 50, h, b)))
    assert.equal(counts, expected)
    steps.push(step)
  }
  assert.equal(steps, [steps[0], steps[0], steps[0]])
  return steps[0]
}

test('histograms are read at evenly spread looks', async () => {
  const path = join(folder, 'histograms')
  const directory = await openDirectory(path, infoWithLooks, { step: 0, goesOn: false })
  addLooks(directory, 0, 11)
  await directory.close()
  assert.equal(await checkHistograms(path, 3), [0, 250, 500])
  assert.equal([...(await openRun(path)).recording().layers.layers[0].mean], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  assert.equal([histogramEdges[0], histogramEdges[1], histogramEdges[63]], [2 ** -24, 1.5 * 2 ** -24, 192])
  const unknown = { kind: 'weights', name: 'x', rows: 3 }
  const wrong = await readHistograms(path, infoWithLooks, unknown).catch((error) => error)
  assert.is(wrong.code, 'GRADUS_INVALID_ARGUMENT')
})

test('a kill between two files loses the looks that are not whole in both, and the run goes on behind them', async () => {
  const path = join(folder, 'torn looks')
  const directory = await openDirectory(path, infoWithLooks, { step: 0, goesOn: false })
  addLooks(directory, 0, 4)
  await directory.close()
  const [table, bytes] = ['layers.f32', 'histograms.bin'].map((name) => join(path, name))
  const [looks, histograms] = [readFileSync(table), readFileSync(bytes)]
  const each = looks.length / 4
  const last = looks.readUInt32LE(each * 2 + 4)
  const cuts = [
    [looks.length, last, 3],
    [looks.length, histograms.length - 1, 3],
    [looks.length, last - 1, 2],
    [looks.length, 0, 0],
    [each * 3, histograms.length, 3],
    [each * 3 - 1, histograms.length, 2],
  ]
  for (const [looksLeft, histogramsLeft, whole] of cuts) {
    writeFileSync(table, looks.subarray(0, looksLeft))
    writeFileSync(bytes, histograms.subarray(0, histogramsLeft))
    assert.is((await checkHistograms(path, 9)).length, whole)
    const goingOn = await openDirectory(path, infoWithLooks, { step: 200, goesOn: true })
    addLooks(goingOn, whole, 6)
    await goingOn.close()
    assert.equal(await checkHistograms(path, 9), [0, 50, 100, 150, 200, 250])
  }
  const back = await openDirectory(path, infoWithLooks, { step: 100, goesOn: true })
  await back.close()
  assert.equal(await checkHistograms(path, 9), [0, 50])
  assert.is(statSync(bytes).size, looks.readUInt32LE(each + 4))
})

test('a place beyond 4 GiB is kept, and damaged places are as if there were nothing', async () => {
  const rows = Rows.of(2, 3)
  setEnd(rows, 3, 5 * 2 ** 32 + 7)
  assert.is(endOf(rows, 3), 5 * 2 ** 32 + 7)
  assert.is(endOf(rows), 0)
  const path = join(folder, 'damaged looks')
  const directory = await openDirectory(path, infoWithLooks, { step: 0, goesOn: false })
  addLooks(directory, 0, 3)
  await directory.close()
  const table = readFileSync(join(path, 'layers.f32'))
  table.writeUInt32LE(1e6, table.length / 3 + 8)
  writeFileSync(join(path, 'layers.f32'), table)
  assert.equal(await checkHistograms(path, 9), [0])
})

const broken = {
  'no JSON': '{',
  'an array': '[]',
  'another format': JSON.stringify({ ...runInfo({}), format: 2 }),
  'a prototype': JSON.stringify(runInfo({})).replace('"seed"', '"__proto__"'),
  'an escaped prototype': JSON.stringify(runInfo({})).replace('"seed"', '"__\\u0070roto__"'),
  'a shape of texts': JSON.stringify(runInfo({ tensors: [{ name: 'a', shape: ['x'] }] })),
  'tensors by number': JSON.stringify({ ...runInfo({}), tensors: 1e9 }),
}
for (const [name, text] of Object.entries(broken)) {
  test(`a run.json with ${name} is refused with its reason`, async () => {
    const path = join(folder, 'broken')
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'run.json'), text)
    const error = await openRun(path).catch((error) => error)
    assert.is(error.code, 'GRADUS_BAD_FILE')
    assert.match(error.message, 'run.json: ')
  })
}

test('lines of a journal that are no records are left out', async () => {
  const path = await writeRun('odd lines')
  const lines = [
    '',
    'null',
    '[1]',
    '{"type":"epoch"}',
    '{"type":"__proto__","step":1}',
    '{"type":"predictions","epoch":1,"step":1,"predicted":["x"],"actual":[]}',
    '{"type":"epoch","epoch":3,"step":1500,"loss":0.1,"__proto__":{"x":1}}',
  ]
  appendFileSync(join(path, 'metrics.jsonl'), `${lines.join('\n')}\n`)
  const { epochs, predictions } = (await openRun(path)).recording()
  assert.equal(
    epochs.map(({ epoch }) => epoch),
    [1, 2],
  )
  assert.equal(predictions, [])
})

test('runs are found in a folder, but not through links that lead out of it', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'gradus-outside-'))
  const runs = join(folder, 'runs')
  mkdirSync(join(runs, 'empty'), { recursive: true })
  for (const place of [join(runs, 'b'), join(runs, 'a'), outside]) {
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'run.json'), JSON.stringify(runInfo({})))
  }
  symlinkSync(outside, join(runs, 'link'))
  symlinkSync(join(runs, 'a'), join(runs, 'within'))
  assert.equal(await findRuns(runs), ['a', 'b', 'within'])
  assert.equal(await findRuns(join(runs, 'a')), ['.'])
  rmSync(outside, { recursive: true })
})

test.run()
