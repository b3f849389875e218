// A worker is stopped by SIGSTOP past its lease and overtaken, and wakes up with its result: that is refused, and the worker goes
// on with another trial.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../support/until.js'
import { claimsOf, eventsOf, trialsOf, worker } from './common.js'

const isStopped = (number) => / T /.test(readFileSync(`/proc/${number}/stat`, 'utf8').replace(/\(.*\)/, ''))

export async function stopped({ folder, choose, times = 50, lease = 1000 }) {
  const dir = join(folder, 'study')
  const study = { kind: 'waiting', side: 100, pause: 150 }
  const common = { lease, beatEvery: lease / 20 }
  // It does not hear that its trial was taken: the number of its record is all that tells.
  const first = worker(dir, study, { ...common, name: 'first', deaf: true })
  const second = worker(dir, study, { ...common, name: 'second' })
  const { pid } = first.child
  const heldByFirst = async () =>
    (await trialsOf(dir)).find(({ state, claim }) => state === 'running' && claim.record.process === pid)
  const claimOf = async (number) => (await trialsOf(dir))[number].claim
  try {
    for (let time = 0; time < times; ) {
      let held
      await until(async () => {
        held = await heldByFirst()
        return held !== undefined
      })
      process.kill(pid, 'SIGSTOP')
      await until(() => isStopped(pid))
      const { number } = held
      // It may have come to the end just before.
      if ((await trialsOf(dir))[number].state === 'running') {
        await until(async () => (await claimOf(number)).record.worker === 'second')
        if (choose(2) === 1) await until(async () => (await trialsOf(dir))[number].state === 'complete')
        time++
      }
      process.kill(pid, 'SIGCONT')
      await until(() => eventsOf(first).some(({ type, trial }) => type === 'end' && trial === number))
    }
    const ends = [first, second].map(({ child, ended }) => child.kill('SIGTERM') && ended)
    const codes = (await Promise.all(ends)).map(({ code }) => code)
    const trials = await trialsOf(dir)
    const events = eventsOf(first)
    const refused = events.filter(({ type, code }) => type === 'refused' && code === 'GRADUS_STALE_LEASE').length
    const found = []
    if (refused < times) found.push(`${refused} of ${times} late results were refused`)
    if (`${codes}` !== '0,0' || events.at(-1).end !== 'paused') found.push(`workers ended with ${codes}`)
    for (const { number, state, changes, suggestion, last } of trials) {
      const results = [...changes.values()].filter(({ type }) => type === 'result').length
      const { a, b } = suggestion.params
      const isRight = state === 'complete' ? last.record.value === a + b / 100 && results === 1 : results === 0
      if (!isRight) found.push(`trial ${number} is ${state} with ${results} results`)
    }
    const more = trials.reduce((sum, trial) => sum + claimsOf(trial) - 1, 0)
    return {
      figures: `${refused} late results refused of ${times} stops, ${trials.length} trials, ${more} taken over`,
      found,
    }
  } finally {
    for (const { child } of [first, second]) child.kill('SIGKILL')
  }
}
