// What watching costs: fit with monitor() into a run directory against fit without, in turns in a process of their own.
import { fileURLToPath } from 'node:url'
import { median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const rounded = (value, digits = 2) => Number(value.toFixed(digits))

/** Times and ratios of each net, without, with, and with the live page open. */
export async function run({ quick = false } = {}) {
  const rows = []
  for (const net of ['784-512-512-10 @ 128', '32-64-64-8 @ 32']) {
    const output = await runProcess(process.execPath, [path('measure.js'), net, quick ? '3' : '20'])
    const rounds = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const times = (kind) => rounds.map((round) => round[kind])
    const cost = (kind, base) => rounded(100 * (median(rounds.map((round) => round[kind] / round[base])) - 1))
    const off = median(times('off'))
    rows.push([
      net,
      rounded(off, 1),
      rounded(median(times('on')), 1),
      cost('on', 'off'),
      rounded(median(times('page')), 1),
      cost('page', 'onAgain'),
    ])
  }
  return {
    title: 'what watching costs',
    columns: ['net', 'µs a step', 'monitored', 'costs %', 'page open', 'costs % more'],
    rows,
    notes: [
      'Monitored: losses, norms and ratios of every tensor each step, layers and histograms of activations, gradients and weights every 50 steps, all into a run directory.',
      'Page open: besides, `gradus watch` serves the folder and a reader follows its events and fetches the curves as the page does.',
      'Adam, two threads, MNIST-like random data. Medians of the rounds; costs are medians of each round’s own ratio.',
    ],
  }
}
