// The table of regrets: those recorded, tested against the best rival, and five seeds of them taken anew.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quantile } from '../lib/median.js'
import { runProcess } from '../lib/process.js'
import { rivalEnvironment, rivalsPython } from '../lib/python.js'
import { chanceThatLarger } from '../lib/rank-sum.js'
import { marks } from './search.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const recorded = JSON.parse(readFileSync(new URL('regrets.json', import.meta.url), 'utf8'))
const isRival = (sampler) => /^(Optuna|Rustuna|hyperparameters)/.test(sampler)
const short = (value) => (value === 0 ? '0' : value < 0.01 ? value.toExponential(1) : value.toPrecision(2))
/** Below that, which of two is better says nothing of a search. */
const enough = 1e-4

/** Rivals that a sampler of ours is to be no worse than, and those that it is to be like. */
const against = {
  random: { rivals: ['Optuna random'], alike: true },
  cmaEs: { rivals: ['Optuna CMA-ES'], alike: true },
  tpe: { rivals: ['Optuna TPE', 'Optuna TPE by groups'] },
  gaussianProcess: { rivals: ['Optuna GP'] },
  auto: {
    rivals: ['Optuna random', 'Optuna TPE', 'Optuna TPE by groups', 'Optuna CMA-ES', 'Optuna GP', 'Rustuna TPE'],
  },
}

/** In words: how likely regrets like these are, or higher ones, if those of the best rival are as good. */
function tested(sampler, samplers, mark) {
  const { rivals, alike } = against[sampler]
  const [rival] = rivals
    .filter((name) => samplers[name])
    .sort((a, b) => quantile(samplers[a][mark], 0.5) - quantile(samplers[b][mark], 0.5))
  if (!rival) return '–'
  const own = samplers[sampler][mark]
  const higher = chanceThatLarger(own, samplers[rival][mark])
  const chance = alike ? 2 * Math.min(higher, 1 - higher) : higher
  const missed = chance < 0.05 && quantile(own, 0.5) >= enough
  return `${chance.toFixed(chance < 0.1 ? 3 : 2)}${missed ? (alike ? ' other' : ' worse') : ''}`
}

function cellsOf(problem, sampler, samplers) {
  const all = samplers[sampler]
  const summary = (mark) => {
    const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => short(quantile(all[mark], share)))
    return `${middle} (${low} … ${high})`
  }
  const test = isRival(sampler) ? '–' : marks.map((mark) => tested(sampler, samplers, mark)).join(', ')
  return [problem, sampler, all[marks[0]].length, ...marks.map(summary), test]
}

/** `auto` is the Gaussian process in each of these spaces, to the bit. */
const withAuto = (samplers) => ({ ...samplers, ...(samplers.gaussianProcess && { auto: samplers.gaussianProcess }) })
const namesOf = (samplers) => Object.keys(samplers).sort((a, b) => isRival(a) - isRival(b))

/** Regrets of the first seeds, made now: problems → samplers → seeds → regrets by mark. */
async function anew(problems, names, seeds) {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-regrets-'))
  const file = (name) => join(folder, name)
  const args = (samplers) => [problems.join(','), samplers.join(','), 0, seeds]
  try {
    const made = []
    const isOurs = (name) => !isRival(name) || name === 'hyperparameters'
    const ours = names.filter(isOurs)
    if (ours.length > 0) {
      await runProcess(process.execPath, [path('ours.js'), file('ours.json'), ...args(ours)])
      made.push(JSON.parse(readFileSync(file('ours.json'), 'utf8')))
    }
    const rivals = names.filter((name) => !isOurs(name))
    const python = rivals.length > 0 ? rivalsPython() : undefined
    if (python) {
      await runProcess(python, [path('rivals.py'), file('rivals.json'), ...args(rivals)], rivalEnvironment(1))
      made.push(JSON.parse(readFileSync(file('rivals.json'), 'utf8')))
    }
    return made.map(({ regrets }) => regrets)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Takes a second or more for every few suggestions. */
const isDear = (sampler) => sampler === 'Optuna GP'

/** How many of the regrets made now are among those recorded, by sampler, in words. */
function confirmed(made) {
  const counts = new Map()
  for (const regrets of made) {
    for (const [problem, samplers] of Object.entries(regrets)) {
      for (const [sampler, seeds] of Object.entries(samplers)) {
        const known = recorded.regrets[problem]?.[sampler]
        if (!known) continue
        const [same, all] = counts.get(sampler) ?? [0, 0]
        const found = Object.values(seeds).filter((of) =>
          of.every((value, i) => known[marks[i]].includes(Number(value.toPrecision(4)))),
        )
        counts.set(sampler, [same + found.length, all + Object.keys(seeds).length])
      }
    }
  }
  return [...counts].map(([sampler, [same, all]]) => `${sampler} ${same} of ${all}`).join(', ')
}

/** @returns a table, and its curves for a picture */
export async function regretsTable({ quick, rounds = 1, text }) {
  const problems = Object.keys(recorded.regrets).filter((problem) => problem.includes(text))
  const rows = problems.flatMap((problem) => {
    const samplers = withAuto(recorded.regrets[problem])
    return namesOf(samplers).map((sampler) => cellsOf(problem, sampler, samplers))
  })
  const seeds = { cheap: quick ? 1 : 5, dear: quick ? 0 : rounds }
  const names = [...new Set(problems.flatMap((problem) => Object.keys(recorded.regrets[problem])))]
  const first = problems.slice(0, 4)
  const made = [
    ...(await anew(
      first,
      names.filter((name) => !isDear(name)),
      seeds.cheap,
    )),
    ...(seeds.dear ? await anew(first, names.filter(isDear), seeds.dear) : []),
  ]
  const versions = Object.entries(recorded.versions).map(([name, version]) => `${name} ${version}`)
  return {
    title: 'Regrets',
    columns: ['problem', 'sampler', 'seeds', ...marks.map((mark) => `after ${mark}`), 'chance at 30, 60, 100'],
    rows,
    notes: [
      'Regret without noise of the trial with the best value told: medians (quartiles) over the seeds. digits: share of 1,797.',
      'Chance: rank-sum test against the best by its median of the sampler’s own kind (auto: of all): how likely regrets as high as ours are if both are equally good; "worse" below 5 %, unless the median is below 1e-4. random and cmaEs: two-sided, as they are to be like Optuna’s; "other" below 5 %.',
      '`auto` is `gaussianProcess` in all of these spaces: the same suggestions.',
      `Recorded in bench/search/regrets.json (${versions.join(', ')}); of the first ${seeds.cheap} seeds on the first four problems, of Optuna’s Gaussian process ${seeds.dear} (--rounds), taken anew, are the recorded ones: ${confirmed(made)}.`,
    ],
    picture: pictureOf(problems.slice(0, 4)),
  }
}

const drawn = ['gaussianProcess', 'Optuna GP', 'tpe', 'Optuna TPE']
/** All regrets of 0 are drawn at the foot. */
const foot = 1e-6
const pictureOf = (problems) =>
  problems.map((problem) => ({
    title: problem,
    x: 'trials',
    y: 'median regret',
    curves: drawn.map((name) => {
      const known = recorded.regrets[problem][name]
      const middle = (mark) => Math.max(foot, quantile(known[mark], 0.5))
      return { name, points: known ? marks.map((mark) => [mark, middle(mark)]) : [] }
    }),
  }))
