/** The fully connected layer: Y = X·W + b. */
import { callOf } from '../call.js'
import { checkPositiveInteger } from '../checks.js'
import { GradusError } from '../errors.js'
import { optionsOf } from '../options.js'
import { defineLayer, type Layer, layerFactory } from './layer.js'
import { shapeError } from './shape.js'
import { lowerWeighted, type WeightedOptions, weightedRules } from './weighted.js'

export type DenseOptions = WeightedOptions

const readOptions = optionsOf<DenseOptions>()('dense', weightedRules, ['units'])

/**
 * A layer of `units` outputs, each connected to every input: Y = X·W + b, W of shape (inputs, units), b of (units).
 * Works on the last dimension: examples of shape [28, 28] become [28, units]. Put {@link flatten} before it to join all
 * elements.
 * @function
 */
export const dense = layerFactory('dense', 2, (units: number, options: DenseOptions = {}): Layer => {
  checkUnits(units)
  const resolved = readOptions(options)
  return defineLayer({
    call: callOf('dense', units, resolved),
    name: resolved.name,
    outputShape: ([shape = []], label) => {
      if (!shape.length) throw shapeError(label, 'at least one dimension', shape)
      return [...shape.slice(0, -1), units]
    },
    lower(scope, [input]) {
      const inputs = input!.shape.at(-1)!
      const of = { op: 'dense', input: input!.node, shape: [inputs, units], outputs: units }
      return lowerWeighted(scope, { ...of, fans: [inputs, units] }, resolved)
    },
  })
})

function checkUnits(units: unknown): void {
  if (typeof units === 'object' && units !== null && 'units' in units) {
    const message =
      'units: expected a positive integer before the options, as in dense(10, { … }); received it among them'
    throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
  }
  checkPositiveInteger('units', units)
}
