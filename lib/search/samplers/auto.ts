/** The sampler for those who do not want to choose one. */
import { factory } from '../../call.js'
import type { Space } from '../space/space.js'
import { gaussianProcess } from './gaussian-process/gaussian-process.js'
import type { Sampler } from './sampler.js'
import { tpe } from './tpe/tpe.js'

/** Ended trials up to which a Gaussian process is worth its time, which grows with their third power. */
const mostForProcess = 250

/**
 * The default: ten Sobol points, one more than there are parameters at least; `gaussianProcess()` up to 250 ended trials; then
 * `tpe()`. Where more than half of the parameters are choices or lie in branches, `tpe()` at once.
 *
 * @example auto()
 * @function
 */
export const auto = factory('auto', 0, (): Sampler => {
  const [process, estimator] = [gaussianProcess(), tpe()]
  return {
    name: 'auto',
    settings: {},
    suggest(asked) {
      const ended = asked.trials.filter(({ state }) => state !== 'running' && state !== 'paused').length
      const sampler = ended > mostForProcess || isMostlyChoices(asked.space) ? estimator : process
      return sampler.suggest(asked)
    },
  }
})

const isMostlyChoices = ({ dimensions }: Space): boolean =>
  2 * dimensions.filter(({ kind, condition }) => kind === 'category' || condition !== null).length > dimensions.length
