// What a step costs over batch, width and depth, a multiply-add, and an update over the number of parameters; and the
// memory of a step against PyTorch's.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { curves } from '../lib/curves.js'
import { median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'
import { rivalEnvironment, rivalsPython } from '../lib/python.js'
import { bytesOf, mostBytes, multiplyAddsOf, parametersOf, sweeps } from './sweeps.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const program = path('../../build/Release/gradus_bench_scale')
const nets = JSON.parse(readFileSync(path('../step/nets.json'), 'utf8'))
const threadCounts = [1, 2]
const cliff = 1.25

const lines = (output) =>
  output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** One round of one sweep: for each point nanoseconds a multiply-add or parameter, and the share of the peak. */
async function measureSweep({ what, points }, threads, milliseconds) {
  const printed = await runProcess(program, [
    what,
    String(threads),
    String(milliseconds),
    ...points.map(({ net }) => net),
  ])
  return lines(printed).map(({ microseconds, peak }, i) => {
    if (what === 'update') return { cost: (1000 * microseconds) / parametersOf(points[i]) }
    const cost = (1000 * microseconds) / multiplyAddsOf(points[i])
    return { cost, share: 2 / cost / peak, atPeak: 2 / peak }
  })
}

/** Each sweep with, for each number of threads, its rounds. */
async function measure(quick) {
  const { rounds, milliseconds } = quick ? { rounds: 1, milliseconds: 100 } : { rounds: 3, milliseconds: 300 }
  const found = sweeps(quick).map((sweep) => ({
    ...sweep,
    points: sweep.points.filter((point) => bytesOf(point) <= mostBytes()),
    skipped: sweep.points.filter((point) => bytesOf(point) > mostBytes()),
    rounds: { 1: [], 2: [] },
  }))
  for (let round = 0; round < rounds; round++)
    for (const sweep of found)
      for (const threads of threadCounts) sweep.rounds[threads].push(await measureSweep(sweep, threads, milliseconds))
  return found
}

const middle = (sweep, threads, i, field) => median(sweep.rounds[threads].map((round) => round[i][field]))
/** Where the curve rises by more than 25 %, and how many rounds say so each for itself: not all, on a busy machine. */
function cliffsOf(sweep) {
  return threadCounts.flatMap((threads) =>
    sweep.points.slice(1).flatMap(({ at }, i) => {
      const dearer = middle(sweep, threads, i + 1, 'cost') / middle(sweep, threads, i, 'cost')
      if (dearer <= cliff) return []
      const rounds = sweep.rounds[threads]
      const seen = rounds.filter((round) => round[i + 1].cost > cliff * round[i].cost).length
      const step = `${sweep.name} ${sweep.points[i].at.toLocaleString('en')} → ${at.toLocaleString('en')}`
      return [`${step}, ${count(threads)}: ${dearer.toFixed(2)} × (in ${seen} of ${rounds.length} rounds)`]
    }),
  )
}

const count = (threads) => (threads === 1 ? 'one thread' : 'two threads')
const unitOf = ({ what }) => (what === 'update' ? 'ns a parameter' : 'ns a multiply-add')

const panelOf = (sweep) => ({
  title: `${sweep.name}: ${sweep.title}`,
  x: sweep.name,
  y: unitOf(sweep),
  curves: threadCounts.map((threads) => ({
    name: count(threads),
    points: sweep.points.map(({ at }, i) => [at, middle(sweep, threads, i, 'cost')]),
  })),
  levels:
    sweep.what === 'update'
      ? []
      : threadCounts.map((threads) => median(sweep.points.map((_, i) => middle(sweep, threads, i, 'atPeak')))),
})

const weightsOf = ({ widths }) => widths.slice(1).reduce((sum, width, i) => sum + widths[i] * width, 0)

/** A note for each of the two largest nets that `step` trains with two optimizers. */
async function memoryNotes() {
  const main = nets.filter(({ works }) => works.includes('nesterov'))
  const largest = main.sort((a, b) => weightsOf(b) - weightsOf(a)).slice(0, 2)
  const python = rivalsPython()
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`
  const notes = []
  for (const { name, widths, batch } of largest) {
    const [ours] = lines(await runProcess(program, ['memory', '2', `${widths.join()}@${batch}`]))
    const grown = (of) => `the process grew by ${megabytes(of.grown)}, at most by ${megabytes(of.most)}`
    let note = `Memory of a step of ${name} @ ${batch} with Adam, data not counted: ${megabytes(ours.engine)} by the engine’s count; ${grown(ours)}, the threads’ workspaces of products among it.`
    if (python) {
      const [torch] = lines(
        await runProcess(python, [path('torch_memory.py'), widths.join(), String(batch)], rivalEnvironment(2)),
      )
      note += ` PyTorch ${torch.version}: ${grown(torch)}, ${(torch.most / ours.most).toFixed(2)} × ours.`
    }
    notes.push(note)
  }
  return notes
}

const rounded = (value) => Number(value.toPrecision(3))

export async function run({ quick = false } = {}) {
  if (!existsSync(program)) throw new Error(`${program} is not built: run \`npm run build:bench\` first`)
  const found = await measure(quick)
  const rows = found.flatMap((sweep) =>
    sweep.points.map(({ at }, i) => {
      const values = threadCounts.flatMap((threads) => [
        rounded(middle(sweep, threads, i, 'cost')),
        sweep.what === 'update' ? '–' : rounded(middle(sweep, threads, i, 'share')),
      ])
      return [`${sweep.name} ${at.toLocaleString('en')}`, sweep.title, unitOf(sweep), ...values]
    }),
  )
  const cliffs = found.flatMap(cliffsOf)
  const skipped = found.flatMap((sweep) => sweep.skipped.map(({ at }) => `${sweep.name} ${at.toLocaleString('en')}`))
  const notes = [
    'Steps with Adam and tensor statistics, by the engine alone; multiply-adds of a step: two products a layer, three but in the first. The peak is measured with as many threads just before each point.',
    `More than 25 % dearer than the point before: ${cliffs.length ? cliffs.join('; ') : 'none'}.`,
    ...(skipped.length ? [`Left out, as they need more memory than there is to spare: ${skipped.join(', ')}.`] : []),
    ...(await memoryNotes()),
  ]
  const columns = ['at', 'net', 'unit', 'one thread', 'share of peak', 'two threads', 'share of peak']
  const title = 'Cost of a step by size, float32'
  return {
    title,
    columns,
    rows,
    notes,
    picture: curves(`${title}; dashed: at the multiply-adds’ peak`, found.map(panelOf)),
  }
}
