/** What samplers with a model do as long as there is little to make one of. */
import type { Asked } from './sampler.js'
import { sobol } from './sobol.js'

/** Trials by Sobol's points before a model is asked; one more than there are parameters, if that is more. */
const fewest = 10

/** Whether too few trials have ended. */
export function isStart({ space, trials }: Asked): boolean {
  const least = Math.max(fewest, space.dimensions.length + 1)
  let ended = 0
  for (const { state } of trials) if (state !== 'running' && state !== 'paused') ended++
  return ended < least
}

const even = sobol()
export const startingParams = (asked: Asked) => even.suggest(asked)
