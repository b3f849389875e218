// Which claims are stale: by counters that are watched, never by clocks that are compared.
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { thisProcess } from '../dist/processes.js'
import { claimMaster, createTrial, LeaseJudge, readTrial, takeTrial } from '../dist/study/index.js'
import { startScript } from './support/lines.js'
import { isSoak, progress } from './support/sampled.js'
import { draft, ending, studyPlace, suggestion } from './support/studies.js'
import { until } from './support/until.js'

const { make, next } = studyPlace(test, 'study-leases')
const pathOf = (study, number) => join(study, 'trials', String(number).padStart(5, '0'))
const read = (study, number) => readTrial(number, pathOf(study, number))
/** A clock that goes on when it is told to. */
const clock = () => {
  const told = { time: 1e6, now: () => told.time }
  return told
}

test('a counter that has not changed for a lease is stale, one that changes never is', () => {
  const time = clock()
  const judge = new LeaseJudge({ lease: 60, now: time.now })
  const told = []
  for (let i = 0; i < 12; i++, time.time += 6) told.push([judge.look('same', '7'), judge.look('grows', `${i}`)])
  assert.equal(told, [...Array(10).fill([false, false]), ...Array(2).fill([true, false])])
  assert.is(judge.look('same', '8'), false)
  assert.is(judge.look('none', null), false)
  for (let i = 0; i < 9; i++, time.time += 6) assert.is(judge.look('none', null), false)
})

test('whoever has been asleep counts no more than a look of it', () => {
  const time = clock()
  const judge = new LeaseJudge({ lease: 60, now: time.now })
  judge.look('a', '1')
  const told = []
  for (let i = 0; i < 5; i++) {
    time.time += 3_600_000
    told.push(judge.look('a', '1'))
  }
  assert.equal(told, [false, false, false, true, true])
})

