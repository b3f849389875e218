/** The optimizers: how a gradient g changes a weight w. */
import { factory } from '../call.js'
import { checkBoolean, checkFraction, checkNotNegative, checkPositive, checkPositiveInteger, oneOf } from '../checks.js'
import { GradusError } from '../errors.js'
import { optionsOf } from '../options.js'
import { common, type Optimizer, type OptimizerOptions, optimizer } from './optimizer.js'

export { type CustomOptimizerOptions, customOptimizer } from './custom.js'
export type { ParameterGroup } from './groups.js'
export type { CustomUpdate, Optimizer, OptimizerOptions } from './optimizer.js'
export type { NamePatterns } from './patterns.js'

export interface SgdOptions extends OptimizerOptions {
  /** How much of the velocity is kept; default 0. */
  momentum?: number | undefined
  /** Looks ahead to where the momentum leads (Nesterov 1983; Sutskever et al. 2013); default false. */
  nesterov?: boolean | undefined
}

export interface AdagradOptions extends OptimizerOptions {
  /** Added to the root, against division by zero; default 1e-8. */
  epsilon?: number | undefined
}

export interface RmspropOptions extends AdagradOptions {
  /** How much of the running mean of g² is kept; default 0.9. */
  decayRate?: number | undefined
  /** Divides by the running deviation of g in place of its root mean square (Graves 2013); default false. */
  centered?: boolean | undefined
  /** How much of a velocity of normalised gradients is kept; default 0: none. */
  momentum?: number | undefined
}

export interface AdaDeltaOptions extends AdagradOptions {
  /** How much of the running means is kept; default 0.9. */
  decayRate?: number | undefined
}

export interface AdamOptions extends AdagradOptions {
  /** How much of the running mean of g is kept; default 0.9. */
  beta1?: number | undefined
  /** How much of the running mean of g² is kept; default 0.999. */
  beta2?: number | undefined
  /** False: the simplified form that CS231n's notes begin with, whose first steps are too short. Default true. */
  biasCorrection?: boolean | undefined
  /** Divides by the largest second moment so far (Reddi, Kale and Kumar 2018); default false. */
  amsgrad?: boolean | undefined
  /**
   * `'bfloat16'` keeps both running means in two bytes each, rounded up or down at random so that small changes count in the
   * mean: 20 bytes a parameter and step in place of 28. Default `'float'`: the model's dtype.
   */
  slots?: 'float' | 'bfloat16' | undefined
}

export interface NadamOptions extends AdagradOptions {
  /** How much of the running mean of g is kept in the end; default 0.9. */
  beta1?: number | undefined
  /** How much of the running mean of g² is kept; default 0.999. */
  beta2?: number | undefined
  /** Momentum begins at half and warms up: beta1·(1 − 0.96^(t·momentumDecay) / 2); default 0.004. */
  momentumDecay?: number | undefined
}

export interface LionOptions extends OptimizerOptions {
  /** Share of the velocity in the direction of a step; default 0.9. */
  beta1?: number | undefined
  /** How much of the velocity is kept; default 0.99. */
  beta2?: number | undefined
}

export interface MuonOptions extends OptimizerOptions {
  /** How much of the velocity of a matrix is kept; default 0.95. */
  momentum?: number | undefined
  /** Looks ahead along it; default true. */
  nesterov?: boolean | undefined
  /** Steps of the iteration that makes a matrix orthogonal; default 5. */
  steps?: number | undefined
  /** How Adam moves what is no matrix: biases and gains. */
  adam?:
    | {
        /** Default 3e-4. A schedule scales it as it does the other. */
        learningRate?: number | undefined
        /** Default 0.9. */
        beta1?: number | undefined
        /** Default 0.95. */
        beta2?: number | undefined
        /** Default 1e-8. */
        epsilon?: number | undefined
      }
    | undefined
}

const readSgd = optionsOf<SgdOptions>()('sgd', {
  ...common(0.01),
  momentum: [checkFraction, 0],
  nesterov: [checkBoolean, false],
})

/**
 * Gradient descent on batches: w −= learningRate·g, learning rate 0.01 unless given. With momentum,
 * v = momentum·v − learningRate·g and w += v.
 * @function
 */
