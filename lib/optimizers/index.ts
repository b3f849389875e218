/** The optimizers: how a gradient g changes a weight w. */
import {
  checkBoolean,
  checkFraction,
  checkNotNegative,
  checkOneOf,
  checkOptions,
  checkPositive,
  checkPositiveInteger,
} from '../checks.js'
import { GradusError } from '../errors.js'
import { common, type Optimizer, type OptimizerOptions, optimizer } from './optimizer.js'

export { type CustomOptimizerOptions, type CustomUpdate, customOptimizer } from './custom.js'
export type { ParameterGroup } from './groups.js'
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
  /** Divides by the running deviation of g in place of its root mean square (Graves 2013); default false. */
  centered?: boolean
  /** How much of a velocity of normalised gradients is kept; default 0: none. */
  momentum?: number
}

export interface AdaDeltaOptions extends AdagradOptions {
  /** How much of the running means is kept; default 0.9. */
  decayRate?: number
}

export interface AdamOptions extends AdagradOptions {
  /** How much of the running mean of g is kept; default 0.9. */
  beta1?: number
  /** How much of the running mean of g² is kept; default 0.999. */
  beta2?: number
  /** False: the simplified form that CS231n's notes begin with, whose first steps are too short. Default true. */
  biasCorrection?: boolean
  /** Divides by the largest second moment so far (Reddi, Kale and Kumar 2018); default false. */
  amsgrad?: boolean
  /**
   * `'bfloat16'` keeps both running means in two bytes each, rounded up or down at random so that small changes count in the
   * mean: 20 bytes a parameter and step in place of 28. Default `'float'`: the model's dtype.
   */
  slots?: 'float' | 'bfloat16'
}

export interface NadamOptions extends AdagradOptions {
  /** How much of the running mean of g is kept in the end; default 0.9. */
  beta1?: number
  /** How much of the running mean of g² is kept; default 0.999. */
  beta2?: number
  /** Momentum begins at half and warms up: beta1·(1 − 0.96^(t·momentumDecay) / 2); default 0.004. */
  momentumDecay?: number
}

export interface LionOptions extends OptimizerOptions {
  /** Share of the velocity in the direction of a step; default 0.9. */
  beta1?: number
  /** How much of the velocity is kept; default 0.99. */
  beta2?: number
}

export interface MuonOptions extends OptimizerOptions {
  /** How much of the velocity of a matrix is kept; default 0.95. */
  momentum?: number
  /** Looks ahead along it; default true. */
  nesterov?: boolean
  /** Steps of the iteration that makes a matrix orthogonal; default 5. */
  steps?: number
  /** How Adam moves what is no matrix: biases and gains. */
  adam?: {
    /** Default 3e-4. A schedule scales it as it does the other. */
    learningRate?: number
    /** Default 0.9. */
    beta1?: number
    /** Default 0.95. */
    beta2?: number
    /** Default 1e-8. */
    epsilon?: number
  }
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
  checkOptions('options', options, [...common, 'epsilon', 'decayRate', 'centered', 'momentum'])
  const epsilon = checkPositive('epsilon', options.epsilon ?? 1e-8)
  const decayRate = checkFraction('decayRate', options.decayRate ?? 0.9)
  const centered = checkBoolean('centered', options.centered ?? false)
  const momentum = checkFraction('momentum', options.momentum ?? 0)
  const kind = `rmsprop${centered ? '_centered' : ''}${momentum > 0 ? '_momentum' : ''}`
  const resolved = { ...options, epsilon, decayRate, centered, momentum }
  return optimizer('rmsprop', resolved, 1e-3, kind, { epsilon, decayRate, momentum: momentum || undefined })
}

/**
 * Steps in the weights' own unit: √(running mean of squared changes) / √(running mean of g²) · g, so that no rate need be
 * chosen (Zeiler 2012). Learning rate 1 unless given.
 */
export function adaDelta(options: AdaDeltaOptions = {}): Optimizer {
  checkOptions('options', options, [...common, 'epsilon', 'decayRate'])
  const epsilon = checkPositive('epsilon', options.epsilon ?? 1e-6)
  const decayRate = checkFraction('decayRate', options.decayRate ?? 0.9)
  return optimizer('adaDelta', { ...options, epsilon, decayRate }, 1, 'adadelta', { epsilon, decayRate })
}

/**
 * Running means of g and of g², both corrected for their start at zero (Kingma and Ba 2015). Learning rate 0.001 unless
 * given.
 */
