// The optimizers' kernels against a bare loop over the same bytes and against PyTorch, each in its own process, in turns.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { geometricMean, median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'
import { rivalsPython } from '../lib/python.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const ours = path('../../build/Release/gradus_bench_update')
const models = path('../../build/Release/gradus_bench_model_update')

const lines = (output) =>
  output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

// Map from 'optimizer parameters threads' to the lines of all rounds.
const measure = async (python, powers, rounds) => {
  const found = { ours: new Map(), torch: new Map() }
  const keep = (map, output) => {
    for (const line of lines(output)) {
      const key = `${line.optimizer} ${line.parameters} ${line.threads}`
      map.set(key, [...(map.get(key) ?? []), line])
    }
  }
  for (let round = 0; round < rounds; ++round)
    for (const threads of ['1', '2']) {
      keep(found.ours, await runProcess(ours, [threads, ...powers]))
      if (!python || threads === '1') continue
      const env = { OMP_NUM_THREADS: threads, OPENBLAS_NUM_THREADS: threads }
      keep(found.torch, await runProcess(python, [path('torch_update.py'), threads, ...powers], env))
    }
  return found
}

/** Whole models: rows of microseconds an update, in the table's columns. */
async function measureModels(python, rounds) {
  const found = new Map()
  const keep = (who, output) => {
    for (const { model, optimizer, microseconds } of lines(output)) {
      const entry = found.get(`${model}; ${optimizer}`) ?? { ours: [], torch: [] }
      entry[who].push(microseconds)
      found.set(`${model}; ${optimizer}`, entry)
    }
  }
  for (let round = 0; round < rounds; round++) {
    keep('ours', await runProcess(models, ['2']))
    if (!python) continue
    keep('torch', await runProcess(python, [path('torch_models.py'), '2'], { OMP_NUM_THREADS: '2' }))
  }
  return [...found].map(([key, { ours: own, torch }]) => {
    const [model, optimizer] = key.split('; ')
    const rival = torch.length ? median(torch) : undefined
    const time = `${fixed(median(own), 1)} µs`
    const rivalTime = rival && `${fixed(rival, 1)} µs`
    return [optimizer, model, 2, time, '–', '–', '–', rivalTime ?? '–', fixed(rival && rival / median(own), 1)]
  })
}

const fixed = (value, digits) => (value === undefined ? '–' : Number(value.toFixed(digits)))
const middle = (rows, of) => (rows ? median(rows.map(of)) : undefined)

/** Rows of one table: rates in 10⁹ parameters a second; a ratio above 1 says that we are faster. */
export async function run({ quick = false } = {}) {
  if (!existsSync(ours)) throw new Error(`${ours} is not built: run \`npm run build:bench\` first`)
  const python = rivalsPython()
  const powers = (quick ? [15, 20] : [12, 15, 20, 24]).map(String)
  const { ours: kernels, torch } = await measure(python, powers, quick ? 1 : 2)
  const rows = []
  const ratios = []
  for (const [key, found] of kernels) {
    const [optimizer, parameters, threads] = key.split(' ')
    if (optimizer === 'copy') continue
    const rate = middle(found, (line) => line.rate)
    const copy = middle(kernels.get(`copy ${parameters} ${threads}`), (line) => line.rate * line.bytes)
    const rival = middle(torch.get(key), (line) => line.rate)
    if (rival) ratios.push(rate / rival)
    rows.push([
      optimizer,
      `2^${Math.log2(Number(parameters))}`,
      Number(threads),
      fixed(rate / 1e9, 2),
      fixed((rate * found[0].bytes) / 1e9, 1),
      fixed((rate * found[0].bytes) / copy, 2),
      fixed(
        middle(found, (line) => line.share),
        3,
      ),
      fixed(rival && rival / 1e9, 3),
      fixed(rival && rate / rival, 2),
    ])
  }
  const wholes = await measureModels(python, quick ? 1 : 2)
  rows.push(...wholes)
  const torchNote = python
    ? `PyTorch (two threads, the faster of foreach and not): geometric mean of the ratios ${geometricMean(ratios).toFixed(1)}.`
    : 'No Python with torch was found: no rival in this run.'
  return {
    title: 'updates, float32, statistics on',
    columns: [
      'optimizer',
      'parameters',
      'threads',
      'G/s',
      'GB/s',
      'GB/s ÷ copy',
      'share of a bare loop',
      'PyTorch G/s',
      'ratio',
    ],
    rows,
    notes: [
      'Every row leaves ‖w‖², Σ|w|, ‖Δw‖², ‖g‖² and the count of non-finite gradients. The bare loop reads and writes the same streams.',
      'The copy is memcpy over as many elements with as many threads, counting bytes read and written.',
      torchNote,
      'adam_all has clipping, decay and the running average on: 36 bytes a parameter, and so has its bare loop.',
      'Rows of whole models: microseconds of one update of all tensors, by the engine; PyTorch likewise.',
    ],
  }
}

const markdown = ({ title, columns, rows, notes }) =>
  [
    `## ${title}`,
    '',
    ...[columns, columns.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`),
    '',
    ...notes,
  ].join('\n')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await run({ quick: process.argv.includes('--quick') })
  console.log(process.argv.includes('--json') ? JSON.stringify(result) : markdown(result))
}
