// node bench/search/collect.js FILES…: puts what ours.js and rivals.py have written into regrets.json: the regrets of all seeds,
// for the tables and tests of `npm run bench -- search`. A sampler's regrets on a problem are replaced as a whole.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { marks } from './search.js'

const file = new URL('regrets.json', import.meta.url)
const recorded = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { versions: {}, regrets: {} }
for (const path of process.argv.slice(2)) {
  const { versions, regrets } = JSON.parse(readFileSync(path, 'utf8'))
  Object.assign(recorded.versions, versions)
  for (const [problem, samplers] of Object.entries(regrets)) {
    recorded.regrets[problem] ??= {}
    for (const [sampler, seeds] of Object.entries(samplers)) recorded.regrets[problem][sampler] = byMark(seeds)
  }
}

function byMark(seeds) {
  const sorted = (i) =>
    Object.values(seeds)
      .map((regrets) => Number(regrets[i].toPrecision(4)))
      .sort((a, b) => a - b)
  return Object.fromEntries(marks.map((mark, i) => [mark, sorted(i)]))
}

recorded.what =
  'regrets without noise of the trial with the best value told after 30, 60, 100 trials, by problem, sampler and count, sorted; made by ours.js and rivals.py'
const lines = Object.entries(recorded.regrets).flatMap(([problem, samplers]) => [
  `  ${JSON.stringify(problem)}: {`,
  Object.entries(samplers)
    .map(([sampler, all]) => `    ${JSON.stringify(sampler)}: ${JSON.stringify(all)}`)
    .join(',\n'),
  '  },',
])
const { what, versions } = recorded
const head = `{"what": ${JSON.stringify(what)},\n"versions": ${JSON.stringify(versions)},\n"regrets": {\n`
writeFileSync(file, `${head}${lines.join('\n').replace(/,$/, '')}\n}}\n`)
