import { checkPositive, checkPositiveInteger } from '../checks.js'
import type { Data } from '../data/stream.js'
import { GradusError } from '../errors.js'
import type { Model } from '../model/model.js'
import { optionsOf } from '../options.js'
import { passRules } from '../train/calls.js'
import type { EvaluateOptions } from '../train/evaluate.js'
import { Ensemble } from './ensemble.js'
import { type Held, holdOut } from './held.js'
import { likeliestWeights, nearestWeights } from './mixture.js'
import { errorsOf, hasLikelihood, observedBy } from './observed.js'

export interface FitWeightsOptions extends EvaluateOptions {
  /** It ends where the mean log-likelihood is within this of the greatest; in regression the squared error, as a share. Default 1e-6. */
  tolerance?: number | undefined
  /** Steps at most. Default 1000. */
  iterations?: number | undefined
}

const readOptions = optionsOf<FitWeightsOptions>()(
  'fitWeights',
  { tolerance: [checkPositive, 1e-6], iterations: [checkPositiveInteger, 1000], ...passRules },
  ['ensemble', 'data'],
)

/** See `fitWeights` of the index. */
export async function fitWeights(
  from: Ensemble | readonly Model[],
  data: Data,
  options: FitWeightsOptions = {},
): Promise<Ensemble> {
  const { tolerance, iterations, ...pass } = readOptions(options)
  const whole = from instanceof Ensemble ? from : new Ensemble(from)
  const { members, combine, temperature } = whole
  checkMeans(whole)
  const held = await holdOut(members, data, pass)
  const ends = { tolerance, iterations }
  const weights = hasLikelihood(held) ? likeliestWeights(observedBy(held), ends) : nearest(held, ends)
  return new Ensemble(members, { combine, temperature, weights })
}

function nearest(held: Held, ends: Parameters<typeof nearestWeights>[2]): Float64Array {
  const { errors, counts } = errorsOf(held)
  return nearestWeights(errors, counts, ends)
}

/** What the weights are fitted for must be a mean: of probabilities, or of values. */
function checkMeans({ combine, loss }: Ensemble): void {
  const isProbability = loss.kind === 'softmax_cross_entropy' || loss.kind === 'binary_cross_entropy'
  if (isProbability ? combine === 'probabilities' : loss.outputs === 'values' && loss.targets === 'dense') return
  const expected = 'a mean of probabilities or of values'
  const received = `combine: '${combine}' of models compiled with ${loss.custom?.name ?? loss.call[0]}`
  throw new GradusError('GRADUS_INVALID_ARGUMENT', `fitWeights: expected ${expected}, received ${received}`)
}
