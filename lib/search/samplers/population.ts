/** Population based training: bad members go on from the weights of good ones, with their parameters changed a little. */
import { factory } from '../../call.js'
import { checkPositive, checkPositiveInteger, checkShare, checkShareOrEnd } from '../../checks.js'
import { invalidArgument } from '../../errors.js'
import { optionsOf } from '../../options.js'
import type { Dimension } from '../space/dimensions.js'
import { Draws, streams } from '../space/draws.js'
import type { Point, Space } from '../space/space.js'
import { pointOf } from './fresh.js'
import { drawnPoint } from './random.js'
import { type Asked, type Ended, observed, type Sampler } from './sampler.js'

export interface PopulationOptions {
  /** Members, which are trained side by side: trial n is of member n mod `size`. Default 20. */
  size?: number | undefined
  /** The worst so many go on from one of the best so many; up to 0.5. Default 0.25. */
  exploit?: number | undefined
  /** Factors, of which one or another multiplies each number that is taken over. Default [0.8, 1.2]. */
  perturb?: readonly number[] | undefined
  /** The share of what is taken over that is drawn anew instead: the only way to other choices. Default 0.25. */
  resample?: number | undefined
}

const checkExploit = (argument: string, value: unknown): number => {
  const share = checkShare(argument, value)
  if (share <= 0.5) return share
  throw invalidArgument(argument, 'a number between 0 and 0.5', value)
}
const checkFactors = (argument: string, value: unknown): readonly number[] => {
  if (!Array.isArray(value) || value.length === 0) throw invalidArgument(argument, 'a list of factors', value)
  return Object.freeze(value.map((one, i) => checkPositive(`${argument}[${i}]`, one)))
}
const readPopulation = optionsOf<PopulationOptions>()('population', {
  size: [checkPositiveInteger, 20],
  exploit: [checkExploit, 0.25],
  perturb: [checkFactors, Object.freeze([0.8, 1.2])],
  resample: [checkShareOrEnd, 0.25],
})

/** Generations back in which a member's newest result is looked for. */
const generations = 3

/**
 * Population based training (Jaderberg et al. 2017): a trial is one generation of a member, as long as the study's `epochs`. The
 * first generation is random. Later trials begin with the checkpoint of the member's trial before, and with its parameters; or,
 * where that is among the worst quarter of all members' newest results, or has failed, with the checkpoint of one of the best
 * quarter and its parameters, each of them changed or drawn anew. What a trial goes on from is held in its own folder from the
 * moment that it is there; with the weights goes the state of an optimizer of the same kind. It is for trials that use `fit`, or that
 * keep checkpoints and begin with `initial`.
 *
 * @throws `GRADUS_INVALID_ARGUMENT`
 * @example population({ size: 10 })
 * @function
 */
export const population = factory('population', 1, (options?: PopulationOptions): Sampler => {
  const settings = readPopulation(options)
  return {
    name: 'population',
    settings,
    suggest: (asked) => asked.space.params(heirOf(asked, settings).point),
    inherit: {
      parentOf: (asked) => heirOf(asked, settings).parent,
      reach: generations * settings.size,
    },
  }
})

type PopulationSettings = ReturnType<typeof readPopulation>

/** The parameters of a new trial, and the number of the trial that it goes on from; null: none. */
function heirOf(asked: Asked, settings: PopulationSettings): { point: Point; parent: number | null } {
  const { space, seed, number } = asked
  const ranked = rankedMembers(asked, settings)
  if (ranked.length === 0) {
    return { point: drawnPoint(space, new Draws(seed, number, streams.parameters), 0), parent: null }
  }
  const draws = new Draws(seed, number, streams.population)
  const few = Math.floor(settings.exploit * ranked.length)
  const own = ranked.findIndex((one) => one.number % settings.size === number % settings.size)
  const isGood = own >= 0 && own < ranked.length - few
  if (isGood) return { point: ranked[own]!.point, parent: ranked[own]!.number }
  const donor = ranked[draws.below(Math.max(1, few))]!
  return { point: explored(space, donor.point, draws, settings), parent: donor.number }
}

/** Of each member the newest complete trial of the last generations, the best first. */
function rankedMembers(asked: Asked, { size }: PopulationSettings): Ended[] {
  const newest = new Map<number, Ended>()
  for (const one of observed(asked).ended) {
    const isRecent = one.number < asked.number && one.number >= asked.number - generations * size
    const isSound = !one.failed && asked.trials[one.place]!.state === 'complete'
    if (isRecent && isSound) newest.set(one.number % size, one)
  }
  return [...newest.values()].sort((a, b) => a.loss - b.loss || a.number - b.number)
}

/** The donor's point with each number multiplied by one of the factors, or drawn anew. */
function explored(space: Space, donor: Point, draws: Draws, { perturb, resample }: PopulationSettings): Point {
  const drawn: Point = pointOf(space, () => draws.next())
  const point: Record<string, number> = {}
  for (const dimension of space.dimensions) {
    const { path, condition, kind } = dimension
    const [isAnew, factor] = [draws.next() < resample, perturb[draws.below(perturb.length)]!]
    if (condition !== null && point[condition.path] !== condition.category) continue
    const before = donor[path]
    if (before === undefined || isAnew) point[path] = drawn[path] ?? dimension.fromDraw(draws.next())
    else point[path] = kind === 'category' ? before : multiplied(dimension, before, factor)
  }
  return point
}

/** The unit of what is nearest to a value times a factor. */
function multiplied({ parameter, cells, size, fromUnit, toUnit }: Dimension, unit: number, factor: number): number {
  const { low, high, step = 1 } = parameter as { low: number; high: number; step?: number | undefined }
  const value = (fromUnit(unit) as number) * factor
  if (!cells) return toUnit(Math.max(low, Math.min(high, value)))
  return toUnit(cells.at(Math.max(0, Math.min(size - 1, Math.round((value - low) / step)))))
}
