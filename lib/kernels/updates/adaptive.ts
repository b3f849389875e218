/** Steps with a rate of its own for each weight, from the squares of its gradients. */
import { checkBoolean, checkFraction, checkOptions, checkPositive } from '../../checks.js'
import type { FloatArray } from '../../native.js'
import { checkStepOptions, type StepOptions, type StepSums, step } from './step.js'

export interface AdagradStepOptions<A extends FloatArray> extends StepOptions<A> {
  /** Added to the root; default 1e-8. */
  epsilon?: number | undefined
}

export interface RmspropStepOptions<A extends FloatArray> extends AdagradStepOptions<A> {
  /** How much of the running mean of g² is kept; default 0.9. */
  decayRate?: number | undefined
  /** Divides by the running deviation of g, not its root mean square; needs `mean`. Default false. */
  centered?: boolean | undefined
  /** The running mean of g, zeros before the first step; updated where `centered`. */
  mean?: A | undefined
  /** How much of a velocity of normalised gradients is kept; other than 0 it needs `velocity`. Default 0. */
  momentum?: number | undefined
  /** Zeros before the first step; updated. */
  velocity?: A | undefined
}

export interface AdaDeltaStepOptions<A extends FloatArray> extends StepOptions<A> {
  /** Added to both running means; default 1e-6. */
  epsilon?: number | undefined
  /** How much of the running means is kept; default 0.9. */
  decayRate?: number | undefined
}

/** cache += g², w −= learningRate · g / (√cache + epsilon) (Duchi et al. 2011). */
export function adagradStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  cache: A,
  options: AdagradStepOptions<A>,
): StepSums {
  checkStepOptions(options, 'epsilon')
  const epsilon = checkPositive('epsilon', options.epsilon ?? 1e-8)
  return step('adagrad', [gradient, parameters, cache], options, { epsilon })
}

/**
 * Adagrad with cache = decayRate · cache + (1 − decayRate) · g² (Tieleman and Hinton 2012). `centered` takes g's running
 * variance in its place (Graves 2013). With a velocity: velocity = momentum · velocity − learningRate · g / (√cache +
 * epsilon), w += velocity.
 *
 * @param cache zeros before the first step; updated
 */
export function rmspropStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  cache: A,
  options: RmspropStepOptions<A>,
): StepSums {
  checkStepOptions(options, 'epsilon', 'decayRate', 'centered', 'mean', 'momentum', 'velocity')
  const epsilon = checkPositive('epsilon', options.epsilon ?? 1e-8)
  const decayRate = checkFraction('decayRate', options.decayRate ?? 0.9)
  const momentum = checkFraction('momentum', options.momentum ?? 0)
  const { mean, velocity } = options
  const means = checkBoolean('centered', options.centered ?? false) ? [mean] : []
  const velocities = momentum > 0 || velocity !== undefined ? [velocity] : []
  const name = `rmsprop${means.length ? '_centered' : ''}${velocities.length ? '_momentum' : ''}`
  const arrays = [gradient, parameters, cache, ...means, ...velocities]
  return step(name, arrays, options, { epsilon, decayRate, momentum })
}

/**
 * cache = decayRate · cache + (1 − decayRate) · g², change = √(changes + epsilon) / √(cache + epsilon) · g,
 * changes = decayRate · changes + (1 − decayRate) · change², w −= learningRate · change (Zeiler 2012, whose learning rate
 * is 1).
 *
 * @param slots zeros before the first step; updated
 */
export function adaDeltaStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  slots: { cache: A; changes: A },
  options: AdaDeltaStepOptions<A>,
): StepSums {
  checkOptions('slots', slots, ['cache', 'changes'])
  checkStepOptions(options, 'epsilon', 'decayRate')
  const epsilon = checkPositive('epsilon', options.epsilon ?? 1e-6)
  const decayRate = checkFraction('decayRate', options.decayRate ?? 0.9)
  return step('adadelta', [gradient, parameters, slots.cache, slots.changes], options, { epsilon, decayRate })
}
