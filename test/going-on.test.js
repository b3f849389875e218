// Recordings that go on: what a later process finds, cuts off and adds, and what an earlier one that wakes up may still do.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { dense, loadModel, monitor, relu, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newestClaim, putClaim } from '../dist/claim.js'
import { openRunFolder } from '../dist/train/run-folder.js'
import { AppendFile } from '../dist/watch/monitor/append-file.js'
import { openPlace } from '../dist/watch/monitor/place.js'
import { RunDirectory } from '../dist/watch/monitor/run-directory.js'
import { Rows } from '../dist/watch/recording/files.js'
import { openRun, readInfo, writeLatest } from '../dist/watch/recording/index.js'
import { statusOf, WatchedRun } from '../dist/watch/server/watched-run.js'
import { startScript } from './support/lines.js'
import { failure } from './support/reference.js'
import { until } from './support/until.js'
import { RunWriter } from './support/write-run.js'

const test = suite('going on')
const folder = mkdtempSync(join(tmpdir(), 'gradus-going-on-'))
test.after(() => rmSync(folder, { recursive: true }))

const rows = 50
const data = {
  x: Float32Array.from({ length: rows * 8 }, (_, i) => Math.sin(i * i)),
  y: Int32Array.from({ length: rows }, (_, i) => (i * i) % 3),
}
// The sums of its last batch overflow: the last update of each epoch is refused, and shares its number with the next.
data.x.fill(3e38, (rows - 1) * 8)
const makeModel = () =>
  sequential({ input: [8], seed: 3 }, [dense(6), relu(), dense(3)]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: sgd({ learningRate: 0.01, momentum: 0.9 }),
  })
const options = { batchSize: 8, shuffle: false, quiet: true, stepsPerCall: 2 }

const read = (dir, name) => readFileSync(join(dir, name))
/** The table of steps without its seconds. */
function steps(dir) {
  const { buffer, byteOffset, byteLength } = Uint8Array.from(read(dir, 'steps.f32'))
  const width = 8 + 4 * 4
  const table = new Rows(buffer, width, byteOffset, byteLength / 4)
  assert.is(byteLength % (4 * width), 0)
  for (let row = 0; row < table.count; row++) table.values[row * width + 1] = 0
  return Buffer.from(buffer).toString('hex')
}
const lines = (dir) =>
  readFileSync(join(dir, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
const epochs = (dir) =>
  lines(dir)
    .filter(({ type }) => type === 'epoch')
    .map(({ seconds: _, samplesPerSecond: __, ...entry }) => entry)

test('a run that goes on with the memory of a checkpoint leaves the files of one that was never interrupted', async () => {
  const [whole, dir] = ['whole', 'interrupted'].map((name) => join(folder, name))
  await makeModel().fit(data, { ...options, epochs: 4, dir: whole }).done
  const file = join(folder, 'checkpoint')
  const first = monitor()
  let memory
  const model = makeModel()
  const keep = async () => {
    memory = structuredClone(first.state())
    await first.onCheckpoint()
    // As much as has happened lies on the disk by now.
    for (const [name, size] of Object.entries({
      'steps.f32': memory.sizes.steps,
      'layers.f32': memory.sizes.layers,
      'histograms.bin': memory.sizes.histograms,
      'metrics.jsonl': memory.sizes.journal,
    }))
      assert.is(statSync(join(dir, name)).size, size, name)
    await model.save(file, { optimizer: true })
  }
  const other = { onEpochEnd: ({ epoch }) => epoch === 2 && keep() }
  await model.fit(data, { ...options, epochs: 3, dir, callbacks: [first, other] }).done

  const again = monitor()
  const remind = { onTrainBegin: () => again.restore(memory) }
  const goesOn = { ...options, epochs: 4, initialEpoch: 2, dir, callbacks: [again, remind] }
  await (await loadModel(file)).fit(data, goesOn).done
  assert.is(steps(dir), steps(whole))
  assert.equal(read(dir, 'layers.f32'), read(whole, 'layers.f32'))
  assert.equal(read(dir, 'histograms.bin'), read(whole, 'histograms.bin'))
  assert.equal(epochs(dir), epochs(whole))
  assert.equal(
    lines(dir)
      .filter(({ type }) => type === 'begin' || type === 'end' || type === 'refusal')
      .map(({ type, step }) => `${type} ${step}`),
    ['begin 0', 'refusal 6', 'begin 12', 'end 24'],
  )
  // What is known in memory is what lies in the files, earlier epochs and all.
  assert.equal(JSON.stringify(again.recording), JSON.stringify((await openRun(dir)).recording()))
  const seconds = again.recording.steps.seconds.filter((value) => !Number.isNaN(value))
  assert.equal(
    [...seconds],
    [...seconds].sort((one, other) => one - other),
  )
})

/** Files of a folder that this process has open. */
const openIn = (dir) =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(dir) ? [path] : []
    } catch {
      return []
    }
  })

