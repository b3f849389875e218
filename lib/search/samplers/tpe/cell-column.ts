/** One column of kernels over cells of 0 … 1: what of a normal density falls into each. */
import { cumulative, rootOfTwoPi } from '../../../normal.js'
import { deviationsOf } from './deviations.js'
import type { Stretches } from './parzen.js'
import { drawWithin, shareWithin } from './truncated.js'

export class CellColumn {
  readonly #inverses: Float64Array
  readonly #withins: Float64Array
  /** Of each kernel what falls into a cell, by cell: candidates often share them. */
  readonly #masses = new Map<number, Float64Array>()

  /** @param means the units, and 0.5 behind them for the kernel over everything */
  constructor(
    private readonly means: Float64Array,
    private readonly cells: Stretches,
  ) {
    const deviations = new Float64Array(means.length)
    deviationsOf(means, means.length - 1, deviations)
    this.#inverses = deviations.map((deviation) => 1 / deviation)
    this.#withins = means.map((mean, k) => shareWithin(mean, this.#inverses[k]!))
  }

  /** The middle of a cell. */
  sample(kernel: number, draw: number): number {
    const index = this.cells.indexAt(drawWithin(this.means[kernel]!, this.#inverses[kernel]!, draw))
    return (this.cells.edge(index) + this.cells.edge(index + 1)) / 2
  }

  /** Multiplies what of each kernel falls into the cell of a unit. */
  multiply(unit: number, factors: Float64Array): void {
    const masses = this.#massesAt(this.cells.indexAt(unit))
    for (let k = 0; k < factors.length; k++) factors[k]! *= masses[k]!
  }

  #massesAt(index: number): Float64Array {
    const known = this.#masses.get(index)
    if (known) return known
    const [low, high] = [this.cells.edge(index), this.cells.edge(index + 1)]
    const masses = this.means.map((mean, k) => {
      const inverse = this.#inverses[k]!
      return massBetween((low - mean) * inverse, (high - mean) * inverse) / this.#withins[k]!
    })
    this.#masses.set(index, masses)
    return masses
  }
}

/** The share of a standard normal distribution between a and b, a < b, to 11 digits where it is no less than 1e-300. */
function massBetween(a: number, b: number): number {
  const width = b - a
  const middle = 0.5 * (a + b)
  const reach = width * (1 + Math.abs(middle))
  if (reach < 0.3) {
    // The density's Taylor series about the middle, integrated: Σ widthⁿ Heₙ(z) / (2ⁿ (n + 1)!), even n.
    const square = width * width
    const z2 = middle * middle
    const he4 = (z2 - 6) * z2 + 3
    const he6 = ((z2 - 15) * z2 + 45) * z2 - 15
    const series = 1 + square * ((z2 - 1) / 24 + square * (he4 / 1920 + (square * he6) / 322560))
    return ((width * Math.exp(-0.5 * z2)) / rootOfTwoPi) * series
  }
  if (a > 0) return cumulative(-a) - cumulative(-b)
  return b < 0 ? cumulative(b) - cumulative(a) : 1 - cumulative(a) - cumulative(-b)
}
