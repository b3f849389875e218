// npm run bench -- NAME [--quick] [--json] [--save] [--against CHECKOUT] [--only TEXT] [--rounds N]
// Prints its table, or tables, as Markdown (or JSON) with where and how they were measured; --save keeps them in bench/results/
// with a plot.
// A bench of results that another machine has left says where those come from, and whether they are to be kept.
// What a bench makes of the last three: CHECKOUT, built, in place of rivals; only rows with TEXT; N rounds.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chart } from './lib/chart.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const names = readdirSync(new URL('.', import.meta.url)).filter((name) =>
  existsSync(new URL(`${name}/index.js`, import.meta.url)),
)
const usage = '[--quick] [--json] [--save] [--against CHECKOUT] [--only TEXT] [--rounds N]'
const options = {
  ...Object.fromEntries(['quick', 'json', 'save'].map((flag) => [flag, { type: 'boolean' }])),
  ...Object.fromEntries(['against', 'only', 'rounds'].map((option) => [option, { type: 'string' }])),
}
const { values, positionals } = parseArgs({ options, allowPositionals: true })
const [name] = positionals
const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
if (!names.includes(name) || (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))) {
  console.error(`usage: npm run bench -- ${names.join('|')} ${usage}`)
  process.exit(2)
}

function commitOf(checkout) {
  const git = (...args) => execFileSync('git', args, { cwd: checkout, encoding: 'utf8' }).trim()
  const changes = git('status', '--porcelain', 'native', 'lib', 'bench', ':!bench/results')
  return git('rev-parse', '--short', 'HEAD') + (changes === '' ? '' : ' with changes')
}

function where() {
  const other = values.against === undefined ? undefined : commitOf(values.against)
  // Where the other checkout lies says nothing elsewhere; its commit stands beside ours.
  const shown = { ...values, ...(other && { against: 'CHECKOUT' }) }
  const flags = Object.entries(shown).map(([flag, value]) => (value === true ? ` --${flag}` : ` --${flag} '${value}'`))
  return {
    machine: `${cpus()[0].model}, ${cpus().length} cores, Node.js ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
    commit: commitOf(root) + (other ? ` against ${other}` : ''),
    command: `npm run bench -- ${name}${flags.join('')}`,
  }
}

/** The first column of ratios, as bars: the picture of a bench that has none of its own; null where there is no rival. */
function plot({ title, tables }) {
  const table = tables.find((table) => table.columns.some((column) => column.startsWith('ratio')))
  if (!table) return null
  const { columns, rows } = table
  const ratio = columns.findIndex((column) => column.startsWith('ratio'))
  const bars = rows.map((row) => ({ label: row.slice(0, Math.min(ratio, 2)).join(' '), value: row[ratio] }))
  return chart(
    `${title}: ratio to the rival`,
    bars.filter(({ value }) => value > 0),
  )
}

function markdown({ title, tables }, { machine, date, commit, command }) {
  const facts = `${machine}; ${date}; commit ${commit}; \`${command}\``
  const parts = tables.flatMap(({ title, columns, rows, notes }) => [
    ...(tables.length > 1 ? [`## ${title}`, ''] : []),
    ...[columns, columns.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`),
    '',
    ...notes.map((note) => `- ${note}`),
    '',
  ])
  return [`# ${title}`, '', ...parts, facts, ''].join('\n')
}

const { run } = await import(`./${name}/index.js`)
const {
  picture,
  facts: ofResults,
  isToBeKept = true,
  ...made
} = await run({ quick: values.quick, against: values.against, only: values.only, rounds })
// A bench with one table gives that.
const result = made.tables ? made : { ...made, tables: [made] }
const facts = { ...where(), ...ofResults }
const text = markdown(result, facts)
console.log(values.json ? JSON.stringify({ ...made, ...facts }) : text)
if (values.save && !isToBeKept) {
  console.error('these are no results to be kept')
  process.exitCode = 1
} else if (values.save) {
  const folder = new URL('results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const file = values.against === undefined ? name : `${name}-against`
  const drawn = picture ?? plot(result)
  writeFileSync(new URL(`${file}.md`, folder), drawn ? `${text}\n![${result.title}](${file}.svg)\n` : text)
  if (drawn) writeFileSync(new URL(`${file}.svg`, folder), drawn)
}