export function adam(options: AdamOptions = {}): Optimizer {
  checkOptions('options', options, [...common, ...adamOptions])
  const epsilon = checkPositive('epsilon', options.epsilon ?? 1e-8)
  const beta1 = checkFraction('beta1', options.beta1 ?? 0.9)
  const beta2 = checkFraction('beta2', options.beta2 ?? 0.999)
  const biasCorrection = checkBoolean('biasCorrection', options.biasCorrection ?? true)
  const amsgrad = checkBoolean('amsgrad', options.amsgrad ?? false)
  const slots = checkOneOf('slots', options.slots ?? 'float', ['float', 'bfloat16'])
  if (amsgrad && slots === 'bfloat16') {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', "slots: expected 'float' with amsgrad, received 'bfloat16'")
  }
  const resolved = { ...options, epsilon, beta1, beta2, biasCorrection, amsgrad, slots }
  const own = { epsilon, momentum: beta1, decayRate: beta2, biasCorrection, bfloat16: slots === 'bfloat16' }
  return optimizer('adam', resolved, 1e-3, amsgrad ? 'amsgrad' : 'adam', own)
}

const adamOptions = ['epsilon', 'beta1', 'beta2', 'biasCorrection', 'amsgrad', 'slots'] as const

/** {@link adam} with decoupled weight decay, 0.01 unless given (Loshchilov and Hutter 2019). */
export const adamW = (options: AdamOptions = {}): Optimizer =>
  adam({ ...checked(options), weightDecay: options.weightDecay ?? 0.01 })

/** {@link adam} whose second moment never falls (Reddi, Kale and Kumar 2018). */
export const amsgrad = (options: Omit<AdamOptions, 'amsgrad'> = {}): Optimizer =>
  adam({ ...checked(options), amsgrad: true })

function checked<Options extends object>(options: Options): Options {
  checkOptions('options', options, [...common, ...adamOptions])
  return options
}

/** {@link adam} that looks ahead along its first moment, as Nesterov's momentum does (Dozat 2016). */
export function nadam(options: NadamOptions = {}): Optimizer {
  checkOptions('options', options, [...common, 'epsilon', 'beta1', 'beta2', 'momentumDecay'])
  const epsilon = checkPositive('epsilon', options.epsilon ?? 1e-8)
  const beta1 = checkFraction('beta1', options.beta1 ?? 0.9)
  const beta2 = checkFraction('beta2', options.beta2 ?? 0.999)
  const momentumDecay = checkNotNegative('momentumDecay', options.momentumDecay ?? 0.004)
  const own = { epsilon, momentum: beta1, decayRate: beta2, momentumDecay }
  return optimizer('nadam', { ...options, epsilon, beta1, beta2, momentumDecay }, 1e-3, 'nadam', own)
}

/**
 * Steps of one size along the sign of an interpolated velocity (Chen et al. 2023): wants a rate a third to a tenth of
 * Adam's and a weight decay as much larger. Learning rate 0.0001 unless given.
 */
export function lion(options: LionOptions = {}): Optimizer {
  checkOptions('options', options, [...common, 'beta1', 'beta2'])
  const beta1 = checkFraction('beta1', options.beta1 ?? 0.9)
  const beta2 = checkFraction('beta2', options.beta2 ?? 0.99)
  return optimizer('lion', { ...options, beta1, beta2 }, 1e-4, 'lion', { momentum: beta1, decayRate: beta2 })
}

/**
 * For matrices: momentum made orthogonal by a Newton–Schulz iteration, so that rare directions move as far as frequent ones
 * (Jordan et al. 2024, "Muon"); longer by √(outputs / inputs) where there are more outputs. Embeddings count as matrices;
 * biases and gains are moved by Adam. Learning rate 0.02 unless given.
 */
export function muon(options: MuonOptions = {}): Optimizer {
  checkOptions('options', options, [...common, 'momentum', 'nesterov', 'steps', 'adam'])
  const momentum = checkFraction('momentum', options.momentum ?? 0.95)
  const nesterov = checkBoolean('nesterov', options.nesterov ?? true)
  const steps = checkPositiveInteger('steps', options.steps ?? 5)
  const rate = checkPositive('learningRate', options.learningRate ?? 0.02)
  checkOptions('adam', options.adam ?? {}, ['learningRate', 'beta1', 'beta2', 'epsilon'])
  const { learningRate = 3e-4, beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8 } = options.adam ?? {}
  const others = {
    learningRate: checkNotNegative('adam.learningRate', learningRate),
    beta1: checkFraction('adam.beta1', beta1),
    beta2: checkFraction('adam.beta2', beta2),
    epsilon: checkPositive('adam.epsilon', epsilon),
  }
  return optimizer('muon', { ...options, momentum, nesterov, steps, adam: others }, 0.02, 'muon', {
    ...{ matrixMomentum: momentum, nesterov, orthogonalizationSteps: steps, adamMultiplier: learningRate / rate },
    ...{ momentum: beta1, decayRate: beta2, epsilon },
  })
}
