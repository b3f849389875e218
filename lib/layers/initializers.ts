/** How weights start. */
import { factory } from '../call.js'
import { checkFinite, checkNotNegative, checkPositive } from '../checks.js'
import { invalidArgument } from '../errors.js'
import type { ParameterDescriptor } from '../native.js'
import { needed, optionsOf, unknownName } from '../options.js'

type NativeInitializer = ParameterDescriptor['initializer']

/**
 * With `fanIn` inputs and `fanOut` outputs of the layer:
 *
 * - `'he'`: normal with standard deviation √(2 / fanIn), for layers before a ReLU (He et al. 2015);
 * - `'xavier'`: uniform in ±√(6 / (fanIn + fanOut)), for tanh (Glorot and Bengio 2010);
 * - `'lecun'`: normal with standard deviation √(1 / fanIn), for linear units (LeCun et al. 1998);
 * - `'zeros'`, `'ones'`, or a number: the same everywhere;
 * - `'identity'`: what comes in goes out again, as far as there are as many outputs (in a convolution group by group, by the
 *   pixel in the middle of the kernel): for weights of two dimensions or more;
 * - {@link randomNormal} and {@link randomUniform} for distributions of one's own.
 */
export type Initializer = keyof typeof named | number | DistributionInitializer
/** Made by {@link randomNormal} or {@link randomUniform}. */
export type DistributionInitializer =
  | { readonly normal: { readonly mean: number; readonly deviation: number } }
  | { readonly uniform: { readonly low: number; readonly high: number } }

const named = {
  he: (fanIn: number): NativeInitializer => ({ kind: 'normal', mean: 0, deviation: Math.sqrt(2 / fanIn) }),
  xavier: (fanIn: number, fanOut: number): NativeInitializer => {
    const limit = Math.sqrt(6 / (fanIn + fanOut))
    return { kind: 'uniform', low: -limit, high: limit }
  },
  lecun: (fanIn: number): NativeInitializer => ({ kind: 'normal', mean: 0, deviation: Math.sqrt(1 / fanIn) }),
  zeros: (): NativeInitializer => ({ kind: 'constant', value: 0 }),
  ones: (): NativeInitializer => ({ kind: 'constant', value: 1 }),
  identity: (_in: number, _out: number, groups: number): NativeInitializer => ({ kind: 'identity', groups }),
}

const readNormal = optionsOf<{ deviation: number; mean?: number | undefined }>()('randomNormal', {
  deviation: needed(checkNotNegative),
  mean: [checkFinite, 0],
})
const readUniform = optionsOf<{ limit: number }>()('randomUniform', { limit: needed(checkPositive) })

/** Normally distributed with this standard deviation; `mean` 0 unless given. @function */
export const randomNormal = factory(
  'randomNormal',
  1,
  (options: { deviation: number; mean?: number | undefined }): DistributionInitializer => {
    const { mean, deviation } = readNormal(options)
    return { normal: { mean, deviation } }
  },
)

/** Uniform from −limit to limit. @function */
export const randomUniform = factory('randomUniform', 1, (options: { limit: number }): DistributionInitializer => {
  const { limit } = readUniform(options)
  return { uniform: { low: -limit, high: limit } }
})

/** Checks an initializer that a user or a file gave. */
export function checkInitializer(argument: string, value: unknown): Initializer {
  if (typeof value === 'string' && Object.hasOwn(named, value)) return value as keyof typeof named
  const { normal: bell, uniform: range } = (value ?? {}) as Record<string, unknown>
  const finite = (numbers: unknown, keys: string[]) =>
    typeof numbers === 'object' &&
    numbers !== null &&
    keys.every((key) => Number.isFinite((numbers as Record<string, unknown>)[key]))
  if (Number.isFinite(value) || finite(bell, ['mean', 'deviation']) || finite(range, ['low', 'high'])) {
    return value as Initializer
  }
  const names = Object.keys(named).map((name) => `'${name}'`)
  const expected = `${names.join(', ')}, a number, randomNormal(…) or randomUniform(…)`
  throw unknownName(argument, expected, value, Object.keys(named))
}

/** Of a bias, which is no map from inputs to outputs. */
export function checkBiasInitializer(argument: string, value: unknown): Initializer {
  if (value === 'identity') throw invalidArgument(argument, "'zeros', 'ones', a number or a distribution", value)
  return checkInitializer(argument, value)
}

export function lowerInitializer(
  initializer: Initializer,
  fanIn: number,
  fanOut: number,
  groups = 1,
): NativeInitializer {
  if (typeof initializer === 'string') return named[initializer](fanIn, fanOut, groups)
  if (typeof initializer === 'number') return { kind: 'constant', value: initializer }
  if ('normal' in initializer) return { kind: 'normal', ...initializer.normal }
  return { kind: 'uniform', ...initializer.uniform }
}
