// Workers in network namespaces of their own: the link to one is cut and restored, its trial is taken over or goes on, and has one
// result. GRADUS_CUT: for how many milliseconds. Needs root.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { begunIn, master, worker } from '../soak/queue/common.js'
import { redis } from '../soak/queue/servers.js'
import { eventsOf, trialsOf, wrongIn } from '../soak/search/common.js'
import { until } from '../support/until.js'

const test = suite('queue network')
const cut = Number(process.env.GRADUS_CUT ?? 4000)
const root = mkdtempSync(join(tmpdir(), 'gradus-network-'))
const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
const id = process.pid % 10_000
const bridge = `gbr${id}`
const names = ['a', 'b'].map((letter) => `g${letter}${id}`)
const host = `10.201.${id % 250}.1`

function makeNetwork() {
  ip('link', 'add', bridge, 'type', 'bridge')
  ip('addr', 'add', `${host}/24`, 'dev', bridge)
  ip('link', 'set', bridge, 'up')
  for (const [i, name] of names.entries()) {
    ip('netns', 'add', name)
    ip('link', 'add', `${name}h`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
    ip('link', 'set', `${name}h`, 'master', bridge, 'up')
    ip('-n', name, 'addr', 'add', host.replace(/1$/, `${i + 2}`).concat('/24'), 'dev', 'eth0')
    ip('-n', name, 'link', 'set', 'eth0', 'up')
    ip('-n', name, 'link', 'set', 'lo', 'up')
  }
}

makeNetwork()
const server = await redis(root, { host, more: ['--protected-mode', 'no'] })
test.after(async () => {
  await server.end()
  for (const name of names) ip('netns', 'del', name)
  ip('link', 'del', bridge)
  rmSync(root, { recursive: true, force: true })
})

test('the link to one worker is cut and restored: one result a trial, and nothing on the way is lost', async () => {
  const [dir, log] = [join(root, 'study'), join(root, 'log')]
  // The other worker is not through with it before the link is back.
  const side = Math.max(4, Math.ceil(Math.sqrt(cut / 500)))
  const study = { kind: 'training', side, pause: 150, epochs: 6, log }
  const leading = master(server.url, dir, study)
  const workers = names.map((name) => worker(server.url, name, study, { before: ['ip', 'netns', 'exec', name] }))
  try {
    const [first] = workers
    const reports = () => eventsOf(first).filter(({ type }) => type === 'report').length
    await until(() => reports() >= 8)
    ip('link', 'set', `${names[0]}h`, 'down')
    await setTimeout(cut)
    const before = eventsOf(first).filter(({ type }) => type === 'begin').length
    ip('link', 'set', `${names[0]}h`, 'up')
    // It is back at work, if there is any left.
    await until(
      async () =>
        eventsOf(first).filter(({ type }) => type === 'begin').length > before ||
        (await trialsOf(dir)).filter(({ state }) => state === 'complete').length === side ** 2,
    )
    const { code, err } = await leading.ended
    assert.is(code, 0, err)
    const trials = await trialsOf(dir)
    assert.equal(wrongIn(trials, side ** 2), [])
    for (const { number, epochs } of trials) assert.equal(epochs, [1, 2, 3, 4, 5, 6], `trial ${number}`)
    assert.ok(begunIn(log).length - trials.length <= 1, `${begunIn(log)}`)
  } finally {
    for (const { child } of [leading, ...workers]) child.kill('SIGKILL')
  }
})

test.run()
