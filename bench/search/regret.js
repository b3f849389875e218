// node bench/search/regret.js SAMPLERS PROBLEMS SEEDS [FIRST] [RIVALS.json]: median regrets after 30, 60 and 100 trials,
// lists separated by commas, and what a file of others' figures says of the same problems.
import { readFileSync } from 'node:fs'
import { problems, search } from './problems.js'
import { samplers } from './samplers.js'

const [names, chosen, count, first = '0', file] = process.argv.slice(2)
const marks = [30, 60, 100]
const short = (x) => (x < 0.01 ? x.toExponential(1) : x.toPrecision(2))
/** Of an even number the upper, as the rivals' figures. */
const quantile = (sorted, share) => sorted[Math.floor(sorted.length * share)]

for (const problem of chosen.split(',')) {
  for (const row of file ? JSON.parse(readFileSync(file, 'utf8')).rows : []) {
    if (row.function === problem) console.log(problem, row.sampler, row.trials, short(row.median))
  }
  for (const name of names.split(',')) {
    const begun = performance.now()
    const regrets = []
    for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
      regrets.push(await search(samplers[name](), problems[problem], seed, marks))
    }
    const seconds = (performance.now() - begun) / 1000 / Number(count)
    const cells = marks.map((_, i) => {
      const sorted = regrets.map((of) => of[i]).sort((a, b) => a - b)
      return `${short(quantile(sorted, 0.5))} (${short(quantile(sorted, 0.25))} … ${short(quantile(sorted, 0.75))})`
    })
    console.log(`| ${problem} | ${name} | ${cells.join(' | ')} | ${seconds.toFixed(1)} s |`)
  }
}
