// The queue's server goes away in the middle of a search and comes back, Redis empty: the search goes on by itself.
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { until } from '../../support/until.js'
import { trialsOf, wrongIn } from '../search/common.js'
import { begunIn, master, worker } from './common.js'

export async function restarted({ folder, server, away = 20_000, side = 10, pause = 300 }) {
  const [dir, log] = [join(folder, 'study'), join(folder, 'log')]
  const study = { kind: 'waiting', side, pause, log }
  const leading = master(server.url, dir, study)
  const workers = ['w1', 'w2'].map((name) => worker(server.url, name, study))
  const done = async () => (await trialsOf(dir)).filter(({ state }) => state === 'complete').length
  try {
    await until(async () => (await done()) >= (side * side) / 4)
    await server.end()
    await setTimeout(away)
    await server.begin()
    const back = performance.now()
    const before = await done()
    await until(async () => (await done()) > before)
    const first = performance.now() - back
    const { code, err } = await leading.ended
    const trials = await trialsOf(dir)
    const found = wrongIn(trials, side * side)
    if (code !== 0) found.push(`the master ended with ${code}: ${err.slice(-500)}`)
    const extra = begunIn(log).length - trials.length
    return {
      figures: `${trials.length} trials, ${away / 1000} s away, the next result ${(first / 1000).toFixed(1)} s later, ${extra} begun twice`,
      found,
    }
  } finally {
    for (const { child } of [leading, ...workers]) child.kill('SIGKILL')
  }
}
