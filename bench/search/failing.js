// How many of the last 50 of 100 suggestions lie where trials explode: 30 % of a square in six shapes, the best next to it.
import { uniform } from '../../dist/search/space/parameters.js'
import { checkSpace } from '../../dist/search/space/space.js'
import { median } from '../lib/median.js'
import { samplerOf } from './samplers.js'

const square = checkSpace({ x: uniform(0, 1), y: uniform(0, 1) })
const away = (x, y) => (point) => Math.hypot(point.x - x, point.y - y)
const fromMiddle = away(0.5, 0.5)
const radiusOf = (area) => Math.sqrt(area / Math.PI)
const islands = [away(0.25, 0.25), away(0.75, 0.25), away(0.25, 0.75), away(0.75, 0.75)]

/** Where trials explode, and where the best lies. */
export const shapes = {
  edge: { explodes: ({ x }) => x < 0.3, best: away(0.38, 0.6) },
  corner: { explodes: ({ x, y }) => x + y > 2 - Math.sqrt(0.6), best: away(0.6, 0.55) },
  strip: { explodes: ({ y }) => Math.abs(y - 0.5) < 0.15, best: away(0.4, 0.28) },
  disc: { explodes: (point) => fromMiddle(point) < radiusOf(0.3), best: away(0.5, 0.1) },
  ring: { explodes: (point) => Math.abs(fromMiddle(point) ** 2 - 0.1) < 0.15 / Math.PI, best: away(0.45, 0.5) },
  islands: { explodes: (point) => islands.some((distance) => distance(point) < radiusOf(0.075)), best: away(0.5, 0.3) },
}

/** Of the last 50 suggestions of 100, how many explode. */
export async function lateFailures(sampler, { explodes, best }, seed) {
  const trials = []
  for (let number = 0; number < 100; number++) {
    const params = await sampler.suggest({ space: square, trials, direction: 'minimize', seed, number })
    const exploded = explodes(params)
    trials.push({
      number,
      params,
      state: exploded ? 'exploded' : 'complete',
      value: exploded ? null : best(params) ** 2,
    })
  }
  return trials.slice(50).filter(({ state }) => state === 'exploded').length
}

export async function failingTable({ quick, text }) {
  const seeds = quick ? 2 : 10
  const rows = []
  for (const name of ['tpe', 'gaussianProcess']) {
    for (const [shape, region] of Object.entries(shapes)) {
      if (!`${name} ${shape}`.includes(text)) continue
      const counts = []
      for (let seed = 0; seed < seeds; seed++) counts.push(await lateFailures(await samplerOf(name), region, seed))
      rows.push([name, shape, median(counts), Math.max(...counts), counts.filter((count) => count > 5).length])
    }
  }
  return {
    title: 'Suggestions where trials explode',
    columns: ['sampler', 'shape', 'median of 50', 'most', 'seeds with more than 5'],
    rows,
    notes: [
      `30 % of a square explodes, and the best lies next to it; of the last 50 of 100 suggestions those that lie there, ${seeds} seeds.`,
    ],
  }
}
