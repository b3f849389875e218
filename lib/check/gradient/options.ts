/** What a gradient check can be told, and the checks on it. */
import {
  checkBoolean,
  checkFunction,
  checkNotNegativeInteger,
  checkOneOf,
  checkOptional,
  checkOptions,
  checkPositive,
  checkPositiveInteger,
  checkSeed,
} from '../../checks.js'
import { checkSignal, resolveThreads } from '../../train/options.js'

export interface GradientCheckFunctionOptions {
  /** How many elements of each tensor are compared, those with the largest and the smallest gradients always. */
  samplesPerParameter?: number | 'all'
  /**
   * The h of (f(x + h) − f(x − h)) / 2h. `'auto'` (default) sweeps from 0.1 to 1e-9 for each tensor and takes the flat
   * valley between truncation and rounding.
   */
  stepSize?: number | 'auto'
  /** Of the sample and of random directions; 0 to 2⁵³ − 1, default 0. */
  seed?: number
}

export interface GradientCheckOptions extends GradientCheckFunctionOptions {
  /** Default 20. */
  samplesPerParameter?: number | 'all'
  /**
   * `'coordinates'` (default): one element at a time. `'directional'`: each whole tensor along random directions, two
   * evaluations each, for big models.
   */
  method?: 'coordinates' | 'directional'
  /** How many random directions for each tensor; default 5. */
  directions?: number
  /** Which part of the loss; `'each'` (default) takes data and regularization apart, so that none hides the other. */
  term?: 'data' | 'regularization' | 'total' | 'each'
  /**
   * `'off'` (default): no dropout, and custom layers see `training: false`. `'fixed'`: on, with the same seed in all
   * evaluations. Batch norm takes the batch's statistics either way.
   */
  randomness?: 'off' | 'fixed'
  /** Steps of training on the data before the check, on a copy: kinks are fewer once the loss has fallen. Default 0. */
  burnIn?: number
  /** Also compares the gradient by the inputs; default false. */
  checkInput?: boolean
  /** At most so many examples, spread over the data; default 32. Few examples cross few kinks. */
  examples?: number
  /** Default: all cores. `GRADUS_THREADS` overrides. */
  threads?: number
  /** Ends the check; the promise rejects with the signal's reason. */
  signal?: AbortSignal
  /** Told now and then how many evaluations are done, of how many asked for so far. */
  onProgress?: (progress: { done: number; total: number }) => void
}

export type CheckSettings = Required<Omit<GradientCheckOptions, 'signal' | 'onProgress'>> &
  Pick<GradientCheckOptions, 'signal' | 'onProgress'>

const functionOptions = ['samplesPerParameter', 'stepSize', 'seed'] as const
const modelOptions = [
  ...['method', 'directions', 'term', 'randomness', 'burnIn', 'checkInput', 'examples', 'threads', 'signal'],
  'onProgress',
]

export function resolveFunctionOptions(options: GradientCheckFunctionOptions) {
  checkOptions('options', options, functionOptions)
  return resolveSampling(options, 'all')
}

function resolveSampling(options: GradientCheckFunctionOptions, samples: number | 'all') {
  const { samplesPerParameter = samples, stepSize = 'auto', seed = 0 } = options
  if (samplesPerParameter !== 'all')
    checkPositiveInteger("samplesPerParameter ('all' or a number)", samplesPerParameter)
  if (stepSize !== 'auto') checkPositive("stepSize ('auto' or a number)", stepSize)
  return { samplesPerParameter, stepSize, seed: checkSeed('seed', seed) }
}

export function resolveOptions(options: GradientCheckOptions): CheckSettings {
  checkOptions('options', options, [...functionOptions, ...modelOptions])
  const { method = 'coordinates', directions = 5, term = 'each', randomness = 'off' } = options
  const { burnIn = 0, checkInput = false, examples = 32, threads, signal, onProgress } = options
  checkSignal(signal)
  checkOptional(checkFunction, 'onProgress', onProgress)
  return {
    ...resolveSampling(options, 20),
    method: checkOneOf('method', method, ['coordinates', 'directional']),
    directions: checkPositiveInteger('directions', directions),
    term: checkOneOf('term', term, ['data', 'regularization', 'total', 'each']),
    randomness: checkOneOf('randomness', randomness, ['off', 'fixed']),
    burnIn: checkNotNegativeInteger('burnIn', burnIn),
    checkInput: checkBoolean('checkInput', checkInput),
    examples: checkPositiveInteger('examples', examples),
    threads: resolveThreads(threads),
    signal,
    onProgress,
  }
}
