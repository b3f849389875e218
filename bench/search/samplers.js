// Samplers by name; that of a rival in JavaScript is loaded where it is asked for.
import { auto } from '../../dist/search/samplers/auto.js'
import { cmaEs } from '../../dist/search/samplers/cma-es.js'
import { gaussianProcess } from '../../dist/search/samplers/gaussian-process/gaussian-process.js'
import { random } from '../../dist/search/samplers/random.js'
import { tpe } from '../../dist/search/samplers/tpe/tpe.js'

const own = { random, tpe, gaussianProcess, auto, cmaEs }

export async function samplerOf(name) {
  if (name !== 'hyperparameters') return own[name]()
  const { randomOfHyperparameters } = await import('./hyperparameters.js')
  return randomOfHyperparameters()
}