/** A claim of a machine that cannot be seen from here. */
async function farAway(study, number) {
  const held = await createTrial(study, number, suggestion(), draft)
  const path = join(held.path, '1.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), host: 'far-away' }))
  return held
}

test('clocks that jump, here or there, make nothing stale', async () => {
  const study = await make()
  const held = await farAway(study, 0)
  const time = clock()
  const judge = new LeaseJudge({ lease: 60_000, now: time.now })
  const beats = join(held.path, 'beats.1')
  const { now } = Date
  try {
    for (let i = 0; i < 40; i++, time.time += 5000) {
      writeFileSync(beats, `${i}\n`)
      const written = (i % 2 === 0 ? -3600 : 3600) + now() / 1000
      utimesSync(beats, written, written)
      Date.now = () => now() + (i % 3) * 3_600_000 - 3_600_000
      assert.is(judge.isStale(read(study, 0)), false, `look ${i}`)
    }
    // Nor does a clock that stands still keep it alive.
    Date.now = () => 0
    const told = []
    for (let i = 0; i < 14; i++, time.time += 5000) told.push(judge.isStale(read(study, 0)))
    assert.is(told.indexOf(true), 11)
  } finally {
    Date.now = now
  }
})

test('a process of this machine that has died is told at once', async () => {
  const study = await make()
  const judge = new LeaseJudge({ now: clock().now })
  const worker = startScript('trial-worker.js', study)
  try {
    assert.is(await worker.line(), 'ready')
    worker.child.stdin.write('create 0\n')
    assert.is(await worker.line(), 'won 0')
    assert.is(judge.isStale(read(study, 0)), false)
    await worker.kill()
    assert.is(judge.isStale(read(study, 0)), true)
  } finally {
    await worker.kill()
  }
})

test('a loop that is blocked for many leases beats on', async () => {
  const study = await make()
  const flag = next()
  const time = clock()
  const judge = new LeaseJudge({ lease: 60, now: time.now })
  const worker = startScript('trial-worker.js', study)
  try {
    assert.is(await worker.line(), 'ready')
    worker.child.stdin.write('create 0\n')
    assert.is(await worker.line(), 'won 0')
    worker.child.stdin.write(`block ${flag}\n`)
    assert.is(await worker.line(), 'blocks')
    const beats = join(pathOf(study, 0), 'beats.1')
    // A lease goes by with each beat that is seen: were there none, it would be stale after the first four looks.
    for (let beat = 0; beat < 10; beat++) {
      const before = readFileSync(beats, 'utf8')
      await until(() => readFileSync(beats, 'utf8') !== before)
      time.time += 60
      assert.is(judge.isStale(read(study, 0)), false, `beat ${beat}`)
    }
    writeFileSync(flag, '')
    assert.is(await worker.line(), 'goes on')
    worker.child.stdin.write('finish 0.5\n')
    assert.is(await worker.line(), 'finished')
  } finally {
    await worker.kill()
  }
})

test('the thread ends with its process, and keeps none alive', async () => {
  const study = await make()
  const worker = startScript('trial-worker.js', study)
  try {
    assert.is(await worker.line(), 'ready')
    worker.child.stdin.write('create 0\n')
    assert.is(await worker.line(), 'won 0')
    worker.child.stdin.end()
    assert.equal(await worker.exited, [0, null])
  } finally {
    await worker.kill()
  }
})

const isStopped = (pid) => / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/\(.*\)/, ''))
const times = isSoak ? 50 : 5
const unlessLinux = process.platform === 'linux' ? test : test.skip
unlessLinux(
  `stopped past the lease, overtaken and woken up: ${times} of ${times} late results are refused`,
  async () => {
    const study = await make()
    const time = clock()
    const judge = new LeaseJudge({ lease: 60, now: time.now })
    const worker = startScript('trial-worker.js', study)
    const { child } = worker
    try {
      assert.is(await worker.line(), 'ready')
      for (let number = 0; number < times; number++) {
        progress(number, times, 'stopped')
        child.stdin.write(`create ${number}\n`)
        assert.is(await worker.line(), `won ${number}`)
        child.kill('SIGSTOP')
        await until(() => isStopped(child.pid))
        let looks = 0
        for (; !judge.isStale(read(study, number)); looks++) time.time += 6
        assert.is(looks, 10)
        const other = await takeTrial(read(study, number), draft)
        if (number % 2 === 0) await other.finish(ending({ value: 0.125 }))
        child.kill('SIGCONT')
        child.stdin.write('finish 0.875\n')
        assert.match(await worker.line(), /^GRADUS_STALE_LEASE /)
        if (number % 2 === 1) await other.finish(ending({ value: 0.125 }))
        const { state, last, next } = read(study, number)
        assert.equal([state, last.record.value, next], ['complete', 0.125, 4])
      }
    } finally {
      await worker.kill()
    }
  },
)

test('one is the master, until it gives that back or dies', async () => {
  const study = await make()
  const time = clock()
  const judge = new LeaseJudge({ lease: 60, now: time.now })
  const first = await claimMaster(study, judge)
  assert.is(first.number, 1)
  assert.is(await claimMaster(study, judge), null)
  await first.release()
  const masters = join(study, 'masters')
  const seats = await Promise.all(Array.from({ length: 8 }, () => claimMaster(study, judge)))
  assert.equal(
    seats.flatMap((seat) => seat?.number ?? []),
    [3],
  )
  const dead = { format: 1, type: 'claim', ...thisProcess(), started: '1', time: '' }
  writeFileSync(join(masters, '4.json'), JSON.stringify(dead))
  const next = await claimMaster(study, judge)
  assert.is(next.number, 5)
  // One that is torn can only be told by its beats.
  writeFileSync(join(masters, '6.json'), '{"type":"cl')
  let looks = 0
  for (; (await claimMaster(study, judge)) === null; looks++) time.time += 6
  assert.is(looks, 10)
  assert.is(await next.isTaken(), true)
  mkdirSync(join(masters, '8.json'))
  assert.is(await claimMaster(study, judge), null)
})

test.run()
