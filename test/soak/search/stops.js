// How long it takes from a request to stop until the trial's signal fires in a process of this machine.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stopTrial } from '../../../dist/study/index.js'
import { until } from '../../support/until.js'
import { trialsOf, worker } from './common.js'

const most = 20

export async function stops({ folder, times = 200, isMeasured = true }) {
  const dir = join(folder, 'study')
  const { child, ended } = worker(dir, { kind: 'until', trials: times })
  const [took, sinceAsked] = [[], []]
  try {
    for (let number = 0; number < times; number++) {
      let trial
      await until(async () => {
        trial = (await trialsOf(dir))[number]
        return trial?.values.length === 1
      })
      const from = process.hrtime.bigint()
      await stopTrial(trial, { by: 'person', why: 'enough' })
      // By now it has lain there for a moment; before that, its own process may have waited for a core that others had.
      const asked = process.hrtime.bigint()
      let heard = ''
      await until(() => {
        try {
          heard = readFileSync(join(trial.path, 'run.1', 'heard'), 'utf8')
        } catch {
          // Not yet.
        }
        return heard !== ''
      })
      took.push(Number(BigInt(heard) - from) / 1e6)
      sinceAsked.push(Math.max(0, Number(BigInt(heard) - asked) / 1e6))
    }
    const { code } = await ended
    const found = code === 0 ? [] : [`the worker ended with ${code}`]
    const states = new Set((await trialsOf(dir)).map(({ state }) => state))
    if (`${[...states]}` !== 'stopped') found.push(`trials are ${[...states]}`)
    took.sort((a, b) => a - b)
    const [median, longest] = [took[times >> 1], took.at(-1)]
    if (isMeasured && median > most) found.push(`wanted are ${most} ms`)
    const since = Math.max(...sinceAsked).toFixed(1)
    const figures = `${times} stops, median ${median.toFixed(1)} ms, longest ${longest.toFixed(1)} ms, ${since} ms of a request that lay there`
    return { figures, found }
  } finally {
    child.kill('SIGKILL')
  }
}
