// npm run bench -- NAME [--quick] [--json] [--save]
// Prints one table as Markdown (or JSON) with where and how it was measured; --save keeps it in bench/results/ with a plot.
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
const options = { quick: { type: 'boolean' }, json: { type: 'boolean' }, save: { type: 'boolean' } }
const { values, positionals } = parseArgs({ options, allowPositionals: true })
const [name] = positionals
if (!names.includes(name)) {
  console.error(`usage: npm run bench -- ${names.join('|')} [--quick] [--json] [--save]`)
  process.exit(2)
}

function where() {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  const changed =
    git('status', '--porcelain', 'native', 'lib', 'bench', ':!bench/results') === '' ? '' : ' with changes'
  const flags = Object.keys(values).map((flag) => ` --${flag}`)
  return {
    machine: `${cpus()[0].model}, ${cpus().length} cores, Node.js ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
    commit: git('rev-parse', '--short', 'HEAD') + changed,
    command: `npm run bench -- ${name}${flags.join('')}`,
  }
}

/** The first column of ratios, as bars: the picture of a bench that has none of its own. */
function plot({ title, columns, rows }) {
  const ratio = columns.findIndex((column) => column.startsWith('ratio'))
  const bars = rows.map((row) => ({ label: row.slice(0, Math.min(ratio, 2)).join(' '), value: row[ratio] }))
  return chart(
    `${title}: ratio to the rival`,
    bars.filter(({ value }) => value > 0),
  )
}

function markdown({ title, columns, rows, notes }, { machine, date, commit, command }) {
  const table = [columns, columns.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`)
  const facts = `${machine}; ${date}; commit ${commit}; \`${command}\``
  return [`# ${title}`, '', ...table, '', ...notes.map((note) => `- ${note}`), '', facts, ''].join('\n')
}

const { run } = await import(`./${name}/index.js`)
const { picture, ...result } = await run({ quick: values.quick })
const facts = where()
const text = markdown(result, facts)
console.log(values.json ? JSON.stringify({ ...result, ...facts }) : text)
if (values.save) {
  const folder = new URL('results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.md`, folder), `${text}\n![${result.title}](${name}.svg)\n`)
  writeFileSync(new URL(`${name}.svg`, folder), picture ?? plot(result))
}
