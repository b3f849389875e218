/**
 * A density that follows points: a mixture of a kernel at each and of one over everything, each kernel a product over the
 * columns (Bergstra et al. 2011; Watanabe 2023, "Tree-structured Parzen estimator"). Widths, their limits and weights are
 * those of Optuna 5.
 */

import { CategoryColumn } from './category-column.js'
import { CellColumn } from './cell-column.js'
import { RealColumns } from './real-columns.js'

/** What a column holds: units, of cells with the stretch that each has, or categories. */
export type Column =
  | { readonly kind: 'number'; readonly cells: Stretches | null }
  | { readonly kind: 'category'; readonly size: number }

/** Neighbouring stretches of 0 … 1. */
export interface Stretches {
  readonly edge: (index: number) => number
  readonly indexAt: (unit: number) => number
}

/** Newest points that count fully; older ones the less, the older. */
const full = 25

/** Of points in their order, oldest first, and the kernel over everything at the end; their sum is 1. */
export function kernelWeights(count: number): Float64Array {
  const weights = new Float64Array(count + 1).fill(1)
  const ramp = count - full
  let sum = Math.min(count, full) + 1
  for (let i = 0; i < ramp; i++) {
    weights[i] = ramp === 1 ? 1 / count : 1 / count + ((1 - 1 / count) * i) / (ramp - 1)
    sum += weights[i]!
  }
  for (let i = 0; i <= count; i++) weights[i]! /= sum
  return weights
}

/** A kernel whose density is e^-40 of another's changes no digit of their sum. */
const mostBelow = 40

export class ParzenEstimator {
  /** By place in a point: the column of cells or categories; of reals, which of them it is. */
  readonly #columns: readonly (CellColumn | CategoryColumn | number)[]
  readonly #weights: Float64Array
  readonly #reals: RealColumns
  /** Columns of cells and categories, each with its place in a point. */
  readonly #shares: readonly (readonly [place: number, column: CellColumn | CategoryColumn])[]
  readonly #factors: Float64Array

  /** @param observations the points by column: units or categories, and 0.5 behind them */
  constructor(columns: readonly Column[], observations: readonly Float64Array[], count: number) {
    this.#weights = kernelWeights(count)
    const reals: number[] = []
    this.#columns = columns.map((column, place) => {
      const own = observations[place]!
      if (column.kind === 'category') return new CategoryColumn(own, column.size)
      return column.cells ? new CellColumn(own, column.cells) : reals.push(place) - 1
    })
    this.#reals = new RealColumns(Uint32Array.from(reals), observations, this.#weights)
    this.#shares = this.#columns.flatMap((column, place) => (typeof column === 'number' ? [] : [[place, column]]))
    this.#factors = new Float64Array(count + 1).fill(1)
  }

  /** Puts a point of the density among others, from `at` on: units, of cells their middle, and categories. */
  sample(draw: () => number, points: Float64Array, at: number): void {
    const kernel = pick(this.#weights, draw())
    for (let place = 0; place < this.#columns.length; place++) {
      const column = this.#columns[place]!
      const isReal = typeof column === 'number'
      points[at + place] = isReal ? this.#reals.sample(kernel, column, draw()) : column.sample(kernel, draw())
    }
  }

  /** The logarithms of the density at points, a row each; of cells, of the share that falls into the cell. */
  logDensities(points: Float64Array): Float64Array {
    const width = this.#columns.length
    const densities = this.#reals.logDensities(points, width)
    const count = this.#factors.length
    const sums = new Float64Array(points.length / width)
    for (let i = 0; i < sums.length; i++) {
      if (this.#shares.length > 0) this.#factors.fill(1)
      for (const [place, column] of this.#shares) column.multiply(points[i * width + place]!, this.#factors)
      sums[i] = this.#logSum(densities, i * count)
    }
    return sums
  }

  /** log Σ factor · e^density over all kernels, whose densities begin at `from`. */
  #logSum(densities: Float64Array, from: number): number {
    const factors = this.#factors
    // No factor of the last one, that over everything, is ever 0 by rounding: it says what is too little to count.
    const last = factors.length - 1
    let highest = densities[from + last]!
    const least = highest + Math.log(factors[last]!) - mostBelow
    for (let k = 0; k < last; k++) if (densities[from + k]! > highest) highest = densities[from + k]!
    let sum = 0
    for (let k = 0; k <= last; k++) {
      const density = densities[from + k]!
      if (density >= least) sum += factors[k]! * Math.exp(density - highest)
    }
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
