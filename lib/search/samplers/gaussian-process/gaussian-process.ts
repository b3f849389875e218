/** Search by a Gaussian process: the strongest where trials are dear and most parameters are numbers. */
import { factory } from '../../../call.js'
import { Draws, streams } from '../../space/draws.js'
import type { Point, Space } from '../../space/space.js'
import { fresh, pointOf } from '../fresh.js'
import { type Asked, type Observed, observed, type Sampler } from '../sampler.js'
import { SobolSequence } from '../sobol.js'
import { isStart, startingParams } from '../start.js'
import { Acquisition } from './acquisition.js'
import { Coordinates } from './coordinates.js'
import { fit } from './fit.js'
import { type Candidate, climb } from './local-search.js'
import { Posterior } from './posterior.js'
import { standardized } from './values.js'

/** Points at which the acquisition is looked at, how many of them are climbed from, and how many are kept in reserve. */
const screened = 2048
const climbs = 10
const kept = 64

/**
 * After ten trials by Sobol, one more than there are parameters at least: a Gaussian process with Matérn's covariance and a
 * length scale for each parameter, in which choices are alike or not, is fitted to what trials gave, and the point with the
 * largest logarithm of the expected improvement (Ament et al. 2023) is taken. Trials without a result are taken to end as the
 * model expects, and less is promised near them; failed ones are taken as the worst so far.
 *
 * @example gaussianProcess()
 * @function
 */
export const gaussianProcess = factory(
  'gaussianProcess',
  0,
  (): Sampler => ({
    name: 'gaussianProcess',
    settings: {},
    async suggest(asked) {
      if (isStart(asked)) return startingParams(asked)
      const ranked = await rankedPoints(asked)
      return fresh(asked, (attempt) => ranked[Math.min(attempt, ranked.length - 1)]!)
    },
  }),
)

/** The most promising points, best first. */
async function rankedPoints(asked: Asked): Promise<Point[]> {
  const { space, seed, number } = asked
  const coordinates = new Coordinates(space)
  const { posterior, best, pending } = await model(coordinates, observed(asked))
  const acquisition = new Acquisition(posterior, best.value, pending)
  const candidateAt = (row: Float64Array): Candidate => ({ row, value: acquisition.at(row) })
  const draws = new Draws(seed, number, streams.gaussianProcess)
  const rows = evenRows(space, coordinates, new Draws(seed, number, streams.scramble))
  const sample = acquisition.atAll(rows).map((value, i): Candidate => ({ row: rows[i]!, value }))
  const starts = [...byPromise(sample, climbs - 1, () => draws.next()), candidateAt(best.row)]
  const lengths = posterior.hyperparameters.weights.map((weight) => Math.min(1, 1 / Math.sqrt(weight)))
  const found: Candidate[] = []
  for (const start of starts) found.push(await climb(acquisition, coordinates, lengths, start))
  const ranked = [...found, ...sample].sort((a, b) => b.value - a.value)
  return ranked.slice(0, kept).map(({ row }) => coordinates.pointOf(row))
}

/** What is believed after these trials, those without a result at what is expected of them; and the best of all. */
async function model(coordinates: Coordinates, { ended, pending: underWay }: Observed) {
  const rows = [...ended, ...underWay].map(({ point }) => coordinates.rowOf(point))
  const values = standardized(ended.map(({ loss }) => loss))
  const width = coordinates.all.length
  const data = new Float64Array(ended.length * width)
  for (let i = 0; i < ended.length; i++) data.set(rows[i]!, i * width)
  const points = { count: ended.length, data, isCategory: coordinates.isCategory }
  const known = new Posterior(points, values, await fit(points, values))
  const pending = rows.slice(ended.length)
  const posterior = known.believing(pending)
  // What is expected of a pending trial is to be improved on as well, or the next one would be its neighbour.
  const lowest = posterior.values.reduce((least, value, i, all) => (value < all[least]! ? i : least), 0)
  return { posterior, best: { row: rows[lowest]!, value: posterior.values[lowest]! }, pending }
}

/** Points of a Sobol sequence of this trial's own. */
function evenRows(space: Space, coordinates: Coordinates, draws: Draws): Float64Array[] {
  const sequence = new SobolSequence(space.dimensions.length, draws)
  return Array.from({ length: screened }, (_, index) => {
    const even = sequence.point(index)
    return coordinates.snapped(coordinates.rowOf(pointOf(space, (dimension) => even[dimension]!)))
  })
}

/** The best one, and others by chance, each the likelier, the more it promises. */
function byPromise(sample: readonly Candidate[], count: number, draw: () => number): Candidate[] {
  const best = sample.reduce((a, b) => (b.value > a.value ? b : a))
  const shares = sample.map((one) => (one === best ? 0 : Math.exp(one.value - best.value)))
  const chosen = [best]
  while (chosen.length < count) {
    let rest = draw() * shares.reduce((sum, share) => sum + share, 0)
    const index = shares.findIndex((share) => {
      rest -= share
      return share > 0 && rest < 0
    })
    if (index < 0) break // nothing else promises anything beside the best
    chosen.push(sample[index]!)
    shares[index] = 0
  }
  return chosen
}