export const sgd = factory('sgd', 1, (options: SgdOptions = {}): Optimizer => {
  const { momentum, nesterov, ...shared } = readSgd(options)
  if (nesterov && momentum === 0) {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', 'nesterov: expected a positive momentum with it, received 0')
  }
  if (momentum === 0) return optimizer('sgd', shared, 'sgd', {})
  return optimizer('sgd', { ...shared, momentum, nesterov }, nesterov ? 'nesterov' : 'momentum', { momentum })
})

const readAdagrad = optionsOf<AdagradOptions>()('adagrad', { ...common(0.01), epsilon: [checkPositive, 1e-8] })

/**
 * Divides each step by the root of the sum of all g² so far, so that every weight has its own rate, which only falls
 * (Duchi et al. 2011). Learning rate 0.01 unless given.
 * @function
 */
export const adagrad = factory('adagrad', 1, (options: AdagradOptions = {}): Optimizer => {
  const resolved = readAdagrad(options)
  return optimizer('adagrad', resolved, 'adagrad', { epsilon: resolved.epsilon })
})

const readRmsprop = optionsOf<RmspropOptions>()('rmsprop', {
  ...common(1e-3),
  epsilon: [checkPositive, 1e-8],
  decayRate: [checkFraction, 0.9],
  centered: [checkBoolean, false],
  momentum: [checkFraction, 0],
})

/**
 * Adagrad with a running mean in place of the sum, so that the rate need not fall (Tieleman and Hinton 2012). Learning
 * rate 0.001 unless given.
 * @function
 */
export const rmsprop = factory('rmsprop', 1, (options: RmspropOptions = {}): Optimizer => {
  const resolved = readRmsprop(options)
  const { epsilon, decayRate, centered, momentum } = resolved
  const kind = `rmsprop${centered ? '_centered' : ''}${momentum > 0 ? '_momentum' : ''}`
  return optimizer('rmsprop', resolved, kind, { epsilon, decayRate, momentum: momentum || undefined })
})

const readAdaDelta = optionsOf<AdaDeltaOptions>()('adaDelta', {
  ...common(1),
  epsilon: [checkPositive, 1e-6],
  decayRate: [checkFraction, 0.9],
})

/**
 * Steps in the weights' own unit: √(running mean of squared changes) / √(running mean of g²) · g, so that no rate need be
 * chosen (Zeiler 2012). Learning rate 1 unless given.
 * @function
 */
export const adaDelta = factory('adaDelta', 1, (options: AdaDeltaOptions = {}): Optimizer => {
  const resolved = readAdaDelta(options)
  const { epsilon, decayRate } = resolved
  return optimizer('adaDelta', resolved, 'adadelta', { epsilon, decayRate })
})

const adamRules = {
  ...common(1e-3),
  epsilon: [checkPositive, 1e-8],
  beta1: [checkFraction, 0.9],
  beta2: [checkFraction, 0.999],
  biasCorrection: [checkBoolean, true],
  amsgrad: [checkBoolean, false],
  slots: [oneOf('float', 'bfloat16'), 'float'],
} as const
const readAdam = optionsOf<AdamOptions>()('adam', adamRules)

/**
 * Running means of g and of g², both corrected for their start at zero (Kingma and Ba 2015). Learning rate 0.001 unless
 * given.
 * @function
 */
export const adam = factory('adam', 1, (options: AdamOptions = {}): Optimizer => adamOf(readAdam(options)))

function adamOf(resolved: ReturnType<typeof readAdam>): Optimizer {
  const { epsilon, beta1, beta2, biasCorrection, amsgrad, slots } = resolved
  if (amsgrad && slots === 'bfloat16') {
    throw new GradusError('GRADUS_INVALID_ARGUMENT', "slots: expected 'float' with amsgrad, received 'bfloat16'")
  }
  const own = { epsilon, momentum: beta1, decayRate: beta2, biasCorrection, bfloat16: slots === 'bfloat16' }
  return optimizer('adam', resolved, amsgrad ? 'amsgrad' : 'adam', own)
}

