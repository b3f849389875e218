// Searches: what samplers reach and what a suggestion takes, against rivals; and trials a second by executor.
// --only SECTION or SECTION:TEXT takes one of the tables, and of it rows with TEXT; `failing`, which takes long, only so.
import { curves } from '../lib/curves.js'
import { executorsTable } from './executors.js'
import { failingTable } from './failing.js'
import { regretsTable } from './regrets.js'
import { suggestionsTable } from './suggestions-table.js'

const sections = {
  regrets: regretsTable,
  failing: failingTable,
  suggestions: suggestionsTable,
  executors: executorsTable,
}

export async function run({ quick = false, only = '', rounds } = {}) {
  const [section, text = ''] = only.split(':')
  const names = Object.keys(sections).filter((name) => (section ? name === section : name !== 'failing'))
  if (names.length === 0)
    throw new Error(`--only: expected one of ${Object.keys(sections).join(', ')}, received ${only}`)
  const tables = []
  let picture
  for (const name of names) {
    const { picture: panels, ...table } = await sections[name]({ quick, rounds, text })
    if (panels) picture = curves('Median regrets', panels)
    tables.push(table)
  }
  return { title: 'Searches', tables, picture }
}
