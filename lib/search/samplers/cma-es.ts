/** CMA-ES: a normal distribution that moves, stretches and turns towards better points. */
import { factory } from '../../call.js'
import { invalidArgument } from '../../errors.js'
import { type Check, optionsOf } from '../../options.js'
import type { Dimension } from '../space/dimensions.js'
import { Draws, streams } from '../space/draws.js'
import type { Point } from '../space/space.js'
import { begin, type Evolution, next, populationOf, sample, takenBack } from './cma-es/evolution.js'
import { fresh } from './fresh.js'
import { drawnPoint } from './random.js'
import { type Asked, observed, type Sampler } from './sampler.js'

export interface CmaEsOptions {
  /** Trials of a generation. Default 4 + ⌊3 · ln(parameters)⌋. */
  population?: number | undefined
}

const checkPopulation: Check<number> = (argument, value) => {
  if (Number.isSafeInteger(value) && (value as number) >= 4) return value as number
  throw invalidArgument(argument, 'a whole number from 4 up', value)
}
const readCmaEs = optionsOf<CmaEsOptions>()('cmaEs', { population: checkPopulation })

/**
 * For numbers, some hundred trials and more, where neighbours are alike (Hansen and Ostermeier 2001). It begins in the middle
 * of the ranges with a sixth of them for a deviation; each `population` ended trials, in order of number, are a generation.
 * Choices, and parameters of branches, are drawn at random.
 *
 * @throws `GRADUS_INVALID_ARGUMENT`
 * @example cmaEs()
 * @function
 */
export const cmaEs = factory('cmaEs', 1, (options?: CmaEsOptions): Sampler => {
  const { population } = readCmaEs(options)
  return {
    name: 'cmaEs',
    settings: { population: population ?? null },
    suggest(asked) {
      const dimensions = asked.space.dimensions.filter(
        ({ kind, condition }) => kind !== 'category' && condition === null,
      )
      const draws = new Draws(asked.seed, asked.number, streams.parameters)
      if (dimensions.length === 0) return fresh(asked, (attempt) => drawnPoint(asked.space, draws, attempt))
      const evolution = evolved(asked, dimensions, population ?? populationOf(dimensions.length))
      const normals = new Draws(asked.seed, asked.number, streams.normals)
      return fresh(asked, (attempt) => {
        const units = sampleInside(evolution, normals)
        const found: Record<string, number> = { ...drawnPoint(asked.space, draws, attempt) }
        for (const [i, { path }] of dimensions.entries()) found[path] = units[i]!
        return found as Point
      })
    },
  }
})

/** The distribution after all whole generations. */
function evolved(asked: Asked, dimensions: readonly Dimension[], population: number): Evolution {
  const { ended } = observed(asked)
  let evolution = begin(new Float64Array(dimensions.length).fill(0.5), 1 / 6)
  for (let at = 0; at + population <= ended.length; at += population) {
    const from = evolution
    const tried = ended.slice(at, at + population).map(({ point, loss }) => {
      const x = Float64Array.from(dimensions, ({ path }) => point[path]!)
      return { x: takenBack(from, x), loss }
    })
    evolution = next(evolution, tried)
  }
  return evolution
}

/** A point of the distribution that lies in the ranges; if ten for each dimension do not, one that is moved there. */
function sampleInside(evolution: Evolution, normals: Draws): Float64Array {
  const n = evolution.mean.length
  let units = evolution.mean
  for (let attempt = 0; attempt <= 10 * n; attempt++) {
    units = sample(
      evolution,
      Float64Array.from({ length: n }, () => normals.normal()),
    )
    if (units.every((unit) => unit >= 0 && unit <= 1)) return units
  }
  return units.map((unit) => Math.max(0, Math.min(1, unit)))
}
