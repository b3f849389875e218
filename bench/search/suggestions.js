// node bench/search/suggestions.js SAMPLER TRIALS ROUNDS: milliseconds of each suggestion for 8 parameters after so many
// trials, one a line, as JSON. The trials are random, their values a bowl's.
import { random } from '../../dist/search/samplers/random.js'
import { uniform } from '../../dist/search/space/parameters.js'
import { checkSpace } from '../../dist/search/space/space.js'
import { samplerOf } from './samplers.js'

const [name, trials, rounds] = process.argv.slice(2)
const space = checkSpace(Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`x${i}`, uniform(0, 1)])))
const bowl = (params) => Object.values(params).reduce((sum, x) => sum + (x - 0.3) ** 2, 0)

export function trialsOf(count, seed = 1) {
  return Array.from({ length: count }, (_, number) => {
    const params = random().suggest({ space, trials: [], direction: 'minimize', seed, number })
    return { number, params, state: 'complete', value: bowl(params) }
  })
}

const sampler = await samplerOf(name)
const before = trialsOf(Number(trials))

/** Milliseconds of so many suggestions in a row: a study goes on, each has one more trial to look at. */
async function inRow(seed) {
  const [seen, times] = [[...before], []]
  for (let round = 0; round < Number(rounds); round++) {
    const begun = performance.now()
    const params = await sampler.suggest({ space, trials: seen, direction: 'minimize', seed, number: seen.length })
    times.push(performance.now() - begun)
    seen.push({ number: seen.length, params, state: 'complete', value: bowl(params) })
  }
  return times
}

// A study asks again and again: what V8 compiles at first is not what a suggestion takes.
let seed = 2
for (const begun = performance.now(); performance.now() - begun < 1000; ) await inRow(seed++)
const times = await inRow(1)
console.log(JSON.stringify(times))
