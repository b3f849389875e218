// Run directories in which something is no plain file, leads elsewhere, or was made to take for ever: readers say so, soon.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dense, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { diagnoseRun } from '../dist/cli/diagnose.js'
import { files, layerRowWidth, Rows, setEnd } from '../dist/watch/recording/files.js'
import { openRun, readHistograms } from '../dist/watch/recording/index.js'
import { makeReport } from '../dist/watch/report/report.js'
import { answer, RunFolder } from '../dist/watch/server/index.js'
import { failure } from './support/reference.js'
import { RunWriter, runInfo } from './support/write-run.js'

const test = suite('odd files')
const root = realpathSync(mkdtempSync(join(tmpdir(), 'gradus-odd-')))
test.after(() => rmSync(root, { recursive: true }))
const good = join(root, 'good')
new RunWriter(good, { epochs: 2 }).train(2, 100).end()
const secret = 'nobody may read this'
const outside = join(root, 'outside')
mkdirSync(outside)
const secretRun = join(outside, 'run')
new RunWriter(secretRun, { epochs: 2 }).train(2, 100).end()
writeFileSync(join(secretRun, 'latest.json'), JSON.stringify({ epoch: 1, step: 1, secret }))
writeFileSync(join(secretRun, 'notes.json'), JSON.stringify({ text: secret, tags: [] }))

let copies = 0
/** A run, alone in a folder. */
function newRun() {
  const folder = join(root, `runs ${++copies}`)
  cpSync(good, join(folder, 'run'), { recursive: true })
  return { folder, run: join(folder, 'run') }
}

const oddities = {
  'a pipe': [(path) => execFileSync('mkfifo', [path]), 'it is not a regular file'],
  'a folder': [(path) => mkdirSync(path), 'it is a folder, not a file'],
  'a link to itself': [(path) => symlinkSync(path, path), 'it is a link, and none is followed here'],
  'a link that leads out': [
    (path) => symlinkSync(join(secretRun, path.split('/').at(-1)), path),
    'it is a link, and none is followed here',
  ],
}
const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))

for (const [oddity, [make, problem]] of Object.entries(oddities)) {
  for (const name of [files.info, files.journal, files.steps, files.layers, files.histograms, files.latest]) {
    test(`${oddity} in the place of ${name}`, async () => {
      const { run } = newRun()
      const path = join(run, name)
      rmSync(path, { force: true })
      make(path)
      if (name !== files.histograms && name !== files.latest) {
        const error = await failure(() => diagnoseRun(run, { json: true }))
        assert.is(`${error.code} ${error.message}`, `GRADUS_BAD_FILE ${path}: ${problem}`)
      }
      if (name === files.latest) return
      const error = await failure(() => makeReport(run))
      assert.is(error.code, 'GRADUS_BAD_FILE')
      assert.ok(error.message.startsWith(`${run} holds no run that can be read`) || error.message.includes(problem))
    })
  }
}

test('the command ends with 2 and one sentence, and does not wait', () => {
  for (const name of [files.info, files.journal, files.steps]) {
    const { run } = newRun()
    rmSync(join(run, name))
    execFileSync('mkfifo', [join(run, name)])
    for (const verb of ['diagnose', 'report']) {
      const { status, stderr, signal } = spawnSync(process.execPath, [command, verb, run], {
        cwd: root,
        encoding: 'utf8',
        timeout: 300_000,
      })
      assert.equal([status, signal], [2, null], stderr)
      assert.match(stderr, /^gradus: .*\n$/)
    }
  }
})

