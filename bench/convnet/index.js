// Steps of training of convolutional networks against PyTorch in both layouts and compiled, or against another checkout:
// each in its own process, taking turns; and what of our step is outside of convolutions and dense layers.
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { answering } from '../lib/answering.js'
import { geometricMean, median, quantile } from '../lib/median.js'
import { runProcess } from '../lib/process.js'
import { rivalEnvironment, rivalsPython } from '../lib/python.js'
import { operationsOf } from './arithmetic.js'
import nets from './nets.json' with { type: 'json' }

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const threads = 2
const modes = ['NCHW', 'channels_last', 'compiled']
const rounded = (value, digits = 3) => (Number.isFinite(value) ? Number(value.toPrecision(digits)) : '–')
const milliseconds = (microseconds) => rounded(microseconds / 1000)

const peak = async () => Number(await runProcess(path('../../build/Release/gradus_bench_peak'), [threads]))

const ours = (number, checkout = path('../..')) =>
  answering(process.execPath, ['--no-warnings', path('ours.js'), number, threads, checkout])

function torch(number, mode) {
  // Memory of values of 32 MB and more would be mapped afresh at each step otherwise.
  const allocator = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: '4294967296' }
  const env = { ...rivalEnvironment(threads), ...allocator }
  return answering(rivalsPython(), [path('torch_convnet.py'), number, mode], env)
}

/** Answers of each round, by who gave them; whos: { name: process }. They change places each round. */
async function takeTurns(whos, rounds, time, around = async () => {}) {
  const greetings = {}
  for (const [name, who] of Object.entries(whos)) greetings[name] = await who.greeting
  const answers = Object.fromEntries(Object.keys(whos).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const order = Object.keys(whos)
    for (const name of round % 2 ? order.reverse() : order) {
      answers[name].push(JSON.parse(await around(name, () => whos[name].ask(time))))
      await setTimeout(20) // until threads that spin are asleep
    }
  }
  for (const who of Object.values(whos)) who.end()
  return { answers, greetings }
}

const ratiosOf = (theirs, ours) => theirs.map((time, round) => time / ours[round])

/** Of calls of the device's those that make convolutions and dense layers. */
const isProduct = (name) => /^(pack_filters|convolution(_weights)?|depthwise(_weights)?|forward|dX|dW)$/.test(name)

/** What is outside of them: its share of a step, and the largest calls of it, in milliseconds. */
async function outside({ input, layers, batch = 128 }, count, time) {
  const program = path('../../build/Release/gradus_bench_phases')
  const text = `${input.join('x')}: ${layers}`
  const { step, kinds } = JSON.parse(await runProcess(program, [text, batch, 'nesterov', count, time].map(String)))
  const wall = ({ kernels, waiting }) => kernels + waiting
  const inside = kinds.filter(({ name }) => isProduct(name)).reduce((sum, kind) => sum + wall(kind), 0)
  const others = kinds.filter(({ name }) => !isProduct(name)).sort((a, b) => wall(b) - wall(a))
  const list = others.slice(0, 6).map((kind) => `${kind.name} ${milliseconds(wall(kind))}`)
  return { share: 1 - inside / step, step, list }
}

async function rowOf(net, number, { rounds, time }) {
  const hasRivals = Boolean(rivalsPython())
  const whos = { ours: ours(number) }
  if (hasRivals) for (const mode of modes) whos[mode] = torch(number, mode)
  const peaks = []
  const { answers, greetings } = await takeTurns(whos, rounds, time, async (name, ask) => {
    if (name !== 'ours') return ask()
    const before = await peak()
    const answer = await ask()
    peaks.push((before + (await peak())) / 2)
    return answer
  })
  const times = answers.ours.map(({ microseconds }) => microseconds)
  const of = Object.fromEntries(modes.map((mode) => [mode, hasRivals ? median(ratiosOf(answers[mode], times)) : NaN]))
  const best = modes.reduce((least, mode) => (of[mode] < of[least] ? mode : least))
  const share = median(times.map((time, round) => operationsOf(net) / (time * 1000) / peaks[round]))
  const statistics = median(answers.ours.map((round) => 100 * (round.microseconds / round.withoutStatistics - 1)))
  const parts = { 1: await outside(net, 1, time), 2: await outside(net, 2, time) }
  return {
    ratio: of[best],
    toDefault: of.NCHW,
    version: greetings.NCHW,
    statistics,
    parts,
    cells: [
      net.name,
      ...[times, ...modes.map((mode) => answers[mode])].map((list) => (list ? milliseconds(median(list)) : '–')),
      ...[hasRivals ? best.replace('_', ' ') : '–', rounded(of[best]), rounded(of.NCHW), rounded(share, 2)],
      ...[rounded(100 * parts[1].share, 3), rounded(100 * parts[2].share, 3), rounded(statistics, 2)],
    ],
  }
}

