// A search survives: a small sample of each part of `npm run soak:search`, drawn by GRADUS_SEED.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LeaseJudge } from '../dist/study/index.js'
import { clocks, noClocks } from './soak/search/clocks.js'
import { holders, trialsOf, worker } from './soak/search/common.js'
import { fullDisk, noDisks } from './soak/search/full-disk.js'
import { kills } from './soak/search/kills.js'
import { masters } from './soak/search/masters.js'
import { reproducible } from './soak/search/reproducible.js'
import { stopped } from './soak/search/stopped.js'
import { stops } from './soak/search/stops.js'
import { torn } from './soak/search/torn.js'
import { chooser } from './support/mortal-chain.js'
import { until } from './support/until.js'

const root = mkdtempSync(join(tmpdir(), 'gradus-survival-'))
test.after(() => rmSync(root, { recursive: true, force: true }))
const folder = () => mkdtempSync(join(root, 'study-'))
const choose = chooser(Number(process.env.GRADUS_SEED ?? 1))
const onLinux = process.platform === 'linux' ? test : test.skip

/** A part of the soak, which tells what it has found wrong. */
const survives = (name, scenario, options) =>
  onLinux(name, async () => {
    const { figures, found } = await scenario({ folder: folder(), choose, ...options })
    assert.equal(found, [], figures)
  })

survives('workers that are killed: each trial has one result, the same as where nobody was killed', kills, {
  ...{ side: 2, pause: 50, every: 600, most: 3 },
})
survives('masters that are killed, and two at once: no trial is lost or begun twice', masters, {
  ...{ times: 3, side: 4, pause: 150 },
})
survives('stopped past the lease and woken up: late results are refused, and the worker goes on', stopped, {
  ...{ times: 2, lease: 500 },
})
survives('one, two and four workers, each in a process that takes its time, come to the same trials', reproducible, {
  ...{ times: 1, trials: 8 },
})
survives('stops are heard by a worker in another process', stops, { times: 3, isMeasured: false })
survives('files that are torn cost what stands in them, and the search goes on to the same results', torn, {
  ...{ most: 3, each: 1, kinds: 10 },
})
if (noDisks !== null) console.log(`Not tested: a search on a disk that is full: ${noDisks}`)
else survives('a disk that is full for a while costs a while', fullDisk, { times: 2 })
if (noClocks !== null) console.log(`Not tested: clocks that jump: ${noClocks}`)
else survives('clocks that are hours apart and jump make nothing stale', clocks, { side: 3 })

onLinux('a trial that blocks its thread for many leases beats on', async () => {
  const place = folder()
  const [dir, go] = [join(place, 'study'), join(place, 'go')]
  const { child, ended } = worker(dir, { kind: 'spinning', go, trials: 1 }, { beatEvery: 5 })
  const time = { now: 0 }
  const judge = new LeaseJudge({ lease: 60, now: () => time.now })
  try {
    await until(async () => holders(await trialsOf(dir)).length === 1)
    const [trial] = await trialsOf(dir)
    const beats = join(trial.path, 'beats.1')
    // A lease goes by with each beat that is seen: were there none, it would be stale after the first four looks.
    for (let beat = 0; beat < 10; beat++) {
      const before = readFileSync(beats, 'utf8')
      await until(() => readFileSync(beats, 'utf8') !== before)
      time.now += 60
      assert.is(judge.isStale(trial), false, `beat ${beat}`)
    }
    writeFileSync(go, '')
    assert.is((await ended).code, 0)
    assert.is((await trialsOf(dir))[0].state, 'complete')
  } finally {
    child.kill('SIGKILL')
  }
})

test.run()
