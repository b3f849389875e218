// What verify.sh has seen on a card, as a table: from the results.json that it left in build-cuda/verify, or in the folder that
// GRADUS_VERIFIED names. Nothing is measured here.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { geometricMean } from '../lib/median.js'

const usual = fileURLToPath(new URL('../../build-cuda/verify', import.meta.url))
const known = (value, digits) => (value === null || !Number.isFinite(value) ? '–' : value.toFixed(digits))

/** What is wanted: of a name the seconds, PyTorch's, and the ratio of both. */
function goalsOf(times) {
  const found = new Map(times.map((time) => [time.name, time]))
  const ours = (name) => found.get(name)?.seconds ?? Number.NaN
  const theirs = (name) => found.get(name)?.pytorch ?? Number.NaN
  const ratio = (name) => theirs(name) / ours(name)
  const layers = times.map(({ name }) => name).filter((name) => name.startsWith('layer '))
  // The copy moves what Adam moves; 2²⁶ elements are read and written by the others.
  const shareOfCopy = (name, bytes) => (ours('copy') * bytes) / (28 * 1e8) / ours(name)
  const [large, small] = ['step 784-512-512-10', 'step 32-64-64-8']
  const added = (name, without, withIt) => 100 * (ours(name + withIt) / ours(name + without) - 1)
  return [
    ['Adam of 10⁸ parameters, share of a copy’s bandwidth', shareOfCopy('adam', 28 * 1e8), '≥ 0.92'],
    ['Adam, × PyTorch’s fused one', ratio('adam'), '≥ 1.0'],
    ['Adam with clip, average and statistics, × PyTorch doing the same', ratio('adam, clip, average'), '≥ 1.5'],
    ['product of 4096³ in float32, × cuBLAS', ratio('product of 4096'), '≥ 0.85'],
    ['nine layers, × cuBLAS and kernels beside it, geometric mean', geometricMean(layers.map(ratio)), '≥ 1.0'],
    [`${large}, × PyTorch`, ratio(large), '≥ 5'],
    [`${large}, × PyTorch as a graph`, theirs(`${large}, graph and fused Adam`) / ours(large), '≥ 1.5'],
    [`${small}, × PyTorch`, ratio(small), '≥ 8'],
    ['cross-entropy and gradient, share of a copy', shareOfCopy('cross-entropy and gradient', 2 ** 29), '≥ 0.85'],
    ['layer norm, share of a copy', shareOfCopy('layer norm', 2 ** 29), '≥ 0.85'],
    ...[large, small].flatMap((name) => [
      [`${name}: statistics add, %`, added(name, ', without statistics', ''), '≤ 2'],
      [`${name}: histograms each 50 steps add, %`, added(name, '', ', histograms'), '≤ 2'],
    ]),
  ].map(([what, value, goal]) => [what, known(value, 2), goal])
}

export async function run() {
  const folder = process.env.GRADUS_VERIFIED ?? usual
  const file = join(folder, 'results.json')
  if (!existsSync(file))
    throw new Error(`there is no ${file}: run bench/cuda/verify.sh on a machine with a card, and bring its folder here`)
  const { device, card, date, commit, stages, times } = JSON.parse(readFileSync(file, 'utf8'))
  const isOfCard = device === 'cuda' && card !== null
  return {
    title: isOfCard
      ? `kernels and steps on a GPU: ${card}`
      : 'the emulator: whether all of it runs, no figures of a card',
    isToBeKept: isOfCard,
    facts: { machine: card ?? device, date, commit: commit ?? 'unknown', command: 'bench/cuda/verify.sh' },
    tables: [
      { title: 'What is to be reached', columns: ['what', 'measured', 'goal'], rows: goalsOf(times), notes: [] },
      {
        title: 'Times',
        columns: ['what', 'ratio', 'µs', 'µs of PyTorch'],
        rows: times.map(({ name, seconds, pytorch }) => [
          name,
          seconds && pytorch ? Number((pytorch / seconds).toFixed(2)) : '–',
          ...[seconds, pytorch].map((of) => known(of && of * 1e6, 2)),
        ]),
        notes: ['Medians of rounds in one run, on one card; “no graph”: each kernel of a step launched by itself.'],
      },
      {
        title: 'Stages',
        columns: ['stage', 'status', 's', 'of at most', 'says'],
        rows: stages.map(({ name, status, limit, seconds, says }) => [name, status, seconds, limit, says]),
        notes: [],
      },
    ],
  }
}
