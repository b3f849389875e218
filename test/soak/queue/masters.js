// The master is killed by SIGKILL again and again, half of the time with a second one that watches: no trial is lost or recorded
// twice, and its workers go on with what they are at.
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { trialsOf, wrongIn } from '../search/common.js'
import { begunIn, master, worker } from './common.js'

export async function masters({ folder, server, choose, times = 50, longest = 2500, pause = 300, side = 20 }) {
  const [dir, log] = [join(folder, 'study'), join(folder, 'log')]
  const study = { kind: 'waiting', side, pause, log }
  const begin = () => master(server.url, dir, study)
  const workers = ['w1', 'w2'].map((name) => worker(server.url, name, study))
  let count = 0
  let alive = [begin()]
  try {
    for (; count < times; count++) {
      if (alive.length === 0 || choose(2) === 1) alive.push(begin())
      await setTimeout(choose(longest))
      const [first, ...others] = alive
      first.child.kill('SIGKILL')
      await first.ended
      alive = others
    }
    if (alive.length === 0) alive.push(begin())
    const ends = await Promise.all(alive.map(({ ended }) => ended))
    const trials = await trialsOf(dir)
    const found = wrongIn(trials, side * side)
    const extra = begunIn(log).length - trials.length
    for (const { code, err } of ends) if (code !== 0) found.push(`a master ended with ${code}: ${err.slice(-500)}`)
    return { figures: `${trials.length} trials, ${count} masters killed, ${extra} extra executions`, found }
  } finally {
    for (const { child } of [...alive, ...workers]) child.kill('SIGKILL')
  }
}
