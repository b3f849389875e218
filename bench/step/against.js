// The same steps with what another checkout has in dist/, taking turns, each in its own process.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { geometricMean, median, quantile } from '../lib/median.js'
import { gradus, threads } from './competitors.js'

export async function againstCheckout(checkout, rows, { rounds, milliseconds }) {
  if (!existsSync(join(checkout, 'dist/index.js'))) throw new Error(`${checkout} is not built: it has no dist/`)
  const sides = [gradus(), gradus(checkout)]
  const found = new Map(rows.map((row) => [row, []]))
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) {
      // Who goes second may find the machine warmer, or slower: they change places each round.
      const order = round % 2 ? [1, 0] : [0, 1]
      const times = []
      for (const side of order) times[side] = (await sides[side](row, milliseconds)).microseconds
      found.get(row).push(times)
    }
  }
  const ratios = rows.map((row) => found.get(row).map(([here, there]) => there / here))
  const slower = rows.filter((_, i) => median(ratios[i]) < 0.97 && quantile(ratios[i], 0.75) < 1)
  const slowerNames = slower.map(({ label, work }) => `${label} ${work}`).join(', ')
  return {
    title: 'One step, float32, against another checkout',
    columns: ['net', 'work', 'µs', 'other µs', 'ratio', 'lower quartile', 'upper quartile'],
    rows: rows.map((row, i) => {
      const [here, there] = [0, 1].map((side) =>
        Number(median(found.get(row).map((times) => times[side])).toPrecision(3)),
      )
      const shares = [median(ratios[i]), quantile(ratios[i], 0.25), quantile(ratios[i], 0.75)]
      return [row.label, row.work, here, there, ...shares.map((share) => Number(share.toFixed(3)))]
    }),
    notes: [
      `Medians of ${rounds} rounds; a ratio above 1 says that this checkout is faster. ${threads} threads each.`,
      `Geometric mean of the ratios: ${geometricMean(ratios.map(median)).toFixed(3)}.`,
      `Slower than 0.97 in the median, and by the quartiles too: ${slowerNames || 'none'}.`,
    ],
  }
}
