// Eight models in one pass against eight calls and against stacked members in PyTorch and JAX; and their training side by side:
// each in its own process, taking turns.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'
import { rivalEnvironment, rivalsPython } from '../lib/python.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const threads = 2
const rounded = (value, digits = 3) => (value === undefined ? '–' : Number(value.toPrecision(digits)))

const nets = JSON.parse(readFileSync(new URL('nets.json', import.meta.url), 'utf8'))
const rowsWith = (text = '') =>
  nets
    .flatMap(({ name, batches, trainBatch }, net) => [
      ...batches.map((batch) => ({ net, batch, work: 'predict', label: `${name} @ ${batch}` })),
      ...(trainBatch ? [{ net, batch: trainBatch, work: 'train', label: `${name} @ ${trainBatch}` }] : []),
    ])
    .filter(({ label, work }) => `${label} ${work}`.includes(text))

const gradus = async ({ net, work, batch }, milliseconds) =>
  JSON.parse(await runProcess(process.execPath, [path('ours.js'), net, work, batch, milliseconds, threads]))

/** Works → names of rivals → how one runs a row. */
function rivals() {
  const python = rivalsPython()
  if (!python) return { predict: {}, train: {} }
  const script =
    (name, mode) =>
    async ({ net, work, batch }, milliseconds) => {
      const values = [path(name), net, work, batch, milliseconds, mode]
      return JSON.parse(await runProcess(python, values, rivalEnvironment(threads)))
    }
  return {
    predict: {
      'PyTorch bmm': script('torch_ensemble.py', 'bmm'),
      'PyTorch bmm, compiled': script('torch_ensemble.py', 'bmm compiled'),
      'PyTorch vmap': script('torch_ensemble.py', 'vmap'),
      'PyTorch vmap, compiled': script('torch_ensemble.py', 'vmap compiled'),
      'JAX jit(vmap)': script('jax_ensemble.py', 'step'),
    },
    train: {
      'JAX jit(vmap)': script('jax_ensemble.py', 'step'),
      'JAX loop': script('jax_ensemble.py', 'loop'),
    },
  }
}

/** Rivals that took more than so many times the best one's time in the first round are left out of the others. */
const hopeless = 2

/** For each row the results of each round: { ours, others by name }. */
async function measure(rows, competitors, { rounds, milliseconds }) {
  const found = new Map(rows.map((row) => [row, []]))
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) {
      const ours = await gradus(row, milliseconds)
      const others = {}
      for (const [name, run] of Object.entries(competitors[row.work])) {
        if (isHopeful(found.get(row)[0]?.others, name)) others[name] = await run(row, milliseconds)
      }
      found.get(row).push({ ours, others })
    }
  }
  return found
}

/** Most of a rival's time goes into its start, and some are far behind. */
function isHopeful(first, name) {
  if (!first) return true
  const times = Object.values(first).map(({ microseconds }) => microseconds)
  return first[name].microseconds <= hopeless * Math.min(...times)
}

/** The median of what is asked of each round. */
const medianOf = (results, ask) => median(results.map(ask))

/** The median of a rival's rounds. */
const timeOf = (results, name) => median(results.flatMap(({ others }) => others[name]?.microseconds ?? []))

/** Of the rivals the one that takes least, by the median of the rounds, among those of all rounds. */
function bestRival(results) {
  const names = Object.keys(results.at(-1).others)
  const times = names.map((name) => timeOf(results, name))
  return names[times.indexOf(Math.min(...times))]
}

/** Ways of our own: the one in a call, and those that it is held against. */
const waysOf = {
  predict: [
    { work: 'predict', all: 'ensemble', inTurn: 'inTurn', one: 'one' },
    { work: 'predictSync', all: 'ensembleSync', inTurn: 'inTurnSync', one: 'oneSync' },
  ],
  train: [{ work: 'train', all: 'sideBySide', inTurn: 'inTurn' }],
}

function cellsOf({ label }, results, { work, all, inTurn, one }) {
  const time = (name) => (name ? rounded(medianOf(results, ({ ours }) => ours[name])) : '–')
  const ratio = (name) => (name ? rounded(medianOf(results, ({ ours }) => ours[name] / ours[all])) : '–')
  const best = bestRival(results)
  const rival = best && ((result) => result.others[best].microseconds)
  return [
    label,
    work,
    ...[time(all), time(inTurn), time(one), ratio(inTurn)],
    one ? rounded(medianOf(results, ({ ours }) => ours[all] / ours[one])) : '–',
    best ?? '–',
    rival ? rounded(medianOf(results, rival)) : '–',
    rival ? rounded(medianOf(results, (result) => rival(result) / result.ours[all])) : '–',
  ]
}

function notesOf(found, { rounds, milliseconds }) {
  const results = [...found].flatMap(([row, of]) => of.map(({ others }) => [row, others]))
  const versions = new Set(results.flatMap(([, others]) => Object.values(others).map(({ version }) => version)))
  const rivalTimes = [...found].map(([{ label, work }, of]) => {
    const times = Object.keys(of[0].others).map((name) => `${name} ${rounded(timeOf(of, name))}`)
    return `${label} ${work}: ${times.join(', ')}`
  })
  return [
    'Eight members whose probabilities are averaged; µs a prediction of the batch, or a training step of all eight with Adam.',
    'In turn: eight awaited predictions, one after the other, which combine nothing; eight fits one after the other. Side by side: eight fits at once. Fits have one thread each.',
    `Medians of ${rounds} rounds of ${milliseconds} ms; a ratio above 1 says that the ensemble, or that side by side, is faster. ${threads} threads each, predictSync one.`,
    'predict takes rows that lie in native memory, as the rivals’ do; predictSync a typed array. Fits go over 2,000 batches with all that fit does; the rivals take one batch again and again.',
    ...(versions.size
      ? [
          `Rivals: ${[...versions].join(', ')}; those that took over ${hopeless} × the best one’s time in the first round had only that one. All times: ${rivalTimes.join('; ')}.`,
        ]
      : []),
  ]
}

export async function run({ quick = false, only, rounds } = {}) {
  const rows = rowsWith(only)
  const plan = { rounds: rounds ?? (quick ? 1 : 3), milliseconds: quick ? 250 : 600 }
  const found = await measure(rows, rivals(), plan)
  return {
    title: 'Eight members as one, float32',
    columns: [
      'net',
      'work',
      'together µs',
      'in turn µs',
      'one model µs',
      'ratio to in turn',
      'times one model',
      'best rival',
      'rival µs',
      'ratio to it',
    ],
    rows: [...found].flatMap(([row, results]) => waysOf[row.work].map((ways) => cellsOf(row, results, ways))),
    notes: notesOf(found, plan),
  }
}
