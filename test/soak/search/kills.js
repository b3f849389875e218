// A worker is killed by SIGKILL each second, whatever it is at: each trial has one result in the end, the same as where nobody
// was killed, each point of the grid is tried once, and no more is done twice than workers were killed.
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { childrenOf, claimsOf, search, signal, trialsOf, worker, wrongIn } from './common.js'

const valuesOf = (trials) => trials.map(({ last, suggestion }) => [suggestion.params, last.record.value])

export async function kills({ folder, choose, side = 10, pause = 250, every = 1000, most = Infinity }) {
  const study = { kind: 'training', side, pause, epochs: 5 }
  const [dir, calm] = [join(folder, 'kills'), join(folder, 'calm')]
  const calmly = worker(calm, { ...study, pause: 0 })
  const { child, ended, text } = search(dir, study)
  let [count, isOver] = [0, false]
  void ended.then(() => {
    isOver = true
  })
  try {
    while (!isOver && count < most) {
      await setTimeout(every)
      const workers = childrenOf(child.pid)
      if (workers.length > 0 && signal(workers[choose(workers.length)], 'SIGKILL')) count++
    }
    const { code } = await ended
    await calmly.ended
    const trials = await trialsOf(dir)
    const found = wrongIn(trials, side * side)
    const extra = trials.reduce((sum, trial) => sum + claimsOf(trial) - 1, 0)
    if (code !== 0) found.push(`gradus search ended with ${code}: ${text.err.slice(-500)}`)
    if (extra > count) found.push(`${extra} extra executions`)
    const same = JSON.stringify(valuesOf(trials)) === JSON.stringify(valuesOf(await trialsOf(calm)))
    if (!same) found.push('other values than where nobody was killed')
    return { figures: `${trials.length} trials, ${count} kills, ${extra} extra executions`, found }
  } finally {
    child.kill('SIGKILL')
    calmly.child.kill('SIGKILL')
  }
}
