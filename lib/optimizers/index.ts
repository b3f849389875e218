/** The optimizers: how a gradient g changes a weight w. */
import { checkBoolean, checkFraction, checkOptions, checkPositive } from '../checks.js'
import { GradusError } from '../errors.js'
import { common, type Optimizer, type OptimizerOptions, optimizer } from './optimizer.js'

export type { Optimizer, OptimizerOptions } from './optimizer.js'

export interface SgdOptions extends OptimizerOptions {
  /** How much of the velocity is kept; default 0. */
  momentum?: number
  /** Looks ahead to where the momentum leads (Nesterov 1983; Sutskever et al. 2013); default false. */
  nesterov?: boolean
}

export interface AdagradOptions extends OptimizerOptions {
  /** Added to the root, against division by zero; default 1e-8. */
  epsilon?: number
}

export interface RmspropOptions extends AdagradOptions {
  /** How much of the running mean of g² is kept; default 0.9. */
  decayRate?: number
}

export interface AdamOptions extends AdagradOptions {
  /** How much of the running mean of g is kept; default 0.9. */
  beta1?: number
  /** How much of the running mean of g² is kept; default 0.999. */
  beta2?: number
}

/**
 * Gradient descent on batches: w −= learningRate·g, learning rate 0.01 unless given. With momentum,
 * v = momentum·v − learningRate·g and w += v.
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  checkOptions('options', options, [...common, 'momentum', 'nesterov'])
  const momentum = checkFraction('momentum', options.momentum ?? 0)
  const nesterov = checkBoolean('nesterov', options.nesterov ?? false)
  if (nesterov && momentum === 0) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', 'nesterov: expected a positive momentum with it, received 0')
  }
  if (momentum === 0) return optimizer('sgd', options, 0.01, 'sgd', {})
  return optimizer('sgd', { ...options, momentum, nesterov }, 0.01, nesterov ? 'nesterov' : 'momentum', { momentum })
}

/**
 * Divides each step by the root of the sum of all g² so far, so that every weight has its own rate, which only falls
 * (Duchi et al. 2011). Learning rate 0.01 unless given.
 */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  checkOptions('options', options, [...common, 'epsilon'])
  const epsilon = checkPositive('epsilon', options.epsilon ?? 1e-8)
  return optimizer('adagrad', { ...options, epsilon }, 0.01, 'adagrad', { epsilon })
}

/**
 * Adagrad with a running mean in place of the sum, so that the rate need not fall (Tieleman and Hinton 2012). Learning
 * rate 0.001 unless given.
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  checkOptions('options', options, [...common, 'epsilon', 'decayRate'])
  const epsilon = checkPositive('epsilon', options.epsilon ?? 1e-8)
  const decayRate = checkFraction('decayRate', options.decayRate ?? 0.9)
  return optimizer('rmsprop', { ...options, epsilon, decayRate }, 1e-3, 'rmsprop', { epsilon, decayRate })
}

/**
 * Running means of g and of g², both corrected for their start at zero (Kingma and Ba 2015). Learning rate 0.001 unless
 * given.
 */
export function adam(options: AdamOptions = {}): Optimizer {
  checkOptions('options', options, [...common, 'epsilon', 'beta1', 'beta2'])
  const epsilon = checkPositive('epsilon', options.epsilon ?? 1e-8)
  const beta1 = checkFraction('beta1', options.beta1 ?? 0.9)
  const beta2 = checkFraction('beta2', options.beta2 ?? 0.999)
  const resolved = { ...options, epsilon, beta1, beta2 }
  return optimizer('adam', resolved, 1e-3, 'adam', { epsilon, momentum: beta1, decayRate: beta2 })
}

/** {@link adam} with decoupled weight decay, 0.01 unless given (Loshchilov and Hutter 2019). */
export function adamW(options: AdamOptions = {}): Optimizer {
  checkOptions('options', options, [...common, 'epsilon', 'beta1', 'beta2'])
  return adam({ ...options, weightDecay: options.weightDecay ?? 0.01 })
}
