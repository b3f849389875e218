// Milliseconds of a suggestion, ours and rivals' in turns, each in its own process.
import { fileURLToPath } from 'node:url'
import { median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'
import { rivalEnvironment, rivalsPython } from '../lib/python.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
/** What is held against what, at how many trials. */
const pairs = [
  { ours: 'tpe', rival: 'rustuna', counts: [100, 250, 1000] },
  { ours: 'tpe', rival: 'optuna-tpe', counts: [100, 250, 1000] },
  { ours: 'gaussianProcess', rival: 'optuna-gp', counts: [100, 250] },
  { ours: 'random', rival: 'hyperparameters', counts: [100, 1000] },
]
const names = {
  rustuna: 'Rustuna TPE',
  'optuna-tpe': 'Optuna TPE',
  'optuna-gp': 'Optuna GP',
  hyperparameters: 'hyperparameters, random',
}

const rounded = (value) => (value === undefined ? '–' : Number(value.toPrecision(3)))

export async function suggestionsTable({ quick, rounds = quick ? 1 : 3, text }) {
  const python = rivalsPython()
  const inRow = ({ rival }) => (quick || rival === 'optuna-gp' ? 5 : 15)
  const ours = async (name, count, many) =>
    JSON.parse(await runProcess(process.execPath, [path('suggestions.js'), name, count, many]))
  const rivals = async (name, count, many) =>
    name === 'hyperparameters'
      ? await ours(name, count, many)
      : JSON.parse(await runProcess(python, [path('suggestions.py'), name, count, many], rivalEnvironment(1)))
  const chosen = pairs
    .flatMap(({ counts, ...pair }) => counts.map((count) => ({ ...pair, count })))
    .filter(({ ours, rival, count }) => `${ours} ${names[rival]} ${count}`.includes(text))
  const found = new Map(chosen.map((pair) => [pair, []]))
  for (let round = 0; round < rounds; round++) {
    for (const pair of chosen) {
      const own = median(await ours(pair.ours, pair.count, inRow(pair)))
      const other = python ? median(await rivals(pair.rival, pair.count, inRow(pair))) : undefined
      found.get(pair).push({ own, other })
    }
  }
  return {
    title: 'Milliseconds of a suggestion, 8 parameters',
    columns: ['sampler', 'trials', 'ms', 'rival', 'rival ms', 'ratio to it'],
    rows: [...found].map(([{ ours, rival, count }, times]) => {
      const middle = (ask) => rounded(python ? median(times.map(ask)) : undefined)
      const own = rounded(median(times.map((time) => time.own)))
      return [ours, count, own, names[rival], middle(({ other }) => other), middle((time) => time.other / time.own)]
    }),
    notes: [
      `Medians of ${rounds} rounds of a process each, in turns, of the median of 15 suggestions in a row (5 where Gaussian processes meet, or --quick); a ratio above 1 says that ours is faster.`,
      'Trials before are random, their values a bowl’s; one thread each. In Node.js a second of suggestions goes before, uncounted. hyperparameters from npm has random and grid search.',
    ],
  }
}
