/** Parameters that an optimizer treats otherwise than the rest. */
import { checkNotNegative } from '../checks.js'
import { invalidArgument } from '../errors.js'
import type { Descriptor, ParameterDescriptor } from '../native.js'
import { needed, optionsOf } from '../options.js'
import { checkPatterns, type NamePatterns, namesMatching } from './patterns.js'

/** What holds for the parameters that a pattern names. The first group that names a parameter counts. */
export interface ParameterGroup {
  /** Names as in `getWeights`, or of whole layers; `*` stands for any letters: `'*.bias'`, `['layerNorm*', 'dense1']`. */
  parameters: NamePatterns
  /** Of the learning rate and of its schedule; default 1. 0 keeps the parameters as they are. */
  learningRateMultiplier?: number | undefined
  /** In place of the optimizer's decoupled weight decay: 0 for none, as is usual for biases and norms. */
  weightDecay?: number | undefined
}

export function checkGroups(argument: string, groups: unknown): ParameterGroup[] {
  if (!Array.isArray(groups)) throw invalidArgument(argument, 'an array of groups', groups)
  return groups.map((group: ParameterGroup, i) => readGroup(group, `${argument}[${i}]`))
}
const readGroup = optionsOf<ParameterGroup>()('groups', {
  parameters: needed(checkPatterns),
  learningRateMultiplier: checkNotNegative,
  weightDecay: checkNotNegative,
})

/** The parameters with what their groups say. @throws when a pattern names nothing. */
export function withGroups(
  parameters: Descriptor['parameters'],
  groups: readonly ParameterGroup[],
): ParameterDescriptor[] {
  const names = parameters.map(({ name }) => name)
  const chosen = groups.map((group, i) => namesMatching(`groups[${i}].parameters`, group.parameters, names))
  return parameters.map((parameter) => {
    const i = chosen.findIndex((named) => named.has(parameter.name))
    if (i < 0) return parameter
    const { learningRateMultiplier, weightDecay } = groups[i]!
    return { ...parameter, learningRateMultiplier, weightDecay }
  })
}
