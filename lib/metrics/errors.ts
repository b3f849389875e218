/** Metrics of plain numbers. */
import { callOf, factory } from '../call.js'
import type { Metric } from './metric.js'

/** Σ weight, Σ weight · |error|, Σ weight · error², which these share. */
const errors = { descriptor: { kind: 'errors' }, fits: ['values'], better: 'smaller' } as const

/** The half of `meanAbsoluteError()` that is a metric. */
export const absoluteErrorMetric: Omit<Metric<'meanAbsoluteError', number>, 'call'> = {
  ...errors,
  name: 'meanAbsoluteError',
  finish: (sums) => sums[1]! / sums[0]!,
}

/** The half of `meanSquaredError()` that is a metric. */
export const squaredErrorMetric: Omit<Metric<'meanSquaredError', number>, 'call'> = {
  ...errors,
  name: 'meanSquaredError',
  finish: (sums) => sums[2]! / sums[0]!,
}

/**
 * The root of the mean of (output − target)² over examples and outputs: an error in the unit of the targets.
 * @function
 */
export const rootMeanSquaredError = factory(
  'rootMeanSquaredError',
  0,
  (): Metric<'rootMeanSquaredError', number> => ({
    ...errors,
    call: callOf('rootMeanSquaredError'),
    name: 'rootMeanSquaredError',
    finish: (sums) => Math.sqrt(sums[2]! / sums[0]!),
  }),
)

/**
 * Share of the targets' variance that the outputs explain: 1 − Σ(target − output)² / Σ(target − mean)², the mean over all
 * outputs of each output's own. 1 is perfect, 0 no better than always giving the mean. Where the targets are constant it is 1
 * for outputs that are exactly right and else 0, as in scikit-learn's `r2_score`.
 * @function
 */
export const r2 = factory(
  'r2',
  0,
  (): Metric<'r2', number> => ({
    call: callOf('r2'),
    name: 'r2',
    descriptor: { kind: 'r2' },
    fits: ['values'],
    // Σ weight; then for each output two numbers for the mean, Σ weight·(target − mean)², Σ weight·(target − output)².
    finish(sums) {
      if (sums[0] === 0) return Number.NaN
      let shares = 0
      for (let at = 1; at < sums.length; at += 4) shares += explained(sums[at + 2]!, sums[at + 3]!)
      return (4 * shares) / (sums.length - 1)
    },
    better: 'larger',
  }),
)

function explained(squares: number, residual: number): number {
  if (residual === 0) return 1
  return squares === 0 && !Number.isNaN(residual) ? 0 : 1 - residual / squares
}
