/** Search by the ratio of two densities, that of good points and that of bad ones: quick, and at home with choices. */
import { factory } from '../../../call.js'
import type { Dimension } from '../../space/dimensions.js'
import { Draws, streams } from '../../space/draws.js'
import type { Point, Space } from '../../space/space.js'
import { fresh } from '../fresh.js'
import { type Asked, type Ended, observed, type Sampler } from '../sampler.js'
import { isStart, startingParams } from '../start.js'
import { type Column, ParzenEstimator } from './parzen.js'

/** Points drawn from the density of good ones, of which the one with the highest ratio is taken. */
const candidates = 24
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
      const kinds = kindsOf(asked)
      const groups = groupsOf(asked.space).map((dimensions) => new Group(dimensions, kinds))
      const draws = new Draws(asked.seed, asked.number, streams.tpe)
      return fresh(asked, () => {
        const point: Record<string, number> = {}
        for (const group of groups) if (group.isThere(point)) group.suggest(point, draws)
        return point
      })
    },
  }),
)

/** Points of trials, each kind in the order of the trials' numbers. */
export interface Kinds {
  readonly good: readonly Point[]
  readonly bad: readonly Point[]
  /** With a result of their own, and without; both are among the above. */
  readonly sound: readonly Point[]
  readonly failed: readonly Point[]
}

export function kindsOf(asked: Asked): Kinds {
  const { ended, pending } = observed(asked)
  const sound = ended.filter(({ failed }) => !failed)
  const count = Math.min(sound.length, Math.ceil(0.1 * ended.length), 25)
  const good = new Set(sound.toSorted((a, b) => a.loss - b.loss).slice(0, count))
  const points = (of: readonly Ended[]) => of.map(({ point }) => point)
  return {
    good: points(ended.filter((one) => good.has(one))),
    bad: [...points(ended.filter((one) => !good.has(one))), ...pending],
    sound: points(sound),
    failed: points(ended.filter(({ failed }) => failed)),
  }
}

/** The dimensions that are always there, and those of each branch; a branch comes behind what picks it. */
export function groupsOf({ dimensions }: Space): Dimension[][] {
  const keyOf = ({ condition }: Dimension) => (condition ? JSON.stringify([condition.path, condition.category]) : '')
  const groups = new Map<string, Dimension[]>()
  for (const dimension of dimensions) {
    const key = keyOf(dimension)
    groups.set(key, [...(groups.get(key) ?? []), dimension])
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

  constructor(
    private readonly dimensions: readonly Dimension[],
    { good, bad, sound, failed }: Kinds,
  ) {
    const columns = dimensions.map(columnOf)
    const estimatorOf = (points: readonly Point[]) => {
      const own = points.filter((point) => this.isThere(point))
      const observations = dimensions.map(({ path }) => Float64Array.from(own, (point) => point[path]!))
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
    const { condition } = this.dimensions[0]!
    return condition === null || point[condition.path] === condition.category
  }

  /** Puts the best candidate's coordinates into a point. */
  suggest(point: Record<string, number>, draws: Draws): void {
    let best: { row: Float64Array; ratio: number } | null = null
    for (let i = 0; i < candidates; i++) {
      const row = this.#good.sample(() => draws.next())
      const ratio = this.#good.logDensity(row) - this.#bad.logDensity(row) + this.#logSuccess(row)
      if (best === null || ratio > best.ratio) best = { row, ratio }
    }
    for (const [i, { path }] of this.dimensions.entries()) point[path] = best!.row[i]!
  }

  /** The logarithm of the chance that a trial there does not fail, by Bayes' rule. */
  #logSuccess(row: Float64Array): number {
    if (!this.#failed || !this.#sound) return 0
    return -caution * Math.log1p(Math.exp(this.#failures + this.#failed.logDensity(row) - this.#sound.logDensity(row)))
  }
}

const columnOf = ({ kind, size, cells }: Dimension): Column =>
  kind === 'category' ? { kind, size } : { kind: 'number', cells }
