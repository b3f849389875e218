/** Search by the ratio of two densities, that of good points and that of bad ones: quick, and at home with choices. */
import { factory } from '../../../call.js'
import type { Dimension } from '../../space/dimensions.js'
import { Draws, streams } from '../../space/draws.js'
import type { Point, Space } from '../../space/space.js'
import { fresh } from '../fresh.js'
import { type Rows, rowsOf } from '../rows.js'
import { type Asked, type Ended, observed, type Sampler } from '../sampler.js'
import { isStart, startingParams } from '../start.js'
import { freeAll, take } from './memory.js'
import { type Column, ParzenEstimator } from './parzen.js'

/** Points drawn from the density of good ones, of which the one with the highest ratio is taken. */
const candidates = 24
/** Of all that have ended a tenth is good, but no more than so many. */
const mostGood = 25
/** How much more than good and bad the chance to come through counts: a failure teaches less than a bad value. */
const caution = 2

/**
 * The tree-structured Parzen estimator (Bergstra et al. 2011), over all parameters at once (Falkner et al. 2018) and with the
 * constants of Optuna 5: after ten trials by Sobol, the best tenth of all, 25 at most, is good. The parameters of a branch are
 * drawn by those trials that took it. Trials without a result yet count as bad, and failed ones never as good: where trials
 * fail, a candidate also counts by how likely it is to come through (as in Watanabe and Hutter 2023, "c-TPE").
 *
 * @example tpe()
 * @function
 */
export const tpe = factory(
  'tpe',
  0,
  (): Sampler => ({
    name: 'tpe',
    settings: {},
    suggest(asked) {
      if (isStart(asked)) return startingParams(asked)
      freeAll()
      const [kinds, rows] = [kindsOf(asked), rowsOf(asked.space, asked.trials)]
      const groups = groupsOf(asked.space).map((places) => new Group(asked.space, places, kinds, rows))
      const draws = new Draws(asked.seed, asked.number, streams.tpe)
      return fresh(asked, () => {
        const point: Record<string, number> = {}
        for (const group of groups) if (group.isThere(point)) group.suggest(point, draws)
        return point
      })
    },
  }),
)

/** Places of trials in their list, each kind in the order of the trials' numbers. */
export interface Kinds {
  readonly good: readonly number[]
  readonly bad: readonly number[]
  /** With a result of their own, and without; both are among the above. */
  readonly sound: readonly number[]
  readonly failed: readonly number[]
}

export function kindsOf(asked: Asked): Kinds {
  const { ended, pending } = observed(asked)
  const best = bestOf(ended, Math.min(Math.ceil(0.1 * ended.length), mostGood))
  const kinds = { good: [] as number[], bad: [] as number[], sound: [] as number[], failed: [] as number[] }
  for (let i = 0; i < ended.length; i++) {
    const { failed, place } = ended[i]!
    kinds[failed ? 'failed' : 'sound'].push(place)
    kinds[best[i] === 1 ? 'good' : 'bad'].push(place)
  }
  for (const { place } of pending) kinds.bad.push(place)
  return kinds
}

/** 1 for each of the best that have not failed, of equals the older: the few are kept sorted while all go by. */
function bestOf(ended: readonly Ended[], count: number): Uint8Array {
  const best: number[] = []
  for (let i = 0; i < ended.length; i++) {
    const { failed, loss } = ended[i]!
    if (failed || (best.length === count && !(loss < ended[best[count - 1]!]!.loss))) continue
    let to = Math.min(best.length, count - 1)
    for (; to > 0 && ended[best[to - 1]!]!.loss > loss; to--) best[to] = best[to - 1]!
    best[to] = i
  }
  const isBest = new Uint8Array(ended.length)
  for (const i of best) isBest[i] = 1
  return isBest
}

/** Places of the dimensions that are always there, and of those of each branch; a branch comes behind what picks it. */
export function groupsOf({ dimensions }: Space): number[][] {
  const groups = new Map<string, number[]>()
  for (const [place, { condition }] of dimensions.entries()) {
    const key = condition ? JSON.stringify([condition.path, condition.category]) : ''
    const group = groups.get(key)
    if (group) group.push(place)
    else groups.set(key, [place])
  }
  return [...groups.values()]
}

class Group {
  readonly #good: ParzenEstimator
  readonly #bad: ParzenEstimator
  /** Where trials have failed: what tells whether another will. */
  readonly #sound: ParzenEstimator | null
  readonly #failed: ParzenEstimator | null
  /** The logarithm of how many failed for one that did not. */
  readonly #failures: number

  readonly #dimensions: readonly Dimension[]

  constructor(space: Space, places: readonly number[], { good, bad, sound, failed }: Kinds, rows: Rows) {
    this.#dimensions = places.map((place) => space.dimensions[place]!)
    const columns = this.#dimensions.map(columnOf)
    const estimatorOf = (trials: readonly number[]) => {
      const own = ofGroup(trials, rows, places[0]!)
      const observations = columnsFrom(own, rows, places)
      return new ParzenEstimator(columns, observations, own.length)
    }
    this.#good = estimatorOf(good)
    this.#bad = estimatorOf(bad)
    this.#sound = failed.length > 0 ? estimatorOf(sound) : null
    this.#failed = failed.length > 0 ? estimatorOf(failed) : null
    this.#failures = Math.log(failed.length / Math.max(1, sound.length))
  }

  /** Whether a point has these dimensions. */
  isThere(point: Point): boolean {
    const { condition } = this.#dimensions[0]!
    return condition === null || point[condition.path] === condition.category
  }

  /** Puts the best candidate's coordinates into a point; of equals the first one's. */
  suggest(point: Record<string, number>, draws: Draws): void {
    const draw = () => draws.next()
    const width = this.#dimensions.length
    const points = take(candidates * width)
    for (let i = 0; i < candidates; i++) this.#good.sample(draw, points, i * width)
    const [good, bad] = [this.#good.logDensities(points), this.#bad.logDensities(points)]
    const success = this.#logSuccess(points)
    const ratioAt = (i: number) => good[i]! - bad[i]! + (success?.[i] ?? 0)
    let most = 0
    for (let i = 1; i < candidates; i++) if (ratioAt(i) > ratioAt(most)) most = i
    for (const [i, { path }] of this.#dimensions.entries()) point[path] = points[most * width + i]!
  }

  /** The logarithms of the chance that a trial at a point does not fail, by Bayes' rule; null where none has failed. */
  #logSuccess(points: Float64Array): Float64Array | null {
    if (!this.#failed || !this.#sound) return null
    const [failed, sound] = [this.#failed.logDensities(points), this.#sound.logDensities(points)]
    return failed.map((density, i) => -caution * Math.log1p(Math.exp(this.#failures + density - sound[i]!)))
  }
}

const columnOf = ({ kind, size, cells }: Dimension): Column =>
  kind === 'category' ? { kind, size } : { kind: 'number', cells }

/** Those of the trials that have the group whose first dimension is at `place`. */
const ofGroup = (trials: readonly number[], { data, width }: Rows, place: number): readonly number[] =>
  trials.filter((trial) => !Number.isNaN(data[trial * width + place]!))

/** What some trials have at each place, and 0.5 behind it: the middle of the kernel over everything. */
function columnsFrom(trials: readonly number[], { data, width }: Rows, places: readonly number[]): Float64Array[] {
  const length = trials.length + 1
  return places.map((place) => {
    const column = take(length)
    for (let i = 0; i < trials.length; i++) column[i] = data[trials[i]! * width + place]!
    column[trials.length] = 0.5
    return column
  })
}
