// A worker is stopped by SIGSTOP past its lease and overtaken, and wakes up with its result: that is refused, and the worker goes on.
import { join } from 'node:path'
import { until } from '../../support/until.js'
import { eventsOf, trialsOf } from '../search/common.js'
import { begunIn, master, worker } from './common.js'

export async function stopped({ folder, server, times = 50, lease = 1000 }) {
  const [dir, log] = [join(folder, 'study'), join(folder, 'log')]
  const study = { kind: 'waiting', side: 100, pause: 150, log }
  const leading = master(server.url, dir, study, { lease })
  const first = worker(server.url, 'first', study)
  const second = worker(server.url, 'second', study)
  const begun = ({ type }) => type === 'begin'
  try {
    let refused = 0
    for (let time = 0; time < times; ) {
      const before = eventsOf(first).filter(begun).length
      await until(() => eventsOf(first).filter(begun).length > before)
      const { trial } = eventsOf(first).findLast(begun)
      process.kill(first.child.pid, 'SIGSTOP')
      const runs = () => begunIn(log).filter((number) => number === trial).length
      const isDone = async () => (await trialsOf(dir)).find(({ number }) => number === trial)?.state === 'complete'
      // Its end may have been on the way.
      await until(async () => runs() > 1 || (await isDone()))
      await until(isDone)
      const isOvertaken = runs() > 1
      process.kill(first.child.pid, 'SIGCONT')
      if (!isOvertaken) continue
      await until(() => eventsOf(first).some((event) => event.type === 'refused' && event.trial === trial))
      refused++
      time++
    }
    leading.child.kill('SIGTERM')
    await leading.ended
    const trials = await trialsOf(dir)
    const found = []
    for (const { number, state, changes, suggestion, last } of trials) {
      const results = [...changes.values()].filter(({ type }) => type === 'result').length
      const { a, b } = suggestion.params
      const isRight = state === 'complete' ? last.record.value === a + b / 100 && results === 1 : results === 0
      if (!isRight) found.push(`trial ${number} is ${state} with ${results} results`)
    }
    return { figures: `${refused} late results refused of ${times} stops, ${trials.length} trials`, found }
  } finally {
    for (const { child } of [leading, first, second]) child.kill('SIGKILL')
  }
}
