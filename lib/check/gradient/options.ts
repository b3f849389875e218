/** What a gradient check can be told, and the checks on it. */
import {
  checkBoolean,
  checkFunction,
  checkNotNegativeInteger,
  checkPositive,
  checkPositiveInteger,
  checkSeed,
  oneOf,
} from '../../checks.js'
import { optionsOf } from '../../options.js'
import { checkSignal, resolveThreads } from '../../train/calls.js'

export interface GradientCheckFunctionOptions {
  /** How many elements of each tensor are compared, those with the largest and the smallest gradients always. */
  samplesPerParameter?: number | 'all' | undefined
  /**
   * The h of (f(x + h) − f(x − h)) / 2h. `'auto'` (default) sweeps from 0.1 to 1e-9 for each tensor and takes the flat
   * valley between truncation and rounding.
   */
  stepSize?: number | 'auto' | undefined
  /** Of the sample and of random directions; 0 to 2⁵³ − 1, default 0. */
  seed?: number | undefined
}

export interface GradientCheckOptions extends GradientCheckFunctionOptions {
  /** Default 20. */
  samplesPerParameter?: number | 'all' | undefined
  /**
   * `'coordinates'` (default): one element at a time. `'directional'`: each whole tensor along random directions, two
   * evaluations each, for big models.
   */
  method?: 'coordinates' | 'directional' | undefined
  /** How many random directions for each tensor; default 5. */
  directions?: number | undefined
  /** Which part of the loss; `'each'` (default) takes data and regularization apart, so that none hides the other. */
  term?: 'data' | 'regularization' | 'total' | 'each' | undefined
  /**
   * `'off'` (default): no dropout, and custom layers see `training: false`. `'fixed'`: on, with the same seed in all
   * evaluations. Batch norm takes the batch's statistics either way.
   */
  randomness?: 'off' | 'fixed' | undefined
  /** Steps of training on the data before the check, on a copy: kinks are fewer once the loss has fallen. Default 0. */
  burnIn?: number | undefined
  /** Also compares the gradient by the inputs; default false. */
  checkInput?: boolean | undefined
  /**
   * At most so many examples, spread over the data. Few examples cross few kinks. Default 32; of networks with convolutions so
   * many that a forward pass takes at most 10⁸ multiply-adds, but 2.
   */
  examples?: number | undefined
  /** Default: all cores. `GRADUS_THREADS` overrides. */
  threads?: number | undefined
  /** Ends the check; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Told now and then how many evaluations are done, of how many asked for so far. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined
}

type MayLack = 'examples' | 'signal' | 'onProgress'
export type CheckSettings = Required<Omit<GradientCheckOptions, MayLack>> & Pick<GradientCheckOptions, MayLack>

/** `all`, or what the check takes. */
const or =
  <Name extends string>(name: Name, check: (argument: string, value: unknown) => number) =>
  (argument: string, value: unknown): Name | number =>
    value === name ? name : check(`${argument} ('${name}' or a number)`, value)

const samplingRules = (samples: number | 'all') =>
  ({
    samplesPerParameter: [or('all', checkPositiveInteger), samples],
    stepSize: [or('auto', checkPositive), 'auto'],
    seed: [checkSeed, 0],
  }) as const

export const resolveFunctionOptions = optionsOf<GradientCheckFunctionOptions>()(
  'gradientCheckFunction',
  samplingRules('all'),
)

const readOptions = optionsOf<GradientCheckOptions>()('gradientCheck', {
  ...samplingRules(20),
  method: [oneOf('coordinates', 'directional'), 'coordinates'],
  directions: [checkPositiveInteger, 5],
  term: [oneOf('data', 'regularization', 'total', 'each'), 'each'],
  randomness: [oneOf('off', 'fixed'), 'off'],
  burnIn: [checkNotNegativeInteger, 0],
  checkInput: [checkBoolean, false],
  examples: checkPositiveInteger,
  threads: checkPositiveInteger,
  signal: checkSignal,
  onProgress: checkFunction<NonNullable<GradientCheckOptions['onProgress']>>,
})

export function resolveOptions(options: GradientCheckOptions): CheckSettings {
  const read = readOptions(options)
  return { ...read, threads: resolveThreads(read.threads) }
}
