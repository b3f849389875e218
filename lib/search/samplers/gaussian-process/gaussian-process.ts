/** Search by a Gaussian process: the strongest where trials are dear and parameters are mostly numbers. */
import { factory } from '../../../call.js'
import { Draws } from '../../space/draws.js'
import type { Point } from '../../space/space.js'
import { fresh, pointOf } from '../fresh.js'
import { type Asked, observed, type Sampler } from '../sampler.js'
import { Acquisition } from './acquisition.js'
import { Coordinates } from './coordinates.js'
import { fit } from './fit.js'
import { type Candidate, climb } from './local-search.js'
import { Posterior } from './posterior.js'
import { standardized } from './values.js'

const screened = 2048
const climbs = 10

export const gaussianProcess = factory(
  'gaussianProcess',
  0,
  (): Sampler => ({
    name: 'gaussianProcess',
    async suggest(asked) {
      const ranked = await rankedPoints(asked)
      return fresh(asked, (attempt) => ranked[Math.min(attempt, ranked.length - 1)]!)
    },
  }),
)

async function rankedPoints(asked: Asked): Promise<Point[]> {
  const { ended, pending } = observed(asked)
  const draws = new Draws(asked.seed, asked.number, 7)
  if (ended.length < 10) return [pointOf(asked.space, () => draws.next())]
  const coordinates = new Coordinates(asked.space)
  const rows = ended.map(({ point }) => coordinates.rowOf(point))
  const values = standardized(ended.map(({ loss }) => loss))
  const points = { count: rows.length, data: Float64Array.from(rows.flatMap((row) => [...row])), isCategory: coordinates.isCategory }
  const hyperparameters = await fit(points, values)
  const posterior = new Posterior(points, values, hyperparameters).believing(pending.map((point) => coordinates.rowOf(point)))
  const bestIndex = values.reduce((best, value, i) => (value < values[best]! ? i : best), 0)
  const acquisition = new Acquisition(posterior, values[bestIndex]!)
  const at = (row: Float64Array): Candidate => ({ row, value: acquisition.at(row) })
  const sample: Candidate[] = []
  for (let i = 0; i < screened; i++) sample.push(at(coordinates.snapped(coordinates.rowOf(pointOf(asked.space, () => draws.next())))))
  const starts = [...roulette(sample, climbs - 1, draws), at(rows[bestIndex]!)]
  const lengths = hyperparameters.weights.map((weight) => Math.min(1, 1 / Math.sqrt(weight)))
  const found: Candidate[] = []
  for (const start of starts) found.push(await climb(acquisition, coordinates, lengths, start))
  return [...found, ...sample].sort((a, b) => b.value - a.value).slice(0, 64).map(({ row }) => coordinates.pointOf(row))
}

function roulette(sample: readonly Candidate[], count: number, draws: Draws): Candidate[] {
  const best = sample.reduce((a, b) => (b.value > a.value ? b : a))
  const shares = sample.map((one) => (one === best ? 0 : Math.exp(one.value - best.value)))
  const chosen = [best]
  let sum = shares.reduce((a, b) => a + b, 0)
  while (chosen.length < count && sum > 1e-300) {
    let rest = draws.next() * sum
    const index = shares.findIndex((share) => share > 0 && (rest -= share) < 0)
    if (index < 0) break
    chosen.push(sample[index]!)
    sum -= shares[index]!
    shares[index] = 0
  }
  return chosen
}
