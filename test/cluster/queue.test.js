// Searches through a queue, on Redis and on PostgreSQL: whatever is killed, stopped, blocked or restarted, each trial has one result.
// Longer series of the same: npm run soak:queue.
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadModel } from '../../dist/index.js'
import { runPath } from '../../dist/study/layout.js'
import { blocked } from '../soak/queue/blocked.js'
import { master, worker } from '../soak/queue/common.js'
import { kills } from '../soak/queue/kills.js'
import { masters } from '../soak/queue/masters.js'
import { restarted } from '../soak/queue/restarted.js'
import { servers } from '../soak/queue/servers.js'
import { stopped } from '../soak/queue/stopped.js'
import { eventsOf, trialsOf, wrongIn } from '../soak/search/common.js'
import { chooser } from '../support/mortal-chain.js'
import { startCommand } from '../support/search-studies.js'
import { until } from '../support/until.js'

const root = mkdtempSync(join(tmpdir(), 'gradus-queue-'))
// PostgreSQL runs as a user of its own.
chmodSync(root, 0o755)
let folders = 0
const next = () => {
  const folder = join(root, `${++folders}`)
  mkdirSync(folder, { mode: 0o755 })
  return folder
}
process.once('exit', () => rmSync(root, { recursive: true, force: true }))

const scenarios = [
  ['workers that are killed', kills, { side: 3, pause: 50, every: 2500, most: 3 }],
  ['masters that are killed', masters, { times: 4, side: 4, pause: 200, longest: 1500 }],
  ['workers that are stopped, and come back late', stopped, { times: 2 }],
  ['a trial that blocks its thread for longer than the lease', blocked, { pause: 3500, lease: 1000 }],
  ['a server that goes away and comes back', restarted, { side: 4, pause: 100, away: 2000 }],
]

const running = []
for (const start of Object.values(servers)) running.push(await start(next()))

for (const server of running) {
  const test = suite(`queue on ${server.name}`)
  test.after(() => server.end())

  for (const [what, scenario, options] of scenarios) {
    test(what, async () => {
      const { found } = await scenario({ folder: next(), server, choose: chooser(7), ...options })
      assert.equal(found, [])
    })
  }

  test('a trial that pauses and goes on at another worker ends in the bits of one that never moved', async () => {
    const study = { kind: 'training', side: 2, pause: 100, epochs: 6 }
    const [dir, calm] = [join(next(), 'study'), join(next(), 'calm')]
    const moving = master(server.url, dir, study)
    let number = 0
    let one = worker(server.url, 'w0', study)
    // Another worker each time that a trial is in its middle.
    for (let moved = 0; moved < 3; moved++) {
      await until(() => eventsOf(one).some(({ type, epoch }) => type === 'report' && epoch < 5))
      one.child.kill('SIGTERM')
      const { code, out } = await one.ended
      assert.is(code, 0, out)
      one = worker(server.url, `w${++number}`, study)
    }
    const { code, err } = await moving.ended
    assert.is(code, 0, err)
    await one.ended
    const staying = master(server.url, calm, study)
    const still = worker(server.url, 'still', study)
    assert.is((await staying.ended).code, 0)
    await still.ended
    const [trials, expected] = [await trialsOf(dir), await trialsOf(calm)]
    assert.equal(wrongIn(trials, 4), [])
    const moves = trials.flatMap(({ changes }) => [...changes.values()].filter(({ type }) => type === 'paused'))
    assert.ok(moves.length >= 2, `${moves.length} moves`)
    assert.equal(
      trials.map(({ values, epochs }) => [epochs, values]),
      expected.map(({ values, epochs }) => [epochs, values]),
    )
    for (const [i, trial] of trials.entries()) assert.is(await weightsOf(trial), await weightsOf(expected[i]))
  })

  test('a worker of another study file, or with another token, is refused by name; so is another study of this name', async () => {
    const study = { kind: 'waiting', side: 2, pause: 50 }
    const file = join(next(), 'study.mjs')
    const soaked = fileURLToPath(new URL('../soak/search/study.js', import.meta.url))
    writeFileSync(file, `// Another one.\nexport { default } from ${JSON.stringify(soaked)}\n`)
    const dir = join(next(), 'study')
    const leading = master(server.url, dir, study, { token: 'right' })
    const right = () => worker(server.url, 'right', study, { token: 'right' })
    const other = await worker(server.url, 'other', study, { token: 'right', file }).ended
    const wrong = await worker(server.url, 'wrong', study, { token: 'wrong' }).ended
    for (const { out } of [other, wrong]) assert.match(out, '"end":"GRADUS_REFUSED"')
    await until(() => leading.text.err.includes('worker wrong is refused: its token'))
    assert.match(leading.text.err, 'worker other is refused: its study file is another one')
    const second = await master(server.url, join(next(), 'other'), { ...study, side: 3 }).ended
    assert.is(second.code, 1)
    assert.match(second.err, 'is the name of another study here, whose master runs on')
    right()
    assert.is((await leading.ended).code, 0)
    assert.equal(wrongIn(await trialsOf(dir), 4), [])
  })

  test('a checkpoint over the limit: the trial is lost and says why, the search goes on', async () => {
    const study = { kind: 'training', side: 2, trials: 1, epochs: 1, retries: 0 }
    const dir = join(next(), 'study')
    const leading = master(server.url, dir, study, { limit: 1000 })
    const one = worker(server.url, 'w', study)
    await leading.ended
    const [{ state, last }] = await trialsOf(dir)
    assert.is(state, 'lost')
    assert.match(last.record.reason, 'the master refuses it: larger than the limit of 1000 bytes')
    one.child.kill('SIGKILL')
  })

  test('a stop that a person asks for is heard by a remote worker within half a second', async () => {
    const study = { kind: 'until', trials: 6 }
    const dir = join(next(), 'study')
    const leading = master(server.url, dir, study)
    const one = worker(server.url, 'w', study)
    const times = []
    for (let number = 0; number < 6; number++) {
      await until(async () => (await trialsOf(dir))[number]?.epochs.length === 1)
      const from = performance.now()
      const { code, err } = await startCommand('trials', 'stop', dir, `${number}`).ended
      assert.is(code, 0, err)
      const asked = performance.now()
      await until(async () => (await trialsOf(dir))[number].state === 'stopped')
      times.push([asked - from, performance.now() - asked])
    }
    await leading.ended
    one.child.kill('SIGKILL')
    assert.is((await trialsOf(dir)).filter(({ state }) => state === 'stopped').length, 6)
  })

  test.run()
}

/** Of the newest checkpoint, whatever else it says of its run. */
async function weightsOf({ path, claim }) {
  const folder = join(runPath(path, claim.record.run), 'checkpoints')
  const [file] = readdirSync(folder).sort().reverse()
  const model = await loadModel(join(folder, file))
  const hash = createHash('sha256')
  for (const { data } of Object.values(model.getWeights()))
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  model.dispose()
  return hash.digest('hex')
}
