/** The check of any function's gradient. */
import { isFloat32Array, isFloat64Array } from 'node:util/types'
import { checkFunction } from '../../checks.js'
import { GradusError, invalidArgument } from '../../errors.js'
import { checkTensors } from './check-tensors.js'
import { type GradientCheckFunctionOptions, resolveFunctionOptions } from './options.js'
import { GradientReport } from './report.js'

/**
 * Compares a gradient with central differences of its function: for code of one's own. Both are called with copies of x.
 *
 * @param f - a smooth function of x; kinks are found only as far as differences do not settle
 * @param gradient - its derivative by each element of x
 * @param x - where
 * @returns a report with one entry in `parameters`, called `x`
 * @throws `GRADUS_INVALID_ARGUMENT`, `GRADUS_NON_FINITE` when f(x) is not finite, `GRADUS_NOT_DETERMINISTIC` when two
 * calls with the same x differ
 * @example
 * const f = (x) => x.reduce((sum, value) => sum + value ** 3, 0)
 * gradientCheckFunction(f, (x) => x.map((value) => 3 * value ** 2), [1, 2, 3]).verdict // 'satisfied'
 */
export function gradientCheckFunction(
  f: (x: Float64Array) => number,
  gradient: (x: Float64Array) => Float64Array,
  x: ArrayLike<number>,
  options: GradientCheckFunctionOptions = {},
): GradientReport {
  checkFunction('f', f)
  checkFunction('gradient', gradient)
  const sampling = resolveFunctionOptions(options)
  const at = checkPoint(x)
  const value = (point: Float64Array) => {
    const result = f(point)
    if (typeof result !== 'number') throw invalidArgument('f', 'a function that returns a number', result)
    return result
  }
  const base = value(at.slice())
  if (!Number.isFinite(base))
    throw new GradusError('GRADUS_NON_FINITE', `f(x): expected a finite number, received ${base}`)
  const analytic = checkGradient(gradient(at.slice()), at.length)
  const again = value(at.slice())
  if (again !== base) {
    const message = `f gives ${base} and then ${again} for the same x: fix its randomness first`
    throw new GradusError('GRADUS_NOT_DETERMINISTIC', message)
  }
  const check = checkTensors(
    {
      tensors: [{ name: 'x', size: at.length, depth: 1, terms: ['data'] }],
      gradient: () => analytic,
      scale: () => Math.abs(base),
      hasKinks: false,
    },
    sampling,
  )
  for (let next = check.next(); ; ) {
    if (next.done) return new GradientReport(next.value)
    const evaluations = next.value.map(({ element, offset }) => {
      const moved = at.slice()
      moved[element]! += offset
      return { data: value(moved), regularization: 0, kink: null }
    })
    next = check.next(evaluations)
  }
}

function checkPoint(x: unknown): Float64Array {
  if (!isOfNumbers(x)) throw invalidArgument('x', 'a Float64Array or an array of numbers', x)
  const at = Float64Array.from(x)
  if (!at.length) throw invalidArgument('x', 'at least one number', x)
  const bad = at.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) throw invalidArgument(`x[${bad}]`, 'a finite number', at[bad])
  return at
}

/** Holes and bigints are none. */
const isOfNumbers = (value: unknown): value is ArrayLike<number> =>
  (Array.isArray(value) || ArrayBuffer.isView(value)) &&
  Array.from(value as unknown as ArrayLike<unknown>).every((item) => typeof item === 'number')

function checkGradient(gradient: unknown, length: number): Float64Array {
  const isArray = Array.isArray(gradient) || isFloat64Array(gradient) || isFloat32Array(gradient)
  if (isArray && gradient.length === length && isOfNumbers(gradient)) return Float64Array.from(gradient)
  throw invalidArgument('gradient', `a function that returns ${length} numbers, one for each of x`, gradient)
}
