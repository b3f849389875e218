/** L-BFGS: a quasi-Newton method for smooth functions of many variables. */

import { setImmediate as nextTick } from 'node:timers/promises'
import { isFloat64Array } from 'node:util/types'
import { checkFraction, checkFunction, checkNotNegative, checkPositiveInteger } from '../../checks.js'
import { GradusError, invalidArgument } from '../../errors.js'
import { optionsOf } from '../../options.js'
import { checkSignal } from '../calls.js'
import { addScaled, dot, norm } from '../vectors.js'
import { type LinePoint, strongWolfe } from './line-search.js'
import { Memory } from './memory.js'

/** A function's value and its gradient at a point. The gradient is copied. */
export interface ValueAndGradient {
  value: number
  gradient: Float64Array
}

/** Where one iteration has led. */
export interface Iteration {
  /** From 1. */
  iteration: number
  x: Float64Array
  value: number
  gradientNorm: number
  /** The length of the step, in lengths of the direction. */
  step: number
}

export interface MinimizeOptions {
  /** Steps that are remembered; each takes two vectors. Default 10. */
  memory?: number | undefined
  /** Ends where ‖gradient‖₂ is no larger; default 1e-8. */
  gradientTolerance?: number | undefined
  /** Default 1000. */
  maxIterations?: number | undefined
  /** Each step lowers the value by at least c1 times what the slope promises; default 1e-4. */
  c1?: number | undefined
  /** Each step leaves at most c2 of the slope; over c1 and below 1, default 0.9. */
  c2?: number | undefined
  /** Called after each iteration; `x` is a copy. */
  onIteration?: ((iteration: Iteration) => void) | undefined
  /** Ends the work; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

export interface Minimum {
  x: Float64Array
  value: number
  gradientNorm: number
  iterations: number
  /** Of the function. */
  evaluations: number
  /**
   * `'gradient'`: it is small enough. `'iterations'`: there were as many as allowed. `'lineSearch'`: no step lowers the
   * value as it should, because of rounding or because the gradient is not that of the function.
   */
  stoppedBy: 'gradient' | 'iterations' | 'lineSearch'
  /** Why it stopped, in a sentence. */
  message: string
}

/**
 * Minimizes a smooth function by L-BFGS (Nocedal 1980; Liu and Nocedal 1989) with a line search for the strong Wolfe
 * conditions: Nocedal and Wright, "Numerical Optimization", algorithms 7.5, 3.5 and 3.6.
 *
 * @param f - gives value and gradient at x, or a promise of them; it must not keep x
 * @param x0 - where to begin; it is copied
 * @throws `GRADUS_INVALID_ARGUMENT`, `GRADUS_NON_FINITE` when value or gradient are not finite at x0
 * @example
 * const bowl = (x) => ({ value: x[0] ** 2, gradient: Float64Array.of(2 * x[0]) })
 * const { x, value } = await minimize(bowl, Float64Array.of(3))
 */
export async function minimize(
  f: (x: Float64Array) => ValueAndGradient | Promise<ValueAndGradient>,
  x0: Float64Array,
  options: MinimizeOptions = {},
): Promise<Minimum> {
  checkFunction('f', f)
  if (!isFloat64Array(x0)) throw invalidArgument('x0', 'a Float64Array', x0)
  const settings = readOptions(options)
  checkWolfe(settings)
  return new Minimization(f, settings).run(x0.slice())
}

/** Of {@link MinimizeOptions}, for lists of options. */
export const minimizeRules = {
  memory: [checkPositiveInteger, 10],
  gradientTolerance: [checkNotNegative, 1e-8],
  maxIterations: [checkPositiveInteger, 1000],
  c1: [checkFraction, 1e-4],
  c2: [checkFraction, 0.9],
  onIteration: checkFunction<NonNullable<MinimizeOptions['onIteration']>>,
  signal: checkSignal,
} as const
const readOptions = optionsOf<MinimizeOptions>()('minimize', minimizeRules)
type MinimizeSettings = ReturnType<typeof readOptions>

