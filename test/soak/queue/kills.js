// A worker is killed by SIGKILL each second, whatever it is at, and another one comes: each trial has one result in the end, and no
// more is done twice than workers were killed.
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { signal, trialsOf, wrongIn } from '../search/common.js'
import { begunIn, master, worker } from './common.js'

export async function kills({ folder, server, choose, side = 10, pause = 150, every = 1000, most = Infinity }) {
  const [dir, log] = [join(folder, 'study'), join(folder, 'log')]
  const study = { kind: 'training', side, pause, epochs: 5, log }
  const { child, ended, text } = master(server.url, dir, study)
  let [count, isOver, names] = [0, false, 0]
  const next = () => worker(server.url, `w${++names}`, study)
  const workers = [next(), next()]
  void ended.then(() => {
    isOver = true
  })
  try {
    while (!isOver && count < most) {
      await setTimeout(every)
      const picked = choose(workers.length)
      if (isOver || !signal(workers[picked].child.pid, 'SIGKILL')) continue
      count++
      workers[picked] = next()
    }
    const { code } = await ended
    const trials = await trialsOf(dir)
    const found = wrongIn(trials, side * side)
    const extra = begunIn(log).length - trials.length
    if (code !== 0) found.push(`the master ended with ${code}: ${text.err.slice(-500)}`)
    if (extra > count) found.push(`${extra} extra executions`)
    return { figures: `${trials.length} trials, ${count} kills, ${extra} extra executions`, found }
  } finally {
    child.kill('SIGKILL')
    for (const { child } of workers) child.kill('SIGKILL')
  }
}