test('a run that goes on says what is no plain file', async () => {
  const model = sequential({ input: [2], seed: 2 }, [dense(2)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
  const data = {
    x: [
      [1, 2],
      [3, 4],
    ],
    y: [0, 1],
  }
  for (const name of [files.info, files.journal, files.steps, files.layers, files.histograms, 'claims/3.json']) {
    const dir = join(root, `going on ${name.replace('/', ' ')}`)
    await model.fit(data, { dir, quiet: true }).done
    rmSync(join(dir, name), { force: true })
    execFileSync('mkfifo', [join(dir, name)])
    const error = await failure(() => model.fit(data, { dir, quiet: true, epochs: 2, initialEpoch: 1 }).done)
    assert.is(`${error.code} ${error.message}`, `GRADUS_BAD_FILE ${join(dir, name)}: it is not a regular file`)
  }
})

test('what is watched leads nowhere, whatever becomes a link later, and is answered at once', async () => {
  const ask = async (folder) => {
    const all = []
    for (const path of ['/api/run', '/api/steps', '/api/latest', '/api/layers', '/api/histograms']) {
      const query = path === '/api/histograms' ? 'run=run&kind=weights&name=dense1.weight' : 'run=run'
      for (const run of folder.runs) await run.look()
      all.push(await answer(folder, path, query).catch((error) => ({ error: error.message })))
    }
    return all
  }
  for (const [name, kinds] of Object.entries({
    ...Object.fromEntries(Object.values(files).map((file) => [file, Object.keys(oddities)])),
    '': ['a link that leads out'],
  })) {
    for (const oddity of kinds) {
      const { folder, run } = newRun()
      writeFileSync(join(run, 'latest.json'), '{"epoch":1,"step":1}')
      const watched = await RunFolder.open(folder)
      const before = await ask(watched)
      assert.is(before.filter((value) => value?.error !== undefined).length, 0, JSON.stringify(before))
      if (name === '') {
        renameSync(run, join(folder, 'away'))
        symlinkSync(secretRun, run)
      } else {
        rmSync(join(run, name), { force: true })
        oddities[oddity][0](join(run, name))
      }
      const after = JSON.stringify(await ask(watched))
      assert.not.match(after, secret, `${oddity} ${name}`)
      if (name === '') assert.match(after, /was put in the place of another/)
    }
  }
})

/** Turns that others got while the work was done, and the most memory outside of V8's heap that it took. */
async function whileOthersWork(work) {
  let [turns, isDone, most] = [0, false, 0]
  const before = process.memoryUsage().arrayBuffers
  const others = (async () => {
    while (!isDone) {
      await new Promise(setImmediate)
      turns++
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
  })()
  const result = await work().finally(() => {
    isDone = true
  })
  await others
  return { turns, most, result }
}

test('a journal of 300 MB without an end of a line, or of records that say nothing, costs no more than reading it', async () => {
  for (const [text, size] of [
    ['', 300e6],
    ['{"type":"nothing"}\n', 20e6],
  ]) {
    const { run } = newRun()
    const journal = join(run, files.journal)
    if (text === '') truncateSync(journal, 0)
    else writeFileSync(journal, Buffer.alloc(size, text))
    truncateSync(journal, size)
    const { turns, most, result } = await whileOthersWork(() => openRun(run))
    assert.is(result.recording().epochs.length, 0)
    assert.ok(turns >= size / 2 ** 20 - 2, `${turns} turns`)
    assert.ok(most < 128e6, `${most} bytes`)
    rmSync(journal)
  }
})

test('a journal of lines that are no records is given up', async () => {
  for (const line of ['{"type":"epoch",\n', '{}\n', '\n', 'null\n']) {
    const { run } = newRun()
    writeFileSync(join(run, files.journal), Buffer.alloc(66e6, line))
    const error = await failure(() => openRun(run))
    assert.is(error.code, 'GRADUS_BAD_FILE')
    assert.match(error.message, /metrics\.jsonl: more than 1000 of its lines are no records$/)
  }
})

test('an entry of two million classes is no entry, a line longer than any is left out', async () => {
  const { run } = newRun()
  const counts = Array(2e6).fill(1)
  const entry = { type: 'predictions', epoch: 1, step: 1, predicted: counts, actual: counts }
  const epoch = { type: 'epoch', epoch: 1, step: 1, loss: 1, text: 'x'.repeat(17e6) }
  const last = { type: 'epoch', epoch: 2, step: 2, loss: 1 }
  writeFileSync(join(run, files.journal), [entry, epoch, last].map((line) => `${JSON.stringify(line)}\n`).join(''))
  const { predictions, epochs } = (await openRun(run)).recording()
  assert.equal([predictions.length, epochs.map(({ epoch }) => epoch)], [0, [2]])
})

test('ends near 2^64 in the table of looks are as if there were no histograms', async () => {
  const { run } = newRun()
  const info = runInfo()
  const width = layerRowWidth(info.layers.length)
  for (const [first, second] of [
    [2 ** 64 - 2048, 2 ** 64 - 1024],
    [2 ** 53 - 2, 2 ** 53 - 1],
    [2 ** 63, 2 ** 63 + 4096],
    [2 ** 40, 2 ** 40 + 100],
  ]) {
    const rows = Rows.of(2, width)
    setEnd(rows, 0, first)
    setEnd(rows, width, second)
    const file = openSync(join(run, files.layers), 'w')
    writeSync(file, new Uint8Array(rows.values.buffer))
    const found = await readHistograms(run, info, { kind: 'weights', name: 'dense1.weight', rows: 9 })
    assert.equal(found, { step: [], counts: [] })
    await makeReport(run)
  }
})

test.run()
