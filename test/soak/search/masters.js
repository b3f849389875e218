// The master is killed by SIGKILL again and again, with a second one that watches: no trial is lost, none is begun twice, and the
// workers that are left behind do not become more and more.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { until } from '../../support/until.js'
import { childrenOf, claimsOf, pathOf, search, trialsOf, wrongIn } from './common.js'

const script = pathOf('../../../dist/search/executors/worker-process.js')

/** Processes of this copy's workers, whose study is the soak's. */
function workersOf(study) {
  const read = (number, name) => {
    try {
      return readFileSync(`/proc/${number}/${name}`, 'utf8')
    } catch {
      return ''
    }
  }
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return numbers.filter((number) => read(number, 'cmdline').includes(script) && read(number, 'environ').includes(study))
}

export async function masters({ folder, choose, times = 50, longest = 2500, workers = 2, pause = 400, side = 20 }) {
  // Its name is in the environment of all its processes.
  const study = { kind: 'waiting', side, pause, startFrom: [], seed: choose(2 ** 30) }
  const mark = `"seed":${study.seed}`
  const dir = join(folder, 'study')
  let [count, most] = [0, 0]
  let alive = [search(dir, study, workers)]
  try {
    for (; count < times; count++) {
      // Half of the time a second one is there when the first dies; of the others each second dies with workers that still load.
      const isEarly = alive.length === 0 && choose(2) === 1
      if (alive.length === 0 || choose(2) === 1) alive.push(search(dir, study, workers))
      if (isEarly) await until(() => childrenOf(alive[0].child.pid).length > 0)
      await setTimeout(choose(isEarly ? 800 : longest))
      most = Math.max(most, workersOf(mark).length)
      const [first, ...others] = alive
      first.child.kill('SIGKILL')
      await first.ended
      alive = others
    }
    if (alive.length === 0) alive.push(search(dir, study, workers))
    const ends = await Promise.all(alive.map(({ ended }) => ended))
    const trials = await trialsOf(dir)
    const found = wrongIn(trials, side * side)
    const twice = trials.filter((trial) => claimsOf(trial) > 1).length
    for (const { code, err } of ends) if (code !== 0) found.push(`gradus search ended with ${code}: ${err.slice(-500)}`)
    if (twice > 0) found.push(`${twice} trials were begun twice`)
    if (most > 4 * workers) found.push(`${most} processes of workers at once, where ${workers} were asked for`)
    return { figures: `${trials.length} trials, ${count} masters killed, at most ${most} workers at once`, found }
  } finally {
    for (const { child } of alive) child.kill('SIGKILL')
    for (const number of workersOf(mark)) process.kill(Number(number), 'SIGKILL')
  }
}
