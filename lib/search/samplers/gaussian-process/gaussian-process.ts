/** Search by a Gaussian process: the strongest where trials are dear and most parameters are numbers. */
import { factory } from '../../../call.js'
import { Draws, streams } from '../../space/draws.js'
import type { Point, Space } from '../../space/space.js'
import { fresh } from '../fresh.js'
import { type Asked, type Observed, observed, type Sampler } from '../sampler.js'
import { SobolSequence } from '../sobol.js'
import { isStart, startingParams } from '../start.js'
import { Acquisition } from './acquisition.js'
import { Coordinates } from './coordinates.js'
import { firstOf, type Points } from './covariance.js'
import { Fits, fittedOf } from './fit.js'
import { type Candidate, climbAll } from './local-search.js'
import { Posterior } from './posterior.js'
import { Success } from './success.js'
import { standardized } from './values.js'

/** Points at which the acquisition is looked at, how many of them are climbed from, and how many are kept in reserve. */
const screened = 2048
const climbs = 10
const kept = 64

/**
 * After ten trials by Sobol, one more than there are parameters at least: a Gaussian process with Matérn's covariance and a
 * length scale for each parameter, in which choices are alike or not, is fitted to what trials gave, and the point with the
 * largest logarithm of the expected improvement (Ament et al. 2023) is taken. Trials without a result are taken to end as the
 * model expects, and less is promised near them; of failed ones a second process learns how likely others are to fail.
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

const fits = new Fits()

/** The most promising points, best first. */
async function rankedPoints(asked: Asked): Promise<Point[]> {
  const { space, seed, number } = asked
  const coordinates = new Coordinates(space)
  const { posterior, best, pending, success } = await model(space, coordinates, observed(asked))
  const acquisition = new Acquisition(posterior, best.value, pending, success)
  const candidateAt = (row: Float64Array): Candidate => ({ row, value: acquisition.at(row) })
  const draws = new Draws(seed, number, streams.gaussianProcess)
  const rows = evenRows(coordinates, new Draws(seed, number, streams.scramble))
  const sample = acquisition.atAll(rows).map((value, i): Candidate => ({ row: rows[i]!, value }))
  const starts = [...byPromise(sample, climbs - 1, () => draws.next()), candidateAt(best.row)]
  const lengths = posterior.hyperparameters.weights.map((weight) => Math.min(1, 1 / Math.sqrt(weight)))
  const found = await climbAll({ acquisition, coordinates, lengths }, starts)
  const ranked = [...found, ...sample].sort((a, b) => b.value - a.value)
  return ranked.slice(0, kept).map(({ row }) => coordinates.pointOf(row))
}

/**
 * What is believed after these trials, those without a result at what is expected of them; the best of all; and where trials
 * fail. Failed ones are believed in the same way, so that nothing is left to find out there: the worst value in their place
 * would make a step that no smooth function has.
 */
async function model(space: Space, coordinates: Coordinates, { ended, pending: underWay }: Observed) {
  const sound = ended.filter(({ failed }) => !failed)
  const judged = sound.length > 1 ? sound : ended
  const points = pointsOf(coordinates, judged)
  const losses = judged.map(({ loss }) => loss)
  const fitted = fittedOf(judged.length)
  const hyperparameters = await fits.of(space, firstOf(points, fitted), standardized(losses.slice(0, fitted)))
  const known = new Posterior(points, standardized(losses), hyperparameters)
  const rowsOf = (trials: readonly { point: Point }[]) => trials.map(({ point }) => coordinates.rowOf(point))
  const pending = rowsOf(underWay)
  const expected = known.believing(pending)
  // What is expected of a pending trial is to be improved on as well, or the next one would be its neighbour.
  const lowest = expected.values.reduce((least, value, i, all) => (value < all[least]! ? i : least), 0)
  const best = { row: rowsOf([...judged, ...underWay])[lowest]!, value: expected.values[lowest]! }
  if (judged.length === ended.length) return { posterior: expected, best, pending, success: null }
  const posterior = known.believing([...pending, ...rowsOf(ended.filter(({ failed }) => failed))])
  return { posterior, best, pending, success: await Success.of(space, pointsOf(coordinates, ended), ended) }
}

function pointsOf(coordinates: Coordinates, trials: readonly { point: Point }[]): Points {
  const width = coordinates.all.length
  const data = new Float64Array(trials.length * width)
  for (const [i, { point }] of trials.entries()) data.set(coordinates.rowOf(point), i * width)
  return { count: trials.length, data, isCategory: coordinates.isCategory }
}

/** Points of a Sobol sequence of this trial's own. */
function evenRows(coordinates: Coordinates, draws: Draws): Float64Array[] {
  const sequence = new SobolSequence(coordinates.all.length, draws)
  return Array.from({ length: screened }, (_, index) => coordinates.rowFrom(sequence.point(index)))
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
