// A program whose study's trials go out through a queue: study.optimize({ queue }), its files, a folder for checkpoints, and who
// is refused.
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createStudy, defineStudy, random, uniform } from '../../dist/search/index.js'
import { queueAddress } from '../../dist/search/queue/address.js'
import { Broker } from '../../dist/search/queue/broker.js'
import * as messages from '../../dist/search/queue/messages.js'
import { postgres, redis } from '../soak/queue/servers.js'
import { startCommand, writeStudy } from '../support/search-studies.js'
import { until } from '../support/until.js'

const root = mkdtempSync(join(tmpdir(), 'gradus-queue-study-'))
// PostgreSQL runs as a user of its own.
chmodSync(root, 0o755)
process.once('exit', () => rmSync(root, { recursive: true, force: true }))

/** A folder with a study file; `data`: what it reads lies beside it. */
let machines = 0
function machine(data = null) {
  const folder = join(root, `machine-${++machines}`)
  mkdirSync(join(folder, 'data'), { recursive: true })
  const source = "(await import('node:fs')).readFileSync(new URL('data/rows.csv', import.meta.url), 'utf8')"
  const trial = `async ({ params }) => params.x + ${source}.split('\\n').reduce((sum, row) => sum + Number(row), 0)`
  const file = writeStudy(folder, { trials: 6, rest: "files: ['data/rows.csv'],", trial })
  if (data !== null) writeFileSync(join(folder, 'data/rows.csv'), data)
  return { folder, file, rows: join(folder, 'data/rows.csv') }
}

const hashOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex')
const rows = '100\n20\n3'

const running = []
for (const start of [redis, postgres]) {
  const folder = join(root, start.name)
  mkdirSync(folder, { mode: 0o755 })
  running.push(await start(folder))
}

for (const server of running) {
  const { url } = server
  const test = suite(`a program's queue on ${server.name}`)
  test.after(() => server.end())

  test('its trials are trained elsewhere, with the files that the study names, by checkpoints in a folder', async () => {
    const [here, there] = [machine(rows), machine()]
    assert.is(hashOf(here.file), hashOf(there.file))
    const [dir, artifacts] = [join(here.folder, 'study'), join(here.folder, 'artifacts')]
    const study = await createStudy(here.file, { dir })
    const notes = []
    const worker = startCommand('worker', there.file, '--queue', url, '--name', 'w')
    const told = { onNote: (text) => notes.push(text), quiet: true }
    assert.is(await study.optimize({ ...told, queue: { url, artifacts } }), 'done')
    assert.is((await worker.ended).code, 0)
    const trials = await study.trials()
    assert.is(trials.length, 6)
    for (const { state, params, value } of trials) assert.equal([state, value], ['complete', params.x + 123])
    assert.is(hashOf(there.rows), hashOf(here.rows))
    assert.ok(existsSync(artifacts))
    assert.ok(notes.includes('worker w has come'), notes.join('\n'))
  })

  test('a file of that name which is another one is left alone, and its worker says so', async () => {
    const [here, there] = [machine(rows), machine('1')]
    const study = await createStudy(here.file, { dir: join(here.folder, 'study') })
    const pause = new AbortController()
    const searching = study.optimize({ queue: { url }, quiet: true, signal: pause.signal })
    const { code, err } = await startCommand('worker', there.file, '--queue', url).ended
    assert.is(code, 2)
    assert.match(err, /rows\.csv: it is another file than the master's; remove it, and this worker gets that one/)
    assert.is(readFileSync(there.rows, 'utf8'), '1')
    pause.abort()
    assert.is(await searching, 'paused')
  })

  test('a worker of another version is refused by name', async () => {
    const here = machine(rows)
    const study = await createStudy(here.file, { dir: join(here.folder, 'study') })
    const [pause, notes] = [new AbortController(), []]
    const told = { onNote: (text) => notes.push(text), quiet: true, signal: pause.signal }
    const searching = study.optimize({ ...told, queue: url })
    const relay = (await Broker.open(queueAddress('url', url), () => undefined)).relay('gradus-study', 'old')
    const heard = []
    await relay.subscribe(messages.topics.worker('n1'), ({ data }) => heard.push(data))
    const hello = { type: 'hello', worker: 'old', node: 'n1', version: '0.0.9', module: hashOf(here.file), proof: '' }
    await until(async () => {
      await relay.publish(messages.topics.master, messages.toMasterData(hello))
      return heard.length > 0
    })
    const { type, reason } = messages.read('the master', heard[0], messages.toWorkerOf)
    assert.is(type, 'refused')
    assert.match(reason, /^it is Gradus 0\.0\.9, and the master is \d/)
    assert.ok(notes.includes(`worker old is refused: ${reason}`), notes.join('\n'))
    pause.abort()
    assert.is(await searching, 'paused')
    await relay.close()
  })

  test.run()
}

const refusals = suite('a program’s queue, refused')

async function refused(call, code, text) {
  const error = await call.then(
    () => assert.unreachable(),
    (error) => error,
  )
  assert.is(error.code, code, error.stack)
  assert.match(error.message, text)
}

refusals('what is no queue, or cannot go through one', async () => {
  const { folder, file } = machine(rows)
  const study = await createStudy(file, { dir: join(folder, 'study') })
  const own = defineStudy({
    metric: 'y',
    direction: 'minimize',
    trials: 1,
    sampler: random(),
    space: { x: uniform(0, 1) },
    trial: () => 1,
  })
  const inProgram = await createStudy(own, { dir: join(folder, 'own') })
  const url = 'redis://127.0.0.1:1'
  const invalid = 'GRADUS_INVALID_ARGUMENT'
  await refused(study.optimize({ queue: 7 }), invalid, 'queue: expected an options object, received 7')
  await refused(study.optimize({ queue: { adress: url } }), invalid, 'queue: there is no option "adress"')
  await refused(study.optimize({ queue: 'http://:s3cret@host' }), invalid, 'queue.url: expected redis://')
  await refused(study.optimize({ queue: {} }), invalid, 'queue.url: expected an address, or one in GRADUS_QUEUE')
  await refused(study.optimize({ queue: { url, name: 'a:b' } }), invalid, 'queue.name: expected 1 to 50 letters')
  await refused(study.optimize({ queue: { url, listen: 'here' } }), invalid, 'queue.listen: expected an address')
  await refused(study.optimize({ queue: url, workers: 2 }), invalid, 'workers: expected none beside queue, received 2')
  await refused(inProgram.optimize({ queue: url }), invalid, 'queue: workers elsewhere need the study as a file')
  await refused(study.optimize({ queue: url, quiet: true }), 'GRADUS_NO_QUEUE', 'it does not answer')
})

refusals.run()
