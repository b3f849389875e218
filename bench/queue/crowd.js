// A thousand pretended workers in one process, each of which only waits: what a master saturates at, without any queue.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./crowd-process.js', import.meta.url))

const cases = [
  { workers: 10, seconds: 1 },
  { workers: 100, seconds: 1 },
  { workers: 100, seconds: 0.1 },
  { workers: 1000, seconds: 30 },
  { workers: 1000, seconds: 10 },
  { workers: 1000, seconds: 1 },
]

async function measured(options) {
  const child = fork(script, [JSON.stringify(options)])
  const [found] = await once(child, 'message')
  await once(child, 'exit')
  return found
}

export async function crowdTable({ quick }) {
  const rows = []
  for (const { workers, seconds } of quick ? cases.slice(0, 3) : cases) {
    // As long as all begin at once, it is the begin that is measured.
    const asked = workers / seconds
    const trials = Math.round(Math.max(3 * workers, Math.min(15 * asked, 3000)) / (quick ? 3 : 1))
    const found = await measured({ workers, seconds, trials })
    rows.push([workers, seconds, Math.round(asked), ...found])
  }
  return {
    title: 'Pretended workers that only wait: what the master saturates at',
    columns: [
      ...['workers', 'seconds a trial', 'trials a second that they could take', 'trials a second that they got'],
      ...['processors used', 'event loop late, p99 ms', 'memory, MB'],
    ],
    rows,
    notes: [
      'One master claims, records and decides for all, on a disk of this machine; two reports a trial. Times vary by half from trial to trial.',
      'Of the middle half of the results, so that neither the begin nor the end counts.',
    ],
  }
}
