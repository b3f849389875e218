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
import { RunDirectory } from '../dist/watch/monitor/run-directory.js'
import { histogramEdges, layerRowWidth, Rows, stepRowWidth } from '../dist/watch/recording/files.js'
import { findRuns, openRun, readHistograms, readSteps } from '../dist/watch/recording/index.js'
import { LayerLooks } from '../dist/watch/recording/layer-looks.js'
import { StepBuckets } from '../dist/watch/recording/step-buckets.js'
import { runInfo } from './support/run-info.js'

const test = suite('recording')
const folder = mkdtempSync(join(tmpdir(), 'gradus-recording-'))
test.after(() => rmSync(folder, { recursive: true }))

const tensors = [{ name: 'dense1.weight', shape: [3, 2] }]
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
  const layers = [{ name: 'relu1', op: 'relu', units: 4 }]
  const row = (number) => {
    const rows = Rows.of(1, 6)
    rows.steps[0] = 50 * number
    rows.values.set([number, 1, 2, 0, 0], 1)
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
  const directory = await RunDirectory.open(path, info, { step: 0, goesOn: false })
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
    const directory = await RunDirectory.open(path, runInfo({ tensors }), { step: 999, goesOn: true })
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
  const directory = await RunDirectory.open(path, runInfo({ tensors }), { step: 500, goesOn: true })
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
  const again = await RunDirectory.open(path, runInfo({ tensors }), { step: 0, goesOn: false }).catch((error) => error)
  assert.is(again.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(again.message, /^dir: expected a folder without a run/)
  const other = await RunDirectory.open(path, runInfo({ tensors: [] }), { step: 0, goesOn: true }).catch(
    (error) => error,
  )
  assert.match(other.message, /another model/)
  assert.is((await openRun(path)).recording().steps.count, 1000)
})

test('histograms are read at evenly spread looks', async () => {
  const layers = [{ name: 'relu1', op: 'relu', units: 4 }]
  const info = runInfo({ tensors, layers, monitor: { every: 1, histograms: 50 } })
  const path = join(folder, 'histograms')
  const directory = await RunDirectory.open(path, info, { step: 0, goesOn: false })
  const cells = layerRowWidth(1, 1, true)
  assert.is(cells, 1 + 5 + 3 * 129)
  for (let look = 0; look < 11; look++) {
    const rows = Rows.of(1, cells)
    rows.values.set(Array.from({ length: cells }, (_, i) => 1000 * look + i))
    rows.steps[0] = 50 * look
    directory.addLayers(rows)
  }
  await directory.close()
  const firsts = { activations: 6, gradients: 6 + 129, weights: 6 + 258 }
  for (const [kind, first] of Object.entries(firsts)) {
    const name = kind === 'activations' ? 'relu1' : 'dense1.weight'
    const { step, counts } = await readHistograms(path, info, { kind, name, rows: 3 })
    assert.equal(step, [0, 250, 500])
    assert.equal(
      counts.map(([count]) => count),
      [first, 5000 + first, 10000 + first],
    )
    assert.is(counts[2].length, 129)
    assert.is(counts[2][128], 10000 + first + 128)
  }
  assert.equal([histogramEdges[0], histogramEdges[1], histogramEdges[63]], [2 ** -24, 1.5 * 2 ** -24, 192])
  const wrong = await readHistograms(path, info, { kind: 'weights', name: 'x', rows: 3 }).catch((error) => error)
  assert.is(wrong.code, 'GRADUS_INVALID_ARGUMENT')
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
