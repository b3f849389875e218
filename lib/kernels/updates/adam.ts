/** Adam and its kin. Their corrections for a start at zero are those of native/engine/corrections.cc, to the bit. */
import { checkFraction, checkNotNegative, checkOptions, checkPositive, checkPositiveInteger } from '../../checks.js'
import type { FloatArray } from '../../native.js'
import { call } from '../call.js'
import type { AdagradStepOptions } from './adaptive.js'
import { checkStepOptions, type StepSums, step } from './step.js'

export interface AdamStepOptions<A extends FloatArray> extends AdagradStepOptions<A> {
  /** 1 for the first step: the bias correction depends on it. */
  step: number
  /** How much of the running mean of g is kept; default 0.9. */
  beta1?: number | undefined
  /** How much of the running mean of g² is kept; default 0.999. */
  beta2?: number | undefined
}

export interface NadamStepOptions<A extends FloatArray> extends AdamStepOptions<A> {
  /** Momentum begins at half and warms up: beta1 · (1 − 0.96^(step · momentumDecay) / 2); default 0.004. */
  momentumDecay?: number | undefined
}

/** Running means of g and of g², zeros before the first step; updated. */
export interface AdamSlots<A extends FloatArray> {
  firstMoment: A
  secondMoment: A
}

export interface AmsgradSlots<A extends FloatArray> extends AdamSlots<A> {
  /** Of all second moments so far, zeros before the first step; updated. */
  largestSecondMoment: A
}

function adamNumbers<A extends FloatArray>(options: AdamStepOptions<A>, ...own: string[]) {
  checkStepOptions(options, 'epsilon', 'step', 'beta1', 'beta2', ...own)
  const count = checkPositiveInteger('step', options.step)
  const momentum = checkFraction('beta1', options.beta1 ?? 0.9)
  const decayRate = checkFraction('beta2', options.beta2 ?? 0.999)
  return {
    momentum,
    decayRate,
    epsilon: checkPositive('epsilon', options.epsilon ?? 1e-8),
    correction1: 1 / (1 - power(momentum, count)),
    correction2: 1 / (1 - power(decayRate, count)),
  }
}

/** By squaring, as the engine does: the same bits. */
function power(base: number, exponent: number): number {
  let result = 1
  for (let square = base, left = exponent; left > 0; square *= square, left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square
  }
  return result
}

/**
 * One step of Adam (Kingma and Ba 2015), with bias correction; with `weightDecay` it is AdamW. With the running means m
 * and v of g and g², w −= learningRate · m / (1 − beta1^step) / (√(v / (1 − beta2^step)) + epsilon).
 *
 * @example
 * import { adamStep } from 'gradus/kernels'
 * const slots = { firstMoment: new Float32Array(n), secondMoment: new Float32Array(n) }
 * const { nonfinite } = adamStep(gradient, weights, slots, { step: 1, learningRate: 1e-3 })
 */
export function adamStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  slots: AdamSlots<A>,
  options: AdamStepOptions<A>,
): StepSums {
  checkOptions('slots', slots, ['firstMoment', 'secondMoment'])
  const arrays = [gradient, parameters, slots.firstMoment, slots.secondMoment]
  return step('adam', arrays, options, adamNumbers(options))
}

/** {@link adamStep} with the largest second moment so far in place of the second moment (Reddi, Kale and Kumar 2018). */
export function amsgradStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  slots: AmsgradSlots<A>,
  options: AdamStepOptions<A>,
): StepSums {
  checkOptions('slots', slots, ['firstMoment', 'secondMoment', 'largestSecondMoment'])
  const arrays = [gradient, parameters, slots.firstMoment, slots.secondMoment, slots.largestSecondMoment]
  return step('amsgrad', arrays, options, adamNumbers(options))
}

/**
 * {@link adamStep} that looks ahead (Dozat 2016): with μₖ the momentum of step k (see `momentumDecay`) and Πₖ the product
 * of the first k, its corrected m is μₜ₊₁ · m / (1 − Πₜ₊₁) + (1 − μₜ) · g / (1 − Πₜ).
 */
export function nadamStep<A extends FloatArray>(
  gradient: A,
  parameters: A,
  slots: AdamSlots<A>,
  options: NadamStepOptions<A>,
): StepSums {
  checkOptions('slots', slots, ['firstMoment', 'secondMoment'])
  const numbers = adamNumbers(options, 'momentumDecay')
  const decay = checkNotNegative('momentumDecay', options.momentumDecay ?? 0.004)
  const now = warmMomentum(options.step, numbers.momentum, decay)
  const next = warmMomentum(options.step + 1, numbers.momentum, decay)
  const product = momentumProduct(options.step, numbers.momentum, decay)
  return step('nadam', [gradient, parameters, slots.firstMoment, slots.secondMoment], options, {
    ...numbers,
    gradientShare: (1 - now) / (1 - product),
    correction1: next / (1 - product * next),
  })
}

function warmMomentum(t: number, momentum: number, decay: number): number {
  const logOfBase = -0.040821994520255166 // ln 0.96
  const power = new Float64Array(1)
  // The core's, not Math.exp: the same bits.
  call.exp!(Float64Array.of(t * decay * logOfBase), power)
  return momentum * (1 - 0.5 * power[0]!)
}

/** The last product, to go on from: the next step then takes one factor in place of all. */
const last = { t: 0, product: 1, momentum: Number.NaN, decay: Number.NaN }

function momentumProduct(t: number, momentum: number, decay: number): number {
  if (t < last.t || momentum !== last.momentum || decay !== last.decay) {
    Object.assign(last, { t: 0, product: 1, momentum, decay })
  }
  while (last.t < t) last.product *= warmMomentum(++last.t, momentum, decay)
  return last.product
}