const readAdamW = optionsOf<AdamOptions>()('adamW', { ...adamRules, weightDecay: [checkNotNegative, 0.01] })

/** {@link adam} with decoupled weight decay, 0.01 unless given (Loshchilov and Hutter 2019). @function */
export const adamW = factory('adamW', 1, (options: AdamOptions = {}): Optimizer => adamOf(readAdamW(options)))

const { amsgrad: _, ...amsgradRules } = adamRules
const readAmsgrad = optionsOf<Omit<AdamOptions, 'amsgrad'>>()('amsgrad', amsgradRules)

/** {@link adam} whose second moment never falls (Reddi, Kale and Kumar 2018). @function */
export const amsgrad = factory(
  'amsgrad',
  1,
  (options: Omit<AdamOptions, 'amsgrad'> = {}): Optimizer => adamOf({ ...readAmsgrad(options), amsgrad: true }),
)

const readNadam = optionsOf<NadamOptions>()('nadam', {
  ...common(1e-3),
  epsilon: [checkPositive, 1e-8],
  beta1: [checkFraction, 0.9],
  beta2: [checkFraction, 0.999],
  momentumDecay: [checkNotNegative, 0.004],
})

/** {@link adam} that looks ahead along its first moment, as Nesterov's momentum does (Dozat 2016). @function */
export const nadam = factory('nadam', 1, (options: NadamOptions = {}): Optimizer => {
  const resolved = readNadam(options)
  const { epsilon, beta1, beta2, momentumDecay } = resolved
  return optimizer('nadam', resolved, 'nadam', { epsilon, momentum: beta1, decayRate: beta2, momentumDecay })
})

const readLion = optionsOf<LionOptions>()('lion', {
  ...common(1e-4),
  beta1: [checkFraction, 0.9],
  beta2: [checkFraction, 0.99],
})

/**
 * Steps of one size along the sign of an interpolated velocity (Chen et al. 2023): wants a rate a third to a tenth of
 * Adam's and a weight decay as much larger. Learning rate 0.0001 unless given.
 * @function
 */
export const lion = factory('lion', 1, (options: LionOptions = {}): Optimizer => {
  const resolved = readLion(options)
  return optimizer('lion', resolved, 'lion', { momentum: resolved.beta1, decayRate: resolved.beta2 })
})

const readOthers = optionsOf<NonNullable<MuonOptions['adam']>>()('adam', {
  learningRate: [checkNotNegative, 3e-4],
  beta1: [checkFraction, 0.9],
  beta2: [checkFraction, 0.95],
  epsilon: [checkPositive, 1e-8],
})
const readMuon = optionsOf<MuonOptions>()('muon', {
  ...common(0.02),
  learningRate: [checkPositive, 0.02],
  momentum: [checkFraction, 0.95],
  nesterov: [checkBoolean, true],
  steps: [checkPositiveInteger, 5],
  adam: (argument, options) => readOthers(options as MuonOptions['adam'], argument),
})

/**
 * For matrices: momentum made orthogonal by a Newton–Schulz iteration, so that rare directions move as far as frequent ones
 * (Jordan et al. 2024, "Muon"); longer by √(outputs / inputs) where there are more outputs. Embeddings count as matrices, and
 * filters as one of (kernel height · kernel width · inputs, filters); biases and gains are moved by Adam. Learning rate 0.02 unless given.
 * The weights of the last layer, whose length nothing bounds, usually want shorter updates:
 * `groups: [{ parameters: 'scores', learningRateMultiplier: 0.05 }]`.
 * @function
 */
export const muon = factory('muon', 1, (options: MuonOptions = {}): Optimizer => {
  const { adam = readOthers({}), ...resolved } = readMuon(options)
  const { learningRate, momentum, nesterov, steps } = resolved
  const { beta1, beta2, epsilon, learningRate: rateOfOthers = 3e-4 } = adam
  return optimizer('muon', { ...resolved, adam }, 'muon', {
    ...{ matrixMomentum: momentum, nesterov, orthogonalizationSteps: steps },
    ...{ adamMultiplier: rateOfOthers / learningRate, momentum: beta1, decayRate: beta2, epsilon },
  })
})
