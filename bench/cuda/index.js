// What verify.sh has seen on a card, as a table: from the results.json that it left in build-cuda/verify, or in the folder that
// GRADUS_VERIFIED names. Nothing is measured here. Beside each goal stands what the emulator counts and the compiler reports.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { geometricMean } from '../lib/median.js'

const usual = fileURLToPath(new URL('../../build-cuda/verify', import.meta.url))
const known = (value, digits) => (value === null || !Number.isFinite(value) ? '–' : value.toFixed(digits))

const named = (rows) => new Map(rows.map(([name, ...values]) => [name, values]))

/** What is to be reached: of each goal the value, and which of the kernels measured are in it. */
function goalsOf(times, stages) {
  const found = new Map(times.map((time) => [time.name, time]))
  const ours = (name) => found.get(name)?.seconds ?? Number.NaN
  const theirs = (name) => found.get(name)?.pytorch ?? Number.NaN
  const ratio = (name) => theirs(name) / ours(name)
  const layers = times.map(({ name }) => name).filter((name) => name.startsWith('layer ') && /\d/.test(name))
  // The copy moves what Adam moves; of 2²⁶ elements each array that is read or written has 2²⁸ bytes.
  const shareOfCopy = (name, bytes) => (ours('copy') * bytes) / (28 * 1e8) / ours(name)
  const shareOfArrays = (name, arrays) => shareOfCopy(name, arrays * 2 ** 28)
  const [large, small] = ['step 784-512-512-10', 'step 32-64-64-8']
  const added = (name, without, withIt) => 100 * (ours(name + withIt) / ours(name + without) - 1)
  const of = (name) => stages.find((stage) => stage.name === name)
  const sanitizers = ['memcheck', 'racecheck', 'initcheck', 'synccheck'].map(of)
  return [
    ['Adam of 10⁸ parameters, share of a copy’s bandwidth', shareOfCopy('adam', 28 * 1e8), '≥ 0.92', 'adam'],
    ['Adam, × PyTorch’s fused one', ratio('adam'), '≥ 1.0', 'adam'],
    [
      'Adam with clip, average and statistics, × PyTorch doing the same',
      ratio('adam, clip, average'),
      '≥ 1.5',
      'adam, clip, average',
    ],
    ['product of 4096³ in float32, × cuBLAS', ratio('product of 4096'), '≥ 0.85', 'product of 4096'],
    ['nine layers, × cuBLAS and kernels beside it, geometric mean', geometricMean(layers.map(ratio)), '≥ 1.0'],
    [`${large}, × PyTorch`, ratio(large), '≥ 5'],
    [`${large}, × PyTorch as a graph`, theirs(`${large}, graph and fused Adam`) / ours(large), '≥ 1.5'],
    [`${small}, × PyTorch`, ratio(small), '≥ 8'],
    ...[
      ['cross-entropy and gradient', 2],
      ['layer norm', 2],
      ['layer norm, backward', 3],
      ['batch norm', 3],
      ['batch norm, backward', 5],
    ].map(([name, arrays]) => [`${name}, share of a copy`, shareOfArrays(name, arrays), '≥ 0.85', name]),
    ...[large, small].flatMap((name) => [
      [`${name}: statistics add, %`, added(name, ', without statistics', ''), '≤ 2'],
      [`${name}: histograms each 50 steps add, %`, added(name, '', ', histograms'), '≤ 2'],
    ]),
    ['MNIST to 98 %, loading and context included', of('mnist')?.says, '< 2 s'],
    [
      'compute-sanitizer, tools of four without an error',
      sanitizers.some(Boolean) ? sanitizers.filter((stage) => stage?.status === 'ok').length : undefined,
      '4',
    ],
  ]
}
const measured = (value) => {
  if (typeof value === 'string') return value
  return value === undefined || !Number.isFinite(value) ? 'not measured' : String(Number(value.toFixed(2)))
}

