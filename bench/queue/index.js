// Searches through a queue: what the queue itself takes, how soon a pruner is heard, and what a crowd of workers saturates first.
// --only TABLE takes one of the tables. Needs redis-server and PostgreSQL, as `npm run test:cluster` does.
import { crowdTable } from './crowd.js'
import { pageTable } from './page.js'
import { prunedTable } from './pruned.js'
import { throughputTable } from './throughput.js'

const sections = { throughput: throughputTable, page: pageTable, pruned: prunedTable, crowd: crowdTable }

export async function run({ quick = false, only = '', rounds = quick ? 1 : 3 } = {}) {
  const names = Object.keys(sections).filter((name) => only === '' || name === only)
  if (names.length === 0)
    throw new Error(`--only: expected one of ${Object.keys(sections).join(', ')}, received ${only}`)
  const tables = []
  for (const name of names) tables.push(await sections[name]({ quick, rounds }))
  return { title: 'Searches through a queue', tables }
}
