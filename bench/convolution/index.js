// Convolutions against PyTorch's in both layouts, against matmul of the same sizes and the peak of multiply-adds. Each has
// a process of its own, and they take turns, a measurement each.
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { answering } from '../lib/answering.js'
import { geometricMean, median } from '../lib/median.js'
import { rivalEnvironment, rivalsPython } from '../lib/python.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const program = path('../../build/Release/gradus_bench_convolution')
const batch = 128

// [pixels a side, channels, filters, kernel, stride, padding]
const shapes = [
  [32, 3, 32, 3, 1, 1],
  [32, 16, 16, 3, 1, 1],
  [32, 32, 32, 3, 1, 1],
  [32, 64, 64, 3, 1, 1],
  [16, 64, 64, 3, 1, 1],
  [16, 64, 128, 3, 1, 1],
  [16, 64, 128, 3, 2, 1],
  [16, 64, 128, 1, 1, 0],
  [8, 128, 128, 3, 1, 1],
  [8, 256, 256, 3, 1, 1],
  [4, 256, 256, 3, 1, 1],
  [28, 1, 16, 5, 1, 2],
  [14, 16, 32, 5, 1, 2],
]
const products = ['forward', 'dW', 'dX']
const nameOf = ([side, channels, filters, kernel, stride]) =>
  `${side}² ${channels}→${filters}, ${kernel}×${kernel}${stride > 1 ? `, /${stride}` : ''}`
const workOf = ([side, channels, filters, kernel, stride, padding]) =>
  2 * batch * (Math.floor((side + 2 * padding - kernel) / stride) + 1) ** 2 * channels * filters * kernel ** 2

// What the first layer has no use for.
const isNeeded = ([, channels], product) => product !== 'dX' || channels > 3

/** Seconds of each round by who took part: [{ shape, product, times: { convolution, matmul, … } }], rates for `peak`. */
async function measure(threads, rounds, only) {
  const python = rivalsPython()
  // Memory of outputs of 32 MB and more would be mapped afresh at each call otherwise.
  const allocator = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: '4294967296' }
  const ours = answering(program, [`${threads}`])
  const isa = await ours.greeting
  const env = { ...rivalEnvironment(threads), ...allocator, ...(isa === 'avx2' && { ONEDNN_MAX_CPU_ISA: 'AVX2' }) }
  const torch = python && answering(python, [path('torch_convolution.py'), `${threads}`], env)
  const version = await torch?.greeting
  const whos = {
    convolution: ours,
    matmul: ours,
    peak: ours,
    ...(torch && { contiguous: torch, channels_last: torch }),
  }
  const found = []
  for (const shape of shapes)
    for (const product of products) {
      if (!isNeeded(shape, product) || !`${nameOf(shape)} ${product}`.includes(only ?? '')) continue
      const times = Object.fromEntries(Object.keys(whos).map((who) => [who, []]))
      for (let round = 0; round < rounds; ++round)
        for (const [who, of] of Object.entries(whos)) {
          times[who].push(Number(await of.ask([who, product, batch, ...shape].join(' '))))
          await setTimeout(5) // until threads that spin are asleep
        }
      found.push({ shape, product, times })
    }
  ours.end()
  torch?.end()
  return { found, isa, version }
}

const number = (value, digits = 3) => (Number.isFinite(value) ? Number(value.toFixed(digits)) : '–')
const ratio = (theirs, ours) => (theirs ? median(theirs.map((time, round) => time / ours[round])) : Number.NaN)
const summary = (name, list) =>
  `${name}: geometric mean ${geometricMean(list).toFixed(3)}, least ${Math.min(...list).toFixed(3)}.`

function tableOf(threads, { found, isa, version }) {
  const ratios = { best: [], contiguous: [], matmul: [] }
  const rows = found.map(({ shape, product, times }) => {
    const { convolution: ours, matmul, peak, contiguous, channels_last: last } = times
    const work = workOf(shape)
    const ofPeak = median(ours.map((time, round) => work / time / 1e9 / peak[round]))
    const better = contiguous && (median(contiguous) < median(last) ? contiguous : last)
    const of = { best: ratio(better, ours), contiguous: ratio(contiguous, ours), matmul: ratio(matmul, ours) }
    for (const [name, value] of Object.entries(of)) if (Number.isFinite(value)) ratios[name].push(value)
    const milliseconds = [ours, contiguous, last].map((times) => number(1e3 * (times ? median(times) : Number.NaN)))
    return [
      ...[nameOf(shape), product, ...milliseconds],
      ...[number(of.best), number(of.contiguous), number(of.matmul), number(ofPeak)],
    ]
  })
  return {
    title: `convolutions, float32, ${isa}, ${threads === 1 ? 'one thread' : `${threads} threads`}, batches of ${batch}`,
    columns: [
      ...['shape', 'product', 'ms', 'torch NCHW', 'torch channels last'],
      ...['ratio to the better', 'ratio to NCHW', 'ratio to matmul', 'of the peak'],
    ],
    rows,
    notes: [
      ...(version ? [summary("To the better of PyTorch's layouts", ratios.best)] : []),
      ...(version
        ? [summary('To its default', ratios.contiguous), `PyTorch ${version}; its outputs reuse memory.`]
        : []),
      summary('To our own matmul of equal m, n and k', ratios.matmul),
    ],
  }
}

export const run = async ({ quick = false, rounds = quick ? 3 : 7, only } = {}) => {
  if (!existsSync(program)) throw new Error(`${program} is not built: run \`npm run build:bench\` first`)
  const tables = []
  for (const threads of quick ? [1] : [1, 2]) tables.push(tableOf(threads, await measure(threads, rounds, only)))
  return { title: 'Convolutions', tables }
}