test('a model that has forgotten its step is refused before it cuts anything off', async () => {
  const dir = join(folder, 'forgotten')
  const model = makeModel()
  await model.fit(data, { ...options, epochs: 3, dir }).done
  const file = join(folder, 'weights')
  await model.save(file)
  const names = ['steps.f32', 'layers.f32', 'histograms.bin', 'metrics.jsonl']
  const before = names.map((name) => read(dir, name))
  const forgotten = (await loadModel(file)).compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
  const error = await failure(() => forgotten.fit(data, { ...options, epochs: 4, initialEpoch: 3, dir }).done)
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(error.message, /^initialEpoch: expected a model at step 18, where epoch 3 .* received one at step 0:/)
  assert.equal(
    names.map((name) => read(dir, name)),
    before,
  )
  assert.equal(openIn(dir), [])
  // Back to an epoch before the last one is no mistake.
  await forgotten.fit(data, { ...options, epochs: 2 }).done
  await forgotten.fit(data, { ...options, epochs: 3, initialEpoch: 2, dir }).done
  assert.equal(
    epochs(dir).map(({ epoch, step }) => [epoch, step]),
    [
      [1, 6],
      [2, 12],
      [3, 18],
      [3, 18],
    ],
  )
  assert.equal(
    (await openRun(dir)).recording().epochs.map(({ epoch }) => epoch),
    [1, 2, 3],
  )
})

for (const event of ['onTrainBegin', 'onEpochBegin', 'onStepsEnd', 'onEpochEnd', 'onTrainEnd']) {
  test(`a model disposed in ${event} leaves no file open, and an end`, async () => {
    const dir = join(folder, `disposed ${event}`)
    const model = makeModel()
    const callbacks = [monitor(), { [event]: () => model.dispose() }]
    if (event === 'onTrainEnd') callbacks.reverse()
    const { code } = await failure(() => model.fit(data, { ...options, epochs: 2, dir, callbacks }).done)
    assert.is(code, 'GRADUS_DISPOSED')
    assert.equal(openIn(dir), [])
    const { type, stoppedBy } = lines(dir).at(-1)
    assert.equal([type, stoppedBy], ['end', event === 'onTrainEnd' ? 'epochs' : 'error'])
    assert.is((await newestClaim(join(dir, 'claims'))).record.type, 'end')
  })
}

for (const name of ['steps.f32', 'layers.f32', 'histograms.bin', 'metrics.jsonl']) {
  test(`a folder in the place of ${name} ends the run with its name, and leaves no file open`, async () => {
    const dir = join(folder, `no ${name}`)
    mkdirSync(join(dir, name), { recursive: true })
    const error = await failure(() => makeModel().fit(data, { ...options, epochs: 2, dir }).done)
    assert.is(`${error.code} ${error.message}`, `GRADUS_BAD_FILE ${join(dir, name)}: it is a folder, not a file`)
    assert.equal(openIn(dir), [])
    assert.is((await newestClaim(join(dir, 'claims'))).record.stoppedBy, 'error')
  })
}

