// Convolutions against PyTorch's in both layouts, against matmul of the same sizes, the peak of multiply-adds and one thread, those
// of channels by themselves against a copy; or against those of another checkout alone. Each has a process of its own, and they take
// turns, a measurement each. The text that --only looks for names instruction set, threads, shape and product: 'avx2, one thread',
// '1×1 dW'.
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
/** Of channels by themselves. */
const depthwiseShapes = [
  [16, 64, 64, 3, 1, 1, 64],
  [32, 32, 32, 3, 1, 1, 32],
  [8, 256, 256, 3, 1, 1, 256],
  [16, 64, 64, 5, 1, 2, 64],
  [16, 64, 64, 3, 2, 1, 64],
]
const products = ['forward', 'dW', 'dX']
const nameOf = ([side, channels, filters, kernel, stride, , groups = 1]) =>
  `${side}² ${groups > 1 ? `${channels} depthwise` : `${channels}→${filters}`}, ${kernel}×${kernel}${stride > 1 ? `, /${stride}` : ''}`
const workOf = ([side, channels, filters, kernel, stride, padding]) =>
  2 * batch * (Math.floor((side + 2 * padding - kernel) / stride) + 1) ** 2 * channels * filters * kernel ** 2

// What the first layer has no use for.
const isNeeded = ([, channels], product) => product !== 'dX' || channels > 3

const threadsOf = (threads) => (threads === 1 ? 'one thread' : `${threads} threads`)
const titleOf = ({ isa, threads }) => `convolutions, float32, ${isa}, ${threadsOf(threads)}, batches of ${batch}`
const pickedBy = (only, of) => (shape, product) =>
  isNeeded(shape, product) && `${titleOf(of)} ${nameOf(shape)} ${product}`.includes(only ?? '')

const ourProcess = (program, { isa, threads }) => answering(program, [`${threads}`], { GRADUS_ISA: isa })
function torchProcess({ isa, threads }) {
  const python = rivalsPython()
  // Memory of outputs of 32 MB and more would be mapped afresh at each call otherwise.
  const allocator = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: '4294967296' }
  const env = { ...rivalEnvironment(threads), ...allocator, ...(isa === 'avx2' && { ONEDNN_MAX_CPU_ISA: 'AVX2' }) }
  return python && answering(python, [path('torch_convolution.py'), `${threads}`], env)
}

/**
 * Seconds of each round by who took part, as what: [{ shape, product, times: { convolution, matmul, … } }]; rates for `peak`, numbers
 * for `pieces`.
 */
async function measure(whos, rounds, isPicked, shapes) {
  const found = []
  for (const shape of shapes)
    for (const product of products) {
      if (!isPicked(shape, product)) continue
      const times = Object.fromEntries(Object.keys(whos).map((who) => [who, []]))
      for (let round = 0; round < rounds; ++round)
        for (const [who, [of, what = who]] of Object.entries(whos)) {
          times[who].push(Number(await of.ask([what, product, batch, ...shape.slice(0, 6), shape[6] ?? 1].join(' '))))
          await setTimeout(5) // until threads that spin are asleep
        }
      found.push({ shape, product, times })
    }
  return found
}

const number = (value, digits = 3) => (Number.isFinite(value) ? Number(value.toFixed(digits)) : '–')
const ratio = (theirs, ours) => (theirs ? median(theirs.map((time, round) => time / ours[round])) : Number.NaN)
const summary = (name, list) =>
  `${name}: geometric mean ${geometricMean(list).toFixed(3)}, least ${Math.min(...list).toFixed(3)}.`

/** A row of the table; its ratios join those of the others. */
function rowOf({ shape, product, times }, ratios) {
  const { convolution: ours, oneThread, matmul, peak, pieces, contiguous, channels_last: last } = times
  const work = workOf(shape)
  const ofPeak = median(ours.map((time, round) => work / time / 1e9 / peak[round]))
  const better = contiguous && (median(contiguous) < median(last) ? contiguous : last)
  const of = {
    best: ratio(better, ours),
    contiguous: ratio(contiguous, ours),
    matmul: ratio(matmul, ours),
    // Of shorter ones waking the second thread is much.
    oneThread: oneThread && median(oneThread) > 1e-3 ? ratio(oneThread, ours) : Number.NaN,
  }
  for (const [name, value] of Object.entries(of)) if (Number.isFinite(value)) ratios[name].push(value)
  const milliseconds = [ours, contiguous, last].map((times) => number(1e3 * (times ? median(times) : Number.NaN)))
  return [
    ...[nameOf(shape), product, ...milliseconds],
    ...[number(of.best), number(of.contiguous), number(of.matmul), number(ofPeak), median(pieces)],
    ...(oneThread ? [number(of.oneThread)] : []),
  ]
}

