/** Random search: better than a grid where few of the parameters matter (Bergstra and Bengio 2012; CS231n). */
import { factory } from '../../call.js'
import { Draws, streams } from '../space/draws.js'
import type { Space } from '../space/space.js'
import { fresh, pointOf } from './fresh.js'
import type { Sampler } from './sampler.js'

/**
 * Each parameter on its own scale, whatever the other trials gave; each choice and branch as likely as another.
 *
 * @example random()
 * @function
 */
export const random = factory(
  'random',
  0,
  (): Sampler => ({
    name: 'random',
    settings: {},
    suggest(asked) {
      const draws = new Draws(asked.seed, asked.number, streams.parameters)
      return fresh(asked, (attempt) => drawnPoint(asked.space, draws, attempt))
    },
  }),
)

/** One of the points that a trial's draws give, by number. */
export const drawnPoint = (space: Space, draws: Draws, attempt: number) =>
  pointOf(space, (dimension) => draws.at(attempt * space.dimensions.length + dimension))
