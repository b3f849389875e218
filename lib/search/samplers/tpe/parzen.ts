/**
 * A density that follows points: a mixture of a kernel at each and of one over everything, each kernel a product over the
 * columns (Bergstra et al. 2011; Watanabe 2023, "Tree-structured Parzen estimator"). Widths, their limits and weights are
 * those of Optuna 5.
 */

import { CategoryColumn } from './category-column.js'
import { NumberColumn } from './number-column.js'

/** What a column holds: units, of cells with the stretch that each has, or categories. */
export type Column =
  | { readonly kind: 'number'; readonly cells: Stretches | null }
  | { readonly kind: 'category'; readonly size: number }

/** Neighbouring stretches of 0 … 1. */
export interface Stretches {
  readonly edge: (index: number) => number
  readonly indexAt: (unit: number) => number
}

/** Points by column, all as long: units or categories. */
export type Observations = readonly Float64Array[]

/** Newest points that count fully; older ones the less, the older. */
const full = 25

/** Of points in their order, oldest first, and the kernel over everything at the end; their sum is 1. */
export function kernelWeights(count: number): Float64Array {
  const weights = new Float64Array(count + 1).fill(1)
  const ramp = count - full
  for (let i = 0; i < ramp; i++) weights[i] = ramp === 1 ? 1 / count : 1 / count + ((1 - 1 / count) * i) / (ramp - 1)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}

export class ParzenEstimator {
  readonly #weights: Float64Array
  readonly #columns: readonly (NumberColumn | CategoryColumn)[]
  /** Of each kernel, its weight and what its columns are scaled by, as a logarithm. */
  readonly #constants: Float64Array
  readonly #exponents: Float64Array
  readonly #factors: Float64Array

  constructor(columns: readonly Column[], observations: Observations, count: number) {
    this.#weights = kernelWeights(count)
    this.#columns = columns.map((column, i) =>
      column.kind === 'number'
        ? new NumberColumn(observations[i]!, count, column.cells)
        : new CategoryColumn(observations[i]!, count, column.size),
    )
    this.#constants = this.#weights.map(Math.log)
    for (const column of this.#columns) column.addConstants(this.#constants)
    this.#exponents = new Float64Array(count + 1)
    this.#factors = new Float64Array(count + 1)
  }

  /** A point of the density: units, of cells their middle, and categories. */
  sample(draw: () => number): Float64Array {
    const kernel = pick(this.#weights, draw())
    return Float64Array.from(this.#columns, (column) => column.sample(kernel, draw()))
  }

  /** The logarithm of the density at a point; of cells, of the share that falls into the cell. */
  logDensity(point: Float64Array): number {
    const [exponents, factors] = [this.#exponents, this.#factors]
    exponents.set(this.#constants)
    factors.fill(1)
    for (const [i, column] of this.#columns.entries()) column.apply(point[i]!, exponents, factors)
    let highest = -Infinity
    for (let k = 0; k < exponents.length; k++) highest = Math.max(highest, exponents[k]!)
    // No factor of the kernel over everything is ever 0 by rounding, so neither is the sum.
    let sum = 0
    for (let k = 0; k < exponents.length; k++) sum += factors[k]! * Math.exp(exponents[k]! - highest)
    return highest + Math.log(sum)
  }
}

/** Which of the shares, laid end to end, a number in [0, 1) falls on. */
export function pick(shares: Float64Array, draw: number): number {
  let end = 0
  for (let i = 0; i < shares.length; i++) {
    end += shares[i]!
    if (draw < end) return i
  }
  return shares.length - 1
}