async function tableOf(of, rounds, isPicked) {
  const ours = ourProcess(program, of)
  const oneThread = of.threads > 1 ? ourProcess(program, { ...of, threads: 1 }) : undefined
  const torch = torchProcess(of)
  const version = (await Promise.all([ours.greeting, torch?.greeting, oneThread?.greeting]))[1]
  const found = await measure(
    {
      convolution: [ours],
      ...(oneThread && { oneThread: [oneThread, 'convolution'] }),
      matmul: [ours],
      peak: [ours],
      pieces: [ours],
      ...(torch && { contiguous: [torch], channels_last: [torch] }),
    },
    rounds,
    isPicked,
    shapes,
  )
  for (const process of [ours, oneThread, torch]) process?.end()
  const ratios = { best: [], contiguous: [], matmul: [], oneThread: [] }
  const rows = found.map((row) => rowOf(row, ratios))
  return {
    title: titleOf(of),
    columns: [
      ...['shape', 'product', 'ms', 'torch NCHW', 'torch channels last'],
      ...['ratio to the better', 'ratio to NCHW', 'ratio to matmul', 'of the peak', 'pieces'],
      ...(oneThread ? ['ratio to one thread'] : []),
    ],
    rows,
    notes: [
      ...(version ? [summary("To the better of PyTorch's layouts", ratios.best)] : []),
      ...(version
        ? [summary('To its default', ratios.contiguous), `PyTorch ${version}; its outputs reuse memory.`]
        : []),
      summary('To our own matmul of equal m, n and k', ratios.matmul),
      ...(ratios.oneThread.length > 0 ? [summary('To one thread, products above 1 ms there', ratios.oneThread)] : []),
      `Pieces that threads can share: at least ${Math.min(...found.map(({ times }) => median(times.pieces)))}.`,
    ],
  }
}

async function depthwiseTableOf(of, rounds, isPicked) {
  const ours = ourProcess(program, of)
  const torch = torchProcess(of)
  await Promise.all([ours.greeting, torch?.greeting])
  const rivals = torch && { contiguous: [torch], channels_last: [torch] }
  const whos = { convolution: [ours], copy: [ours], ...rivals }
  const found = await measure(whos, rounds, isPicked, depthwiseShapes)
  ours.end()
  torch?.end()
  const rows = found.map(({ shape, product, times }) => {
    const { convolution: ours, copy, contiguous, channels_last: last } = times
    const better = contiguous && (median(contiguous) < median(last) ? contiguous : last)
    const milliseconds = [ours, contiguous, last].map((times) => number(1e3 * (times ? median(times) : Number.NaN)))
    return [nameOf(shape), product, ...milliseconds, number(ratio(better, ours)), number(ratio(copy, ours))]
  })
  return {
    title: `depthwise ${titleOf(of)}`,
    columns: ['shape', 'product', 'ms', 'torch NCHW', 'torch channels last', 'ratio to the better', 'of a copy'],
    rows,
    notes: ['Of a copy: what copying as many elements as the outputs have takes, over what the product takes.'],
  }
}

async function againstCheckout(checkout, of, rounds, isPicked) {
  const [ours, theirs] = [program, `${checkout}/build/Release/gradus_bench_convolution`].map((it) => ourProcess(it, of))
  await Promise.all([ours.greeting, theirs.greeting])
  const whos = { ours: [ours, 'convolution'], theirs: [theirs, 'convolution'] }
  const ratios = []
  const rows = (await measure(whos, rounds, isPicked, [...shapes, ...depthwiseShapes])).map(
    ({ shape, product, times }) => {
      ratios.push(ratio(times.theirs, times.ours))
      const milliseconds = [times.ours, times.theirs].map((times) => number(1e3 * median(times)))
      return [nameOf(shape), product, ...milliseconds, number(ratios.at(-1))]
    },
  )
  ours.end()
  theirs.end()
  const columns = ['shape', 'product', 'ms', 'the other checkout', 'ratio to it']
  return { title: titleOf(of), columns, rows, notes: [summary('To the other checkout', ratios)] }
}

export const run = async ({ quick = false, rounds = quick ? 3 : 5, only, against } = {}) => {
  if (!existsSync(program)) throw new Error(`${program} is not built: run \`npm run build:bench\` first`)
  const probe = answering(program, ['1'])
  const best = await probe.greeting
  probe.end()
  const all = [
    ...[1, 2].map((threads) => ({ isa: best, threads })),
    ...(best === 'avx512' ? [1, 2].map((threads) => ({ isa: 'avx2', threads })) : []),
  ]
  const tables = []
  for (const of of quick ? all.slice(0, 1) : all) {
    const isPicked = pickedBy(only, of)
    const has = (shapes) => shapes.some((shape) => products.some((product) => isPicked(shape, product)))
    if (against && has([...shapes, ...depthwiseShapes]))
      tables.push(await againstCheckout(against, of, rounds, isPicked))
    if (!against && has(shapes)) tables.push(await tableOf(of, rounds, isPicked))
    if (!against && has(depthwiseShapes)) tables.push(await depthwiseTableOf(of, rounds, isPicked))
  }
  return { title: 'Convolutions', tables }
}
