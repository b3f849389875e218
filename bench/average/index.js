// What an average of the weights adds to an update: against a bare loop over its bytes, and between the samples of equal averages
// against no average.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { median } from '../lib/median.js'
import { runProcess } from '../lib/process.js'

const ours = fileURLToPath(new URL('../../build/Release/gradus_bench_average', import.meta.url))
const fixed = (value, digits) => Number(value.toFixed(digits))

/** Rows of one table; times in microseconds an update. */
export async function run({ quick = false, rounds = quick ? 1 : 5 } = {}) {
  if (!existsSync(ours)) throw new Error(`${ours} is not built: run \`npm run build:bench\` first`)
  const powers = (quick ? [15, 20] : [12, 15, 20, 24]).map(String)
  const found = new Map()
  for (let round = 0; round < rounds; round++)
    for (const threads of ['1', '2']) {
      const output = await runProcess(ours, [threads, ...powers])
      for (const line of output.trim().split('\n').map(JSON.parse)) {
        const key = `${line.optimizer} ${line.parameters} ${line.threads}`
        found.set(key, [...(found.get(key) ?? []), line])
      }
    }
  const rows = [...found.values()].map((lines) => {
    const middle = (name, digits) => fixed(median(lines.map((line) => line[name])), digits)
    const [{ optimizer, parameters, threads }] = lines
    return [
      ...[optimizer, `2^${Math.log2(parameters)}`, threads],
      ...['none', 'followed', 'bare', 'kept'].map((name) => middle(name, 1)),
      ...[middle('share', 3), middle('between', 3)],
    ]
  })
  return {
    title: 'averages of the weights, float32',
    columns: [
      ...['optimizer', 'parameters', 'threads', 'µs without', 'µs with', 'µs of a bare loop', 'µs between samples'],
      ...['ratio: (without + bare loop) ÷ with', 'between samples ÷ without'],
    ],
    rows,
    notes: [
      'An update is that of the engine, with its statistics. The bare loop reads weights and average and writes the average.',
      'A ratio of 1: the average adds what its bytes take. Between samples of equalAverage an update keeps all of the average.',
      'Medians of the rounds; in each the four take turns, and ratios are medians of the turns’ own.',
    ],
  }
}