async function againstRivals(picked, plan) {
  const rows = []
  for (const [number, net] of picked) rows.push(await rowOf(net, number, plan))
  const notes = [
    `Training, Nesterov, batches of 128, ${threads} threads; a ratio above 1 says that Gradus is faster. Medians of ${plan.rounds} rounds.`,
    'Gradus gathers another batch of resident data each step and finds the statistics of tensors; the rivals take the same batch again.',
    'Outside: what of a step is neither in convolutions nor in products of dense layers, by a clock around each call of the device, %, on one thread and on two.',
    ...picked.map(
      ([, { name }], i) =>
        `${name}, one thread, largest outside, ms of ${milliseconds(rows[i].parts[1].step)}: ${rows[i].parts[1].list.join(', ')}.`,
    ),
  ]
  const found = rows.filter(({ ratio }) => Number.isFinite(ratio))
  if (found.length) {
    const told = (list) => `${geometricMean(list).toFixed(3)}, least ${Math.min(...list).toFixed(3)}`
    notes.push(
      `To PyTorch's best: geometric mean ${told(found.map(({ ratio }) => ratio))}; to its default: ${told(found.map(({ toDefault }) => toDefault))}.`,
      `PyTorch ${found[0].version}, with its fused optimizer; its outputs reuse memory. Compiled: channels last.`,
    )
  }
  return {
    title: 'One step of convolutional networks, float32',
    columns: [
      ...['net', 'Gradus ms', 'torch NCHW', 'torch channels last', 'torch compiled', 'best rival', 'ratio to it'],
      ...['ratio to NCHW', 'share of the peak', 'outside, one thread, %', 'outside, two, %', 'statistics, %'],
    ],
    rows: rows.map(({ cells }) => cells),
    notes,
  }
}

async function againstCheckout(checkout, picked, { rounds, time }) {
  const found = []
  for (const [number, net] of picked) {
    const whos = { here: ours(number), there: ours(number, checkout) }
    const { answers } = await takeTurns(whos, rounds, time, (_, ask) => ask())
    const [here, there] = ['here', 'there'].map((who) => answers[who].map(({ microseconds }) => microseconds))
    found.push({ name: net.name, here, there, ratios: ratiosOf(there, here) })
  }
  return {
    title: 'One step of convolutional networks, float32, against another checkout',
    columns: ['net', 'ms', 'other ms', 'ratio', 'lower quartile', 'upper quartile'],
    rows: found.map(({ name, here, there, ratios }) => [
      ...[name, milliseconds(median(here)), milliseconds(median(there))],
      ...[median(ratios), quantile(ratios, 0.25), quantile(ratios, 0.75)].map((ratio) => rounded(ratio, 4)),
    ]),
    notes: [
      `Medians of ${rounds} rounds; a ratio above 1 says that this checkout is faster. ${threads} threads each.`,
      `Geometric mean of the ratios: ${geometricMean(found.map(({ ratios }) => median(ratios))).toFixed(3)}.`,
    ],
  }
}

export async function run({ quick = false, rounds, only = '', against } = {}) {
  if (!existsSync(path('../../build/Release/gradus_bench_phases')))
    throw new Error('gradus_bench_phases is not built: run `npm run build:bench` first')
  const picked = [...nets.entries()].filter(([, { name }]) => name.includes(only))
  const plan = { rounds: rounds ?? (quick ? 1 : against ? 9 : 3), time: quick ? 500 : 1000 }
  return against ? againstCheckout(against, picked, plan) : againstRivals(picked, plan)
}