export function checkWolfe({ c1, c2 }: Pick<MinimizeSettings, 'c1' | 'c2'>): void {
  if (c1 === 0) throw invalidArgument('c1', 'a number over 0', c1)
  if (c2 <= c1) throw invalidArgument('c2', `a number over c1 = ${c1}`, c2)
}

interface Point extends LinePoint {
  readonly x: Float64Array
  readonly gradient: Float64Array
}

class Minimization {
  readonly #memory: Memory
  #evaluations = 0

  constructor(
    private readonly f: (x: Float64Array) => ValueAndGradient | Promise<ValueAndGradient>,
    private readonly settings: MinimizeSettings,
  ) {
    this.#memory = new Memory(settings.memory)
  }

  async run(x0: Float64Array): Promise<Minimum> {
    const { gradientTolerance, maxIterations, onIteration, signal } = this.settings
    signal?.throwIfAborted()
    let at = await this.#evaluate(x0, 0, null)
    if (!Number.isFinite(at.value) || !at.gradient.every(Number.isFinite)) {
      throw new GradusError('GRADUS_NON_FINITE', 'x0: value or gradient are not finite there')
    }
    for (let iteration = 0; ; ) {
      const gradientNorm = norm(at.gradient)
      if (gradientNorm <= gradientTolerance) return this.#end(at, iteration, 'gradient')
      if (iteration === maxIterations) return this.#end(at, iteration, 'iterations')
      const next = await this.#next(at, gradientNorm)
      if (!next) return this.#end(at, iteration, 'lineSearch')
      const { x, value, gradient, step } = next
      this.#memory.add(difference(x, at.x), difference(gradient, at.gradient))
      at = next
      iteration++
      onIteration?.({ iteration, x: x.slice(), value, gradientNorm: norm(gradient), step })
      await nextTick() // so that a signal is heard
      signal?.throwIfAborted()
    }
  }

  /** A step along the direction that the memory tells of; where that fails, along the gradient. */
  async #next(at: Point, gradientNorm: number): Promise<Point | null> {
    for (;;) {
      const wasEmpty = this.#memory.isEmpty
      const direction = await this.#memory.direction(at.gradient)
      const start = { step: 0, value: at.value, slope: dot(at.gradient, direction) }
      const firstStep = wasEmpty ? Math.min(1, 1 / gradientNorm) : 1
      const found = start.slope < 0 ? await this.#search(at, direction, start, firstStep) : null
      if (found || wasEmpty) return found
      this.#memory.forget()
    }
  }

  #search(at: Point, direction: Float64Array, start: LinePoint, firstStep: number): Promise<Point | null> {
    const evaluate = (step: number) => {
      const x = at.x.slice()
      addScaled(x, step, direction)
      return this.#evaluate(x, step, direction)
    }
    return strongWolfe(evaluate, start, firstStep, this.settings)
  }

  async #evaluate(x: Float64Array, step: number, direction: Float64Array | null): Promise<Point> {
    this.#evaluations++
    const result = await this.f(x)
    this.settings.signal?.throwIfAborted()
    const { value, gradient } = result ?? {}
    if (typeof value !== 'number') throw invalidArgument('value (of f)', 'a number', value)
    if (!isFloat64Array(gradient) || gradient.length !== x.length) {
      throw invalidArgument('gradient (of f)', `a Float64Array of length ${x.length}`, gradient)
    }
    return { x, value, gradient: gradient.slice(), step, slope: direction ? dot(gradient, direction) : 0 }
  }

  #end({ x, value, gradient }: Point, iterations: number, stoppedBy: Minimum['stoppedBy']): Minimum {
    const gradientNorm = norm(gradient)
    const size = `the gradient's norm is ${gradientNorm.toPrecision(3)} after ${iterations} iterations`
    const reasons = {
      gradient: `Converged: ${size}.`,
      iterations: `Stopped at maxIterations: ${size}.`,
      lineSearch: `Stopped: no step lowers the value as it should, ${size}. Either rounding hides what is left to gain, or the gradient is not that of the function.`,
    }
    const evaluations = this.#evaluations
    return { x, value, gradientNorm, iterations, evaluations, stoppedBy, message: reasons[stoppedBy] }
  }
}

const difference = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x - b[i]!)
