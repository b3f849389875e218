/** Parameters that an optimizer treats otherwise than the rest. */
import { checkNotNegative } from '../checks.js'
import { GradusError, invalidArgument } from '../errors.js'
import type { Descriptor, ParameterDescriptor } from '../native.js'
import { needed, optionsOf } from '../options.js'

/** What holds for the parameters that a pattern names. The first group that names a parameter counts. */
export interface ParameterGroup {
  /** Names as in `getWeights`; `*` stands for any letters: `'*.bias'`, `['layerNorm*', 'dense1.weight']`. */
  parameters: string | readonly string[]
  /** Of the learning rate and of its schedule; default 1. 0 keeps the parameters as they are. */
  learningRateMultiplier?: number
  /** In place of the optimizer's decoupled weight decay: 0 for none, as is usual for biases and norms. */
  weightDecay?: number
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

function checkPatterns(argument: string, value: unknown): string[] {
  const patterns = typeof value === 'string' ? [value] : value
  if (!Array.isArray(patterns) || !patterns.length || patterns.some((pattern) => typeof pattern !== 'string')) {
    throw invalidArgument(argument, "a pattern such as '*.bias', or an array of them", value)
  }
  return [...patterns]
}

/** The parameters with what their groups say. @throws when a pattern names nothing. */
export function withGroups(
  parameters: Descriptor['parameters'],
  groups: readonly ParameterGroup[],
): ParameterDescriptor[] {
  const matchers = groups.map((group) => [group.parameters].flat().map(matcher))
  for (const [i, patterns] of matchers.entries()) {
    for (const [j, matches] of patterns.entries()) {
      if (parameters.some(({ name }) => matches(name))) continue
      const pattern = [groups[i]!.parameters].flat()[j]
      const names = parameters.map(({ name }) => name).join(', ')
      const message = `groups[${i}].parameters: "${pattern}" names none of ${names}`
      throw new GradusError('GRADUS_INVALID_ARGUMENT', message)
    }
  }
  return parameters.map((parameter) => {
    const i = matchers.findIndex((patterns) => patterns.some((matches) => matches(parameter.name)))
    if (i < 0) return parameter
    const { learningRateMultiplier, weightDecay } = groups[i]!
    return { ...parameter, learningRateMultiplier, weightDecay }
  })
}

function matcher(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.\\+^$()[\]{}|?]/g, '\\$&'))
  const expression = new RegExp(`^${parts.join('.*')}$`)
  return (name) => expression.test(name)
}
