/** Dropout. */
import { callOf } from '../call.js'
import { checkFraction, checkOptions } from '../checks.js'
import { checkName, defineLayer, type Layer } from './layer.js'

/**
 * While training, each value is set to zero with probability `rate` and the others are divided by 1 − rate, so that
 * nothing need be scaled afterwards (Srivastava et al. 2014). Outside training it does nothing.
 *
 * @param rate - share of the values that is dropped: at least 0, less than 1
 */
export function dropout(rate: number, options: { name?: string } = {}): Layer {
  checkFraction('rate', rate)
  checkOptions('options', options, ['name'])
  return defineLayer({
    call: callOf('dropout', rate, { name: options.name }),
    name: checkName('name', options.name),
    outputShape: ([shape]) => shape!,
    lower: (scope, [input]) => scope.node('dropout', [input!.node], { rate }),
  })
}
