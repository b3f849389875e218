/** Steps along the gradient or a velocity made of it. */
import { checkFraction } from '../../checks.js'
import type { FloatArray } from '../../native.js'
import { checkStepOptions, type RuleNumbers, type StepOptions, type StepSums, step } from './step.js'

export interface MomentumStepOptions<A extends FloatArray> extends StepOptions<A> {
  /** At least 0 and less than 1; default 0.9. */
  momentum?: number | undefined
}

export interface LionStepOptions<A extends FloatArray> extends StepOptions<A> {
  /** Share of the velocity in the direction of the step; default 0.9. */
  beta1?: number | undefined
  /** How much of the velocity is kept; default 0.99. */
  beta2?: number | undefined
}

/** w −= learningRate · g. All arrays of one length; `parameters` is updated. */
export function sgdStep<A extends FloatArray>(gradient: A, parameters: A, options: StepOptions<A>): StepSums {
  checkStepOptions(options)
  return step('sgd', [gradient, parameters], options)
}

function momentumOf<A extends FloatArray>(options: MomentumStepOptions<A>): RuleNumbers {
  checkStepOptions(options, 'momentum')
  return { momentum: checkFraction('momentum', options.momentum ?? 0.9) }
}

/** velocity = momentum · velocity − learningRate · g, w += velocity (CS231n, "SGD and bells and whistles"). */
export function momentumStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  velocity: A,
  options: MomentumStepOptions<A>,
): StepSums {
  return step('momentum', [gradient, parameters, velocity], options, momentumOf(options))
}

/** Momentum that looks ahead: w += (1 + momentum) · velocity − momentum · the velocity before (CS231n). */
export function nesterovStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  velocity: A,
  options: MomentumStepOptions<A>,
): StepSums {
  return step('nesterov', [gradient, parameters, velocity], options, momentumOf(options))
}

/**
 * w −= learningRate · sign(beta1 · velocity + (1 − beta1) · g), then velocity = beta2 · velocity + (1 − beta2) · g
 * (Chen et al. 2023).
 *
 * @param velocity zeros before the first step; updated
 */
export function lionStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  velocity: A,
  options: LionStepOptions<A>,
): StepSums {
  checkStepOptions(options, 'beta1', 'beta2')
  const momentum = checkFraction('beta1', options.beta1 ?? 0.9)
  const decayRate = checkFraction('beta2', options.beta2 ?? 0.99)
  return step('lion', [gradient, parameters, velocity], options, { momentum, decayRate })
}
