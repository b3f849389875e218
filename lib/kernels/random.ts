import { checkFraction, checkNotNegative, checkOptions, checkSeed } from '../checks.js'
import type { FloatArray } from '../native.js'
import { call } from './call.js'

/**
 * Where in the counter-based generator (Philox 4×32-10, Salmon et al. 2011) the values lie: value i is a function of
 * (seed, stream, step, first + i) alone, so nothing is kept between calls.
 */
export interface DrawOptions {
  /** 0 to 2⁵³ − 1. */
  seed: number
  /** 0 to 2³² − 1; default 0. */
  stream?: number | undefined
  /** Default 0. */
  step?: number | undefined
  /** Index of the first value; default 0. */
  first?: number | undefined
}

const drawOptions = ['seed', 'stream', 'step', 'first']
const place = ({ seed, stream = 0, step = 0, first = 0 }: DrawOptions) => [checkSeed('seed', seed), stream, step, first]

/**
 * y = 0 with probability `rate`, else x / (1 − rate): inverted dropout (Srivastava et al. 2014). The same options give
 * the same mask, so the backward pass is the same call on the gradient. `y` may be `x`.
 */
export function dropout<A extends FloatArray>(
  x: A,
  y: A,
  options: DrawOptions & {
    /** At least 0 and less than 1. */
    rate: number
  },
): A {
  checkOptions('dropout', options, [...drawOptions, 'rate'])
  call.dropout!(...place(options), checkFraction('rate', options.rate), x, y)
  return y
}

/** Fills y with numbers of [low, high), each as likely as another; default [0, 1). */
export function randomUniform<A extends FloatArray>(
  y: A,
  options: DrawOptions & { low?: number | undefined; high?: number | undefined },
): A {
  checkOptions('randomUniform', options, [...drawOptions, 'low', 'high'])
  call.random_uniform!(...place(options), options.low ?? 0, options.high ?? 1, y)
  return y
}

/** Fills y with normal deviates; default mean 0, deviation 1. */
export function randomNormal<A extends FloatArray>(
  y: A,
  options: DrawOptions & { mean?: number | undefined; deviation?: number | undefined },
): A {
  checkOptions('randomNormal', options, [...drawOptions, 'mean', 'deviation'])
  const deviation = checkNotNegative('deviation', options.deviation ?? 1)
  call.random_normal!(...place(options), options.mean ?? 0, deviation, y)
  return y
}
