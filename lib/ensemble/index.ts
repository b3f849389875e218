import type { Model } from '../model/model.js'
import type { AnyValues } from '../train/history.js'
import { Ensemble, type EnsembleOptions } from './ensemble.js'

export type { Combine, Ensemble, EnsembleOptions, EnsemblePredictOptions, Spread } from './ensemble.js'
export type { Predictor } from './predictor.js'

/**
 * Several models as one predictor, which is nearly always better than the mean of them. They may differ in architecture, not in
 * inputs, outputs and loss. They stay what they are: `dispose` of the ensemble leaves them.
 *
 * @throws GRADUS_INVALID_ARGUMENT or GRADUS_SHAPE_MISMATCH naming the member that does not fit the others
 * @example
 * const together = ensemble([first, second, third])
 * const { loss, accuracy } = await together.evaluate(test)
 */
export function ensemble<Values extends object = AnyValues>(
  members: readonly Model<Values>[],
  options: EnsembleOptions = {},
): Ensemble<Values> {
  return new Ensemble<Values>(members, options)
}
