// Where the time of a training step goes, by the engine's own training loop with a clock at each call of its device.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const program = path('../../build/Release/gradus_bench_phases')
const nets = JSON.parse(readFileSync(path('../step/nets.json'), 'utf8'))

/** Names of phases, and of the device's calls that belong to them; what belongs to none stands under its own name. */
const phases = {
  gather: /^gather_/,
  forward: /^forward$/,
  dX: /^dX$/,
  dW: /^dW$/,
  'activations, loss': /^activation_|cross_entropy|hinge|(squared|absolute)_error|huber|softmax|^sum$/,
  'bias gradients': /_sums$|^add_blocks$/,
  judging: /^(find_nonfinite|judge)$/,
  update: /^update$/,
}
const phaseOf = (name) => Object.keys(phases).find((phase) => phases[phase].test(name)) ?? name

/** Microseconds a step by phase, all of one thread's time. */
function phasesOf({ engine, statistics, kinds }) {
  const times = {}
  for (const { name, kernels } of kinds) times[phaseOf(name)] = (times[phaseOf(name)] ?? 0) + kernels
  return { ...times, waiting: kinds.reduce((sum, { waiting }) => sum + waiting, 0), engine, statistics }
}

const sum = (values) => values.reduce((total, value) => total + value, 0)
const rounded = (value) =>
  value === undefined ? '–' : Number(Math.abs(value) < 1 ? value.toFixed(2) : value.toPrecision(3))

async function measure({ rounds, milliseconds, threadCounts }) {
  const found = []
  for (const { name, widths, batch } of nets)
    for (const optimizer of ['adam', 'nesterov'])
      for (const threads of threadCounts)
        found.push({
          net: `${name} @ ${batch}`,
          optimizer,
          threads,
          arguments: [widths, batch, optimizer, threads],
          runs: [],
        })
  for (let round = 0; round < rounds; round++)
    for (const row of found) {
      const printed = await runProcess(program, [...row.arguments, milliseconds].map(String))
      row.runs.push(JSON.parse(printed))
    }
  return found
}

/** The round whose step is the median one: phases of one round add up, medians of several need not. */
function middleOf(runs) {
  const middle = median(runs.map(({ step }) => step))
  return runs.find(({ step }) => step >= middle)
}

export async function run({ quick = false } = {}) {
  if (!existsSync(program)) throw new Error(`${program} is not built: run \`npm run build:bench\` first`)
  const found = await measure(
    quick
      ? { rounds: 1, milliseconds: 300, threadCounts: [2] }
      : { rounds: 3, milliseconds: 1000, threadCounts: [2, 1] },
  )
  const measured = found.map((row) => {
    const middle = middleOf(row.runs)
    return { ...row, ...middle, phases: phasesOf(middle) }
  })
  const names = [...new Set([...Object.keys(phases), ...measured.flatMap((row) => Object.keys(row.phases))])].filter(
    (name) => measured.some((row) => name in row.phases),
  )
  const rows = measured.map((row) => {
    const total = sum(Object.values(row.phases))
    const times = [...names.map((name) => row.phases[name]), total, row.step].map(rounded)
    return [row.net, row.optimizer, row.threads, ...times, Number((total / row.step).toFixed(3))]
  })
  const errors = measured.map((row) => Math.abs(sum(Object.values(row.phases)) / row.step - 1))
  const notes = [
    'Times in µs a step. Phases are the time in kernels on the calling thread; waiting is all else of the device’s calls: cutting the work, waking the other thread and waiting for it. Engine is what is outside of device calls, without the statistics of tensors; those are the difference between with and without.',
    `Sum against the step without clocks: at most ${(100 * Math.max(...errors)).toFixed(1)} % apart; wanted are 5 %. What a pair of clocks costs is measured on a net so small that it shows there, and taken off each call. The step with clocks took up to ${(100 * (Math.max(...measured.map(({ timed, step }) => timed / step)) - 1)).toFixed(0)} % longer.`,
    ...measured
      .filter(({ threads, optimizer }) => threads > 1 && optimizer === 'adam')
      .map(({ net, kinds }) => {
        const most = kinds.toSorted((a, b) => b.waiting - a.waiting).slice(0, 3)
        const list = most.map(({ name, waiting, calls }) => `${name} ${rounded(waiting)} in ${rounded(calls)} calls`)
        return `${net}, adam, two threads, waiting: ${list.join(', ')}.`
      }),
  ]
  const columns = ['net', 'optimizer', 'threads', ...names, 'sum', 'step', 'ratio, sum ÷ step']
  return { title: 'Where a training step’s time goes, float32', columns, rows, notes }
}
