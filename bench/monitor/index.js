// What watching costs: fit with monitor() into a run directory against fit without, in turns in a process of their own.
import { fileURLToPath } from 'node:url'
import { median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const rounded = (value, digits = 2) => Number(value.toFixed(digits))

/** From the median distance, as for normally distributed values. */
function errorOfMedian(values) {
  const middle = median(values)
  return (1.25 * 1.48 * median(values.map((value) => Math.abs(value - middle)))) / Math.sqrt(values.length)
}

/** Times and ratios of each net, without, with, and with the live page open. */
export async function run({ quick = false } = {}) {
  const rows = []
  for (const net of ['784-512-512-10 @ 128', '32-64-64-8 @ 32']) {
    const output = await runProcess(process.execPath, [path('measure.js'), net, quick ? '3' : '40'])
    const rounds = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const of = (kind) => rounds.filter((round) => round.kind === kind)
    const middle = (kind, column) => rounded(median(of(kind).map((round) => round[column])), 1)
    const costs = (kind) => of(kind).map(({ time, base }) => 100 * (time / base - 1))
    const cost = (kind) => `${rounded(median(costs(kind)))} ± ${rounded(errorOfMedian(costs(kind)), 1)}`
    rows.push([
      net,
      middle('on', 'base'),
      middle('on', 'time'),
      cost('on'),
      middle('page', 'base'),
      middle('page', 'time'),
      cost('page'),
      `${of('on').length}, ${of('page').length}`,
    ])
  }
  return {
    title: 'what watching costs',
    columns: ['net', 'µs a step', 'monitored', 'costs %', 'monitored', 'page open', 'costs % more', 'rounds'],
    rows,
    notes: [
      'Monitored: losses, norms and ratios of every tensor each step, layers and histograms of activations, gradients and weights every 50 steps, all into a run directory.',
      'Page open: besides, `gradus watch` serves the folder and a reader follows its events and fetches the curves as the page does.',
      'Adam, two threads, MNIST-like random data. Medians of the rounds; costs are medians of each round’s own ratio, with their standard errors. A round is a run between two of the other kind, or for the page three seconds of one run with the page open between three with it closed; it counts if its neighbours differ by less than 4 %.',
    ],
  }
}
