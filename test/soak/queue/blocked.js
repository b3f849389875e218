// A trial blocks its thread for longer than the lease: nobody takes it for dead.
import { join } from 'node:path'
import { trialsOf, wrongIn } from '../search/common.js'
import { begunIn, master, worker } from './common.js'

export async function blocked({ folder, server, pause = 60_000, lease = 20_000 }) {
  const [dir, log] = [join(folder, 'study'), join(folder, 'log')]
  const study = { kind: 'blocking', side: 2, trials: 1, pause, log }
  const leading = master(server.url, dir, study, { lease })
  const workers = ['w1', 'w2'].map((name) => worker(server.url, name, study))
  try {
    await leading.ended
    const found = wrongIn(await trialsOf(dir), 1)
    const times = begunIn(log).length
    if (times !== 1) found.push(`it was begun ${times} times`)
    return { figures: `${pause / 1000} s blocked, lease ${lease / 1000} s, begun ${times} ×`, found }
  } finally {
    for (const { child } of [leading, ...workers]) child.kill('SIGKILL')
  }
}
