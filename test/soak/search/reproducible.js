// The same list of trials from one, two and four workers, each of which takes a time of its own.
import { join } from 'node:path'
import { trialsOf, worker } from './common.js'

async function listOf(dir, study, count) {
  const workers = Array.from({ length: count }, (_, i) => worker(dir, study, { name: `here.${i + 1}` }))
  const ends = await Promise.all(workers.map(({ ended }) => ended))
  const failed = ends.find(({ code }) => code !== 0)
  if (failed) return failed.err
  return JSON.stringify((await trialsOf(dir)).map(({ suggestion, last }) => [suggestion.params, last.record.value]))
}

export async function reproducible({ folder, choose, times = 10, trials = 25 }) {
  const found = []
  for (let time = 0; time < times; time++) {
    const study = { kind: 'reproducible', trials, pause: 40, seed: choose(2 ** 30) }
    const lists = []
    for (const count of [1, 2, 4]) lists.push(await listOf(join(folder, `${time} ${count}`), study, count))
    if (new Set(lists).size !== 1 || JSON.parse(lists[0]).length !== trials) found.push(`seed ${study.seed}: ${lists}`)
  }
  return { figures: `${times - found.length} of ${times} the same on 1, 2 and 4 workers`, found }
}
