// A real Slurm of one node: tasks are cancelled, requeued and ended by their time limit, masters are killed, and each trial has one
// result, the same as where nothing happened.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { claimsOf, trialsOf, wrongIn } from '../soak/search/common.js'
import { startCommand } from '../support/search-studies.js'
import { until } from '../support/until.js'
import { startSlurm } from './support/slurm-servers.js'

const test = suite('slurm')
const study = fileURLToPath(new URL('support/study.js', import.meta.url))
const cluster = await startSlurm()
const root = mkdtempSync(join(tmpdir(), 'gradus-cluster-'))
let folders = 0
const place = () => {
  // As names of folders may be.
  const folder = join(root, `it's ${++folders} %A`)
  mkdirSync(folder)
  return { dir: join(folder, 'study'), go: join(folder, 'go') }
}
test.after(async () => {
  await cluster.stop()
  rmSync(root, { recursive: true, force: true, maxRetries: 5 })
})

const search = (dir, ...more) => startCommand('search', study, '--dir', dir, '--slurm', '--no-page', ...more)
const running = async (dir) => (await trialsOf(dir)).filter(({ state }) => state === 'running')
/** Those that have come to where they wait. */
const waiting = async (dir, from) =>
  (await running(dir)).filter(({ number, epochs }) => number >= from && epochs.includes(2))
const holdersOf = async (dir) => (await running(dir)).map(({ claim }) => claim.record.worker).sort()
const workersOf = ({ changes }) =>
  [...changes.values()].flatMap((change) => (change.type === 'claim' ? change.worker : []))
const valuesOf = (trials) =>
  trials.map(({ last, values, suggestion }) => [suggestion.params, values, last.record.value])
/** Of the tasks that have not ended. */
const queued = async () =>
  (await cluster.call('squeue', '--noheader', '--array', '--format=%F_%K %T')).split('\n').filter(Boolean)

/** The same study on this machine. */
async function calmly() {
  const { dir } = place()
  delete process.env.GRADUS_TEST_GO
  const { code, err } = await startCommand('search', study, '--dir', dir, '--no-page', '--workers', '2').ended
  assert.is(code, 0, err)
  return valuesOf(await trialsOf(dir))
}

test('one task cancelled, one requeued, others ended by their time limit: 20 trials, one result each', async () => {
  const expected = await calmly()
  const { dir, go } = place()
  // Seven end at once; the others wait, so that all that happens does so in their middle.
  Object.assign(process.env, { GRADUS_TEST_GO: go, GRADUS_TEST_WAITS: '7' })
  const one = search(dir, '--workers', '4', '--slurm-arguments', '--time=1 --signal=B:TERM@55')
  try {
    await until(async () => (await waiting(dir, 7)).length === 4)
    const job = (await holdersOf(dir))[0].split('_')[0]
    assert.equal(
      await holdersOf(dir),
      [1, 2, 3, 4].map((task) => `${job}_${task}`),
    )
    await cluster.call('scancel', `${job}_2`)
    await cluster.call('scontrol', 'requeue', `${job}_3`)
    await until(async () => (await holdersOf(dir)).includes(`${job}_3.1`))
    assert.not.ok((await holdersOf(dir)).includes(`${job}_2`))
    await until(() => /worker \d+_\d has died \(it was told to pause, as by its time limit\)/.test(one.text.err))
    await until(async () => (await holdersOf(dir)).some((worker) => !worker.startsWith(`${job}_`)))
    writeFileSync(go, '')
    const { code, out, err } = await one.ended
    assert.is(code, 0, err)
    assert.match(out, /20 of 20 trials .* done/)
    const trials = await trialsOf(dir)
    assert.equal(wrongIn(trials, 20), [])
    // That they write their checkpoints is what their ends by signals are for.
    const moved = trials.filter((trial) => new Set(workersOf(trial)).size > 1)
    console.log(
      `${trials.reduce((sum, trial) => sum + claimsOf(trial) - 1, 0)} pauses; ${moved.length} trials moved, by ` +
        moved.map((trial) => workersOf(trial).join(' → ')).join(', '),
    )
    assert.ok(moved.length >= 3)
    for (const { changes } of moved) assert.ok([...changes.values()].some(({ type }) => type === 'paused'))
    assert.equal(valuesOf(trials), expected, 'to the last bit')
    assert.not.match(err, `worker ${job}_2 has died`, 'whom a person has cancelled is not followed by another')
  } finally {
    one.child.kill('SIGKILL')
    await cluster.call('scancel', '--user=root')
    await until(async () => (await queued()).length === 0)
  }
})

test('a master that is killed leaves its tasks to the next; Ctrl-C has trials pause and ends the array', async () => {
  const { dir, go } = place()
  Object.assign(process.env, { GRADUS_TEST_GO: go, GRADUS_TEST_WAITS: '0' })
  const first = search(dir, '--workers', '6')
  let second = null
  let third = null
  try {
    await until(async () => (await waiting(dir, 0)).length === 4)
    const holders = await holdersOf(dir)
    first.child.kill('SIGKILL')
    await first.ended
    second = search(dir, '--workers', '6')
    await until(() => second.text.err.includes('slurm: there are workers already'))
    await until(() => second.text.err.includes('slurm: tasks wait: Resources'))
    assert.equal((await queued()).length, 6, 'none is submitted beside them')
    assert.equal(await holdersOf(dir), holders)
    second.child.kill('SIGINT')
    const paused = await second.ended
    assert.is(paused.code, 130, paused.err)
    assert.equal(await queued(), [])
    assert.equal(
      (await trialsOf(dir)).map(({ state }) => state),
      ['paused', 'paused', 'paused', 'paused'],
    )
    writeFileSync(go, '')
    third = search(dir, '--workers', '4')
    const { code, err } = await third.ended
    assert.is(code, 0, err)
    assert.equal(wrongIn(await trialsOf(dir), 20), [])
    assert.equal(await queued(), [])
  } finally {
    for (const one of [first, second, third]) one?.child.kill('SIGKILL')
    await cluster.call('scancel', '--user=root')
  }
})

test('a folder that the nodes do not see, and what sbatch refuses, are told in one sentence', async () => {
  const dir = join(cluster.hidden, 'study')
  const unseen = await search(dir, '--workers', '2').ended
  assert.is(unseen.code, 1, unseen.err)
  assert.match(
    unseen.err,
    /gradus: task \d+_\d on .*: it has written nothing to .*: expected a folder that all nodes share/,
  )
  assert.equal((await trialsOf(dir)).length, 0)
  const { dir: other } = place()
  const refused = await search(other, '--slurm-arguments', '--partition=nowhere').ended
  assert.is(refused.code, 1)
  assert.match(refused.err, /gradus: sbatch: invalid partition specified: nowhere; .*Invalid partition name/)
  const many = await search(other, '--workers', '100000').ended
  assert.match(many.err, /gradus: sbatch: .*Invalid job array specification/)
  assert.ok(existsSync(join(other, 'study.json')))
})

test.run()
