// matmul against OpenBLAS and against the machine's multiply-add peak: each in its own process, taking turns.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { geometricMean, median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const ours = path('../../build/Release/gradus_bench_matmul')

const compileRival = async (folder) => {
  const program = join(folder, 'openblas')
  await runProcess('g++', ['-std=c++17', '-O2', path('openblas.cc'), '-lopenblas', '-o', program])
  return program
}

const lines = (output) =>
  output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const keyOf = (line) => `${line.shape} ${line.form}`

// rates: program → threads → shape and form → one rate a round
const measure = async (programs, rounds) => {
  const rates = {}
  const about = {}
  for (let round = 0; round < rounds; ++round)
    for (const threads of [1, 2])
      for (const [name, program] of Object.entries(programs)) {
        const [head, ...rows] = lines(await runProcess(program, [`${threads}`], { OPENBLAS_NUM_THREADS: `${threads}` }))
        about[name] = { ...head, peak: Math.max(head.peak ?? 0, about[name]?.peak ?? 0) }
        rates[name] ??= { 1: new Map(), 2: new Map() }
        for (const row of rows) {
          const list = rates[name][threads]
          list.set(keyOf(row), [...(list.get(keyOf(row)) ?? []), row.gflops])
        }
      }
  return { rates, about }
}

const number = (value, digits) => Number(value.toFixed(digits))

export const run = async ({ quick = false } = {}) => {
  if (!existsSync(ours)) throw new Error(`${ours} is not built: run \`npm run build:bench\` first`)
  const folder = mkdtempSync(join(tmpdir(), 'gradus-bench-'))
  try {
    const { rates, about } = await measure({ ours, openblas: await compileRival(folder) }, quick ? 2 : 5)
    const ratios = { 1: [], 2: [] }
    const rows = [...rates.ours[1].keys()].map((key) => {
      const of = (name, threads) => median(rates[name][threads].get(key))
      for (const threads of [1, 2]) ratios[threads].push(of('ours', threads) / of('openblas', threads))
      const [shape, ...form] = key.split(' ')
      return [
        shape.replaceAll('x', '×'),
        form.join(' '),
        number(of('ours', 1), 1),
        number(of('openblas', 1), 1),
        number(ratios[1].at(-1), 2),
        number(of('ours', 1) / about.ours.peak, 3),
        number(of('ours', 2), 1),
        number(ratios[2].at(-1), 2),
        number(of('ours', 2) / of('ours', 1), 2),
      ]
    })
    return {
      title: 'matmul, float32',
      columns: [
        'M×K×N',
        'product',
        'GFLOP/s',
        'OpenBLAS',
        'ratio',
        'share of peak',
        '2 threads',
        'ratio, 2 threads',
        '2 threads ÷ 1',
      ],
      rows,
      notes: [
        `One thread: geometric mean ${geometricMean(ratios[1]).toFixed(2)} × OpenBLAS, least ${Math.min(...ratios[1]).toFixed(2)} ×; two threads: ${geometricMean(ratios[2]).toFixed(2)} ×.`,
        `Multiply-add peak of a core, measured: ${about.ours.peak.toFixed(1)} GFLOP/s (${about.ours.isa}). OpenBLAS runs its ${about.openblas.core} kernels.`,
      ],
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