test('the last begin says which process runs, with how many threads, and to which epoch', async () => {
  const dir = join(folder, 'begins')
  const model = makeModel()
  await model.fit(data, { ...options, epochs: 1, threads: 1, dir }).done
  await model.fit(data, { ...options, epochs: 7, initialEpoch: 6, threads: 2, dir }).done
  const { info, begins } = (await openRun(dir)).recording()
  assert.equal(
    begins.map(({ step, process: number, host, threads, epochs }) => [step, number, host, threads, epochs]),
    [
      [0, process.pid, hostname(), 1, 1],
      [6, process.pid, hostname(), 2, 7],
    ],
  )
  assert.equal([info.options.epochs, info.options.threads], [7, 2])
  assert.equal(readInfo(dir).options.epochs, 1)
  const ofOther = (change) => {
    const [begin] = lines(dir)
    const path = join(dir, 'metrics.jsonl')
    writeFileSync(path, `${JSON.stringify(begin)}\n${JSON.stringify({ ...begin, ...change })}\n`)
    return openRun(dir).then(({ info, standing }) => statusOf(info, standing.end))
  }
  assert.is(await ofOther({}), 'running')
  assert.is(await ofOther({ process: 4_194_304 }), 'silent')
  // The number is that of a later process now.
  assert.is(await ofOther({ started: '1' }), 'silent')
  assert.is(await ofOther({ host: 'elsewhere', process: 4_194_304 }), 'running')
  assert.is(await ofOther({ process: 'x' }), 'running') // no begin: the one before counts
})

test('a reader follows a run that goes on from an earlier step, as if it had just been opened', async () => {
  const dir = join(folder, 'followed')
  const model = makeModel()
  const file = join(folder, 'followed model')
  const keep = ({ epoch }) => epoch === 2 && model.save(file, { optimizer: true })
  await model.fit(data, { ...options, epochs: 3, dir, callbacks: [keep] }).done
  const reader = await openRun(dir)
  const { generation } = reader
  const again = await loadModel(file)
  await again.fit(data, { ...options, epochs: 3, initialEpoch: 2, dir }).done
  assert.is(await reader.refresh(), true)
  assert.is.not(reader.generation, generation)
  assert.equal(JSON.stringify(reader.recording()), JSON.stringify((await openRun(dir)).recording()))
  assert.is(await reader.refresh(), false)
  // Cut to what a checkpoint had kept, and grown beyond what was read.
  const [begin] = lines(dir)
  const entries = Array.from({ length: 200 }, (_, i) => ({ type: 'epoch', epoch: i + 1, step: i, loss: i }))
  writeFileSync(join(dir, 'metrics.jsonl'), [begin, ...entries].map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  assert.is(await reader.refresh(), true)
  assert.is(reader.recording().epochs.length, 200)
  assert.equal(JSON.stringify(reader.recording()), JSON.stringify((await openRun(dir)).recording()))
})

test('what is watched of a run that goes on is what is there now, if it is as long as it was before too', async () => {
  const dir = join(folder, 'watched')
  const writer = new RunWriter(dir, { epochs: 2 })
  writer.train(2, 10)
  const watched = new WatchedRun('.', realpathSync(dir))
  await watched.look()
  const path = join(dir, 'metrics.jsonl')
  const before = readFileSync(path, 'utf8')
  const best = watched.summary().best
  // Not at the same time, so that its last line is another one.
  const later = before
    .replaceAll(/"(val)?(a|A)ccuracy":\d/g, '"$1$2ccuracy":9')
    .replace(/\d(\D*)$/, (end) => ((Number(end[0]) + 1) % 10) + end.slice(1))
  assert.is(later.length, before.length)
  await watched.look()
  writeFileSync(path, later)
  utimesSync(path, 1e9, 1e9)
  await watched.look()
  assert.is.not(watched.summary().best.value, best.value)
})

test('a file that grows is settled when all of it is written', async () => {
  const path = join(folder, 'growing')
  const file = await AppendFile.open(path, () => 0, false)
  const handle = await open(path)
  const prototype = Object.getPrototypeOf(handle)
  await handle.close()
  const { write } = prototype
  prototype.write = async function (...given) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    return await write.apply(this, given)
  }
  try {
    for (let i = 1; i <= 3; i++) {
      file.add(Buffer.alloc(1000))
      file.send()
      file.add(Buffer.alloc(1000))
      await file.settle()
      assert.is(statSync(path).size, 2000 * i)
    }
  } finally {
    prototype.write = write
    await file.close()
  }
})