/** The kernels of a goal, by a part of the names that the compiler gives them, and how many threads a block of theirs has. */
const kernels = {
  adam: [[/update_teamsIf.*AdamE.*Slots/, 64]],
  'product of 4096': [[/multiply_tiles.*TileShapeIfLj128E/, 256]],
  'cross-entropy and gradient': [[/cross_entropy_ofILi64ELb0ELb0Ef/, 128]],
  'layer norm': [[/layer_norm_ofILi64Ef/, 128]],
  'layer norm, backward': [[/backward_rowsIfLi64E/, 128]],
  'batch norm': [
    [/batch_norm_block_statisticsIf/, 128],
    [/batch_norm_forwardIf/, 128],
  ],
  'batch norm, backward': [
    [/batch_norm_block_gradientsIf/, 128],
    [/batch_norm_backwardIf/, 128],
  ],
}

/** Of a card of capability 9.0, as ptxas tells it: registers, and how many threads have room for theirs on a multiprocessor. */
function registersOf(name, reports) {
  return (kernels[name] ?? []).map(([kernel, threads]) => {
    const report = reports.find((text) => kernel.test(text.split('\n')[0]) && text.includes("'sm_90'"))
    const registers = Number(report?.match(/Used (\d+) registers/)?.[1])
    const blocks = Math.min(Math.floor(65_536 / (Math.ceil(registers / 8) * 8 * threads)), Math.floor(2048 / threads))
    return Number.isFinite(registers) ? `${registers} (${blocks * threads} threads)` : '–'
  })
}

/** What is known of kernels without a card, where these were built: `npm run build:emulated`, `npm run build:cuda`. */
function withoutCard() {
  const program = fileURLToPath(new URL('../../build-emulated/gradus_device_counts', import.meta.url))
  const said = existsSync(program) ? execFileSync(program, { encoding: 'utf8' }).trim().split('\n') : []
  const folder = fileURLToPath(new URL('../../build-cuda/cuda', import.meta.url))
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.txt')) : []
  return {
    counts: named(said.map((line) => line.split('\t'))),
    reports: files.flatMap((file) => readFileSync(join(folder, file), 'utf8').split(/(?=Compiling entry function)/)),
  }
}

function goalsTable(times, stages) {
  const { counts, reports } = withoutCard()
  return {
    title: 'What is to be reached',
    columns: ['what', 'measured', 'goal', 'bytes', 'whole sectors', 'launches', 'bank conflicts', 'registers'],
    rows: goalsOf(times, stages).map(([what, value, goal, name]) => {
      const [bytes, sectors, launches, conflicts] = counts.get(name) ?? []
      const registers = registersOf(name, reports)
      return [
        what,
        measured(value),
        goal,
        ...[Number(bytes) ? known(Number(bytes), 3) : '–', sectors ? known(Number(sectors), 3) : '–'],
        ...[launches ?? '–', conflicts ?? '–', registers.length > 0 ? registers.join(', ') : '–'],
      ]
    }),
    notes: [
      '“not measured”: no card was there. What stands behind it says nothing of speed.',
      'Bytes: those moved in arrays of the data’s size, over those that the goal counts; whole sectors: the share of sectors of 32 bytes that are moved of which no byte is left out. The emulator counts both, of kernels as large sizes have them.',
      'Registers of a thread by the compiler for capability 9.0, and the threads that a multiprocessor has registers for.',
    ],
  }
}

export async function run() {
  const folder = process.env.GRADUS_VERIFIED ?? usual
  const file = join(folder, 'results.json')
  if (!existsSync(file))
    return {
      title: 'kernels and steps on a GPU: not measured on a card yet',
      facts: { machine: 'no card' },
      tables: [goalsTable([], [])],
    }
  const { device, card, date, commit, stages, times } = JSON.parse(readFileSync(file, 'utf8'))
  const isOfCard = device === 'cuda' && card !== null
  return {
    title: isOfCard
      ? `kernels and steps on a GPU: ${card}`
      : 'the emulator: whether all of it runs, no figures of a card',
    isToBeKept: isOfCard,
    facts: { machine: card ?? device, date, commit: commit ?? 'unknown', command: 'bench/cuda/verify.sh' },
    tables: [
      goalsTable(times, stages),
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
