// A trial blocks its worker's thread for longer than a lease, while another worker waits for nothing but that it goes stale.
import { join } from 'node:path'
import { until } from '../../support/until.js'
import { claimsOf, holders, trialsOf, worker } from './common.js'

/** @param lease milliseconds; undefined: that of a search */
export async function blocked({ folder, pause = 75_000, lease, beatEvery }) {
  const dir = join(folder, 'study')
  const study = { kind: 'blocking', pause, trials: 1 }
  const first = worker(dir, study, { name: 'first', lease, beatEvery })
  let second = null
  try {
    await until(async () => holders(await trialsOf(dir)).length === 1)
    second = worker(dir, study, { name: 'second', lease, beatEvery })
    const ends = await Promise.all([first.ended, second.ended])
    const [trial] = await trialsOf(dir)
    const found = ends.flatMap(({ code, err }) => (code === 0 ? [] : [`a worker ended with ${code}: ${err}`]))
    if (claimsOf(trial) !== 1 || trial.state !== 'complete') found.push(`it was claimed ${claimsOf(trial)} times`)
    return { figures: `blocked for ${pause / 1000} s, ${claimsOf(trial) - 1} false stalls`, found }
  } finally {
    for (const one of [first, second]) one?.child.kill('SIGKILL')
  }
}
