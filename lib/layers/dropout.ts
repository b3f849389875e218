/** Dropout. */
import { callOf, factory } from '../call.js'
import { checkFraction } from '../checks.js'
import { optionsOf } from '../options.js'
import { checkName, defineLayer, type Layer } from './layer.js'

const readOptions = optionsOf<{ name?: string | undefined }>()('dropout', { name: checkName }, ['rate'])

/**
 * While training, each value is set to zero with probability `rate` and the others are divided by 1 − rate, so that
 * nothing need be scaled afterwards (Srivastava et al. 2014). Outside training it does nothing.
 *
 * @param rate - share of the values that is dropped: at least 0, less than 1
 * @function
 */
export const dropout = factory('dropout', 2, (rate: number, options: { name?: string | undefined } = {}): Layer => {
  checkFraction('rate', rate)
  const { name } = readOptions(options)
  return defineLayer({
    call: callOf('dropout', rate, { name }),
    name,
    outputShape: ([shape]) => shape!,
    lower: (scope, [input]) => scope.node('dropout', [input!.node], { rate }),
  })
})
