// From a report to the end that a pruner decides on, at a worker that shares nothing with the master but the queue.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStudy } from '../../dist/search/index.js'
import { median } from '../lib/median.js'
import { kinds, searching } from './searching.js'

/** The first five are good and complete; whatever comes then is pruned at its first report, and writes down how long that took. */
const studyOf = (
  log,
  trials,
) => `trials: ${trials}, epochs: 3, pruner: median({ startup: 5 }), trial: async ({ number, report }) => {
  const { appendFileSync } = await import('node:fs')
  for (let epoch = 1; epoch <= 3; epoch++) {
    const from = performance.now()
    await report(number < 5 ? 0 : 1).catch((error) => {
      appendFileSync(${JSON.stringify(log)}, (performance.now() - from) + '\\n')
      throw error
    })
  }
  return 0
}`

async function timesOf(kind, trials) {
  const log = join(tmpdir(), `gradus-pruned-${process.pid}-${kind}`)
  writeFileSync(log, '')
  try {
    return await searching(kind, { study: studyOf(log, trials), workers: 1 }, async ({ folder, file, url }) => {
      const study = await createStudy(file, { dir: join(folder, 'study') })
      await study.optimize({ queue: url, quiet: true })
      return readFileSync(log, 'utf8').split('\n').filter(Boolean).map(Number)
    })
  } finally {
    rmSync(log)
  }
}

export async function prunedTable({ quick }) {
  const trials = quick ? 20 : 105
  const rows = []
  for (const kind of kinds) {
    const times = await timesOf(kind, trials)
    rows.push([kind, times.length, ...[median(times), Math.max(...times)].map((time) => time.toFixed(1))])
  }
  return {
    title: 'From a report to the end that a pruner decides on, at a remote worker',
    columns: ['server', 'pruned', 'median ms', 'longest ms'],
    rows,
    notes: ['The report goes to the master, is recorded, decided on and answered; the trial’s function then throws.'],
  }
}
