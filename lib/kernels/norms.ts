import { checkNotNegative, checkOptions } from '../checks.js'
import type { FloatArray } from '../native.js'
import { call } from './call.js'

export interface NormOptions {
  /** From 1 up. */
  rows: number
  /** From 1 up. */
  columns: number
  /** Added to the variance; default 1e-5. */
  epsilon?: number | undefined
}

/** Of each row for layer norm, of each column for batch norm. */
export interface NormStatistics<A extends FloatArray> {
  mean: A
  /** 1 / √(variance + epsilon). */
  inverseDeviation: A
}

export interface NormGradients<A extends FloatArray> {
  /** (rows, columns), written; may be left out. */
  dx?: A | undefined
  /** (columns), added into. */
  dgain: A
  /** (columns), added into. */
  dbias: A
}

const known = ['rows', 'columns', 'epsilon']

function sizes(options: NormOptions): [number, number] {
  checkOptions('options', options, known)
  return [options.rows, options.columns]
}
const epsilonOf = ({ epsilon = 1e-5 }: NormOptions) => checkNotNegative('epsilon', epsilon)

function statisticsOf<A extends FloatArray>(statistics: NormStatistics<A>): [A, A] {
  checkOptions('statistics', statistics, ['mean', 'variance', 'inverseDeviation'])
  return [statistics.mean, statistics.inverseDeviation]
}

/**
 * y = gain · (x − mean) / √(variance + epsilon) + bias for each row (Ba et al. 2016).
 *
 * @param x (rows, columns)
 * @param gain (columns)
 * @param bias (columns)
 * @param y (rows, columns), written
 * @param statistics (rows) each, written: the backward pass takes them
 */
export function layerNormForward<A extends FloatArray>(
  x: A,
  gain: A,
  bias: A,
  y: A,
  statistics: NormStatistics<A>,
  options: NormOptions,
): A {
  call.layer_norm_forward!(...sizes(options), epsilonOf(options), x, gain, bias, ...statisticsOf(statistics), y)
  return y
}

/** The gradients of {@link layerNormForward}. */
export function layerNormBackward<A extends FloatArray>(
  x: A,
  gain: A,
  statistics: NormStatistics<A>,
  dy: A,
  gradients: NormGradients<A>,
  options: NormOptions,
): NormGradients<A> {
  return backward('layer_norm_backward', x, gain, statistics, dy, gradients, options)
}

/**
 * Mean, variance (of the batch, not its estimate) and inverse deviation of each column.
 *
 * @param x (rows, columns)
 * @param statistics (columns) each, written
 */
export function batchNormStatistics<A extends FloatArray>(
  x: A,
  statistics: NormStatistics<A> & { variance: A },
  options: NormOptions,
): typeof statistics {
  const [mean, inverseDeviation] = statisticsOf(statistics)
  const dimensions = sizes(options)
  const epsilon = epsilonOf(options)
  call.batch_norm_statistics!(...dimensions, epsilon, x, mean, statistics.variance, inverseDeviation)
  return statistics
}

/**
 * y = gain · (x − mean) · inverseDeviation + bias for each column (Ioffe and Szegedy 2015).
 *
 * @param x (rows, columns)
 * @param statistics (columns) each: those of {@link batchNormStatistics}, or running ones
 * @param y (rows, columns), written
 */
export function batchNormForward<A extends FloatArray>(
  x: A,
  gain: A,
  bias: A,
  statistics: NormStatistics<A>,
  y: A,
  options: NormOptions,
): A {
  call.batch_norm_forward!(...sizes(options), x, gain, bias, ...statisticsOf(statistics), y)
  return y
}

/** The gradients of {@link batchNormForward} with the batch's own statistics, through which they flow too. */
export function batchNormBackward<A extends FloatArray>(
  x: A,
  gain: A,
  statistics: NormStatistics<A>,
  dy: A,
  gradients: NormGradients<A>,
  options: NormOptions,
): NormGradients<A> {
  return backward('batch_norm_backward', x, gain, statistics, dy, gradients, options)
}

function backward<A extends FloatArray>(
  name: string,
  x: A,
  gain: A,
  statistics: NormStatistics<A>,
  dy: A,
  gradients: NormGradients<A>,
  options: NormOptions,
): NormGradients<A> {
  checkOptions('gradients', gradients, ['dx', 'dgain', 'dbias'])
  const { dx, dgain, dbias } = gradients
  call[name]!(...sizes(options), x, gain, ...statisticsOf(statistics), dy, dx, dgain, dbias)
  return gradients
}