test('a run that was overtaken ends at its next checkpoint or epoch, and adds nothing to its files', async () => {
  const dir = join(folder, 'stale')
  const watching = monitor()
  let sizes
  const overtake = async ({ call }) => {
    await watching.onCheckpoint()
    sizes = readdirSync(dir).map((name) => [name, statSync(join(dir, name)).size])
    await putClaim(join(dir, 'claims'), call.folder.claim + 1, { type: 'begin' })
    const error = await failure(() => watching.onCheckpoint())
    assert.is(error.code, 'GRADUS_STALE_RUN')
  }
  const callbacks = [watching, { onEpochEnd: ({ epoch, call }) => epoch === 2 && overtake({ call }) }]
  const error = await failure(() => makeModel().fit(data, { ...options, epochs: 9, dir, callbacks }).done)
  assert.is(error.code, 'GRADUS_STALE_RUN')
  const now = readdirSync(dir).map((name) => [name, statSync(join(dir, name)).size])
  assert.equal(
    now.filter(([name]) => name !== 'claims'),
    sizes.filter(([name]) => name !== 'claims'),
  )
  assert.is((await newestClaim(join(dir, 'claims'))).number, 2)
})

test('what the examples show is put in its place by the run that holds the folder alone', async () => {
  const dir = join(folder, 'latest')
  const watching = monitor()
  const callbacks = [watching, { onEpochBegin: ({ epoch, call }) => epoch === 2 && overtake(call) }]
  const overtake = async ({ folder }) => {
    const before = String(read(dir, 'latest.json'))
    const write = () => writeLatest(dir, { epoch: 9, step: 9 }, () => folder.check())
    await write()
    assert.equal(JSON.parse(read(dir, 'latest.json')), { epoch: 9, step: 9 })
    writeFileSync(join(dir, 'latest.json'), before)
    await putClaim(join(dir, 'claims'), folder.claim + 1, { type: 'begin' })
    assert.is((await failure(write)).code, 'GRADUS_STALE_RUN')
    assert.is(String(read(dir, 'latest.json')), before)
  }
  const fit = makeModel().fit(data, { ...options, epochs: 2, dir, callbacks }).done
  assert.is((await failure(() => fit)).code, 'GRADUS_STALE_RUN')
})

test('a process that was overtaken while it stood still ends, and writes into nothing that is read', async () => {
  const dir = join(folder, 'overtaken')
  const first = startScript('monitored-forever.js', dir)
  const table = join(dir, 'steps.f32')
  try {
    await until(() => existsSync(table) && statSync(table).size > 1e5)
    first.child.kill('SIGSTOP')
    const state = () => readFileSync(`/proc/${first.child.pid}/stat`, 'utf8').split(') ')[1][0]
    await until(() => state() === 'T')
    const claims = join(dir, 'claims')
    const { number, record } = await newestClaim(claims)
    writeFileSync(join(claims, `${number}.json`), JSON.stringify({ ...record, host: 'far-away' }))
    const taken = await openRunFolder({ dir }, true, { patience: 1 })
    assert.is(taken.tookOver, true)
    const place = await openPlace(taken, readInfo(dir), true)
    const directory = await RunDirectory.open(place, { step: 1000, sizes: null })
    await directory.close()
    const contents = () =>
      readdirSync(dir, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => [name, read(dir, name).toString('latin1')])
    const before = contents()
    assert.is((await openRun(dir)).recording().steps.count, 1000)
    first.child.kill('SIGCONT')
    const [code] = await first.exited
    assert.is(code, 1)
    assert.match(first.errors(), /GRADUS_STALE_RUN/)
    assert.equal(contents(), before)
    assert.is(await taken.isTaken(), false)
    assert.is((await newestClaim(claims)).number, 2)
    await taken.close('stop')
  } finally {
    await first.kill()
  }
})

test.run()
