/** One column of kernels over 0 … 1: normal densities cut off at the ends, or what of them falls into cells. */
import { cumulative, logRootOfTwoPi, quantile, rootOfTwoPi } from '../../../normal.js'
import type { Stretches } from './parzen.js'

/** Deviations beyond which less than rounding is left of a normal distribution. */
const beyond = 9

export class NumberColumn {
  readonly #means: Float64Array
  readonly #deviations: Float64Array
  readonly #inverses: Float64Array
  /** Of each kernel the share below 0, and that between 0 and 1. */
  readonly #below: Float64Array
  readonly #within: Float64Array
  /** Of each kernel what falls into a cell, by cell: candidates often share them. */
  readonly #masses = new Map<number, Float64Array>()

  constructor(
    units: Float64Array,
    count: number,
    private readonly cells: Stretches | null,
  ) {
    const kernels = count + 1
    this.#means = new Float64Array(kernels)
    this.#means.set(units)
    this.#means[count] = 0.5
    this.#deviations = deviationsOf(units, count)
    this.#inverses = this.#deviations.map((deviation) => 1 / deviation)
    this.#below = new Float64Array(kernels)
    this.#within = new Float64Array(kernels)
    for (let k = 0; k < kernels; k++) {
      const inverse = this.#inverses[k]!
      const [low, high] = [this.#means[k]! * inverse, (1 - this.#means[k]!) * inverse]
      this.#below[k] = low > beyond ? 0 : cumulative(-low)
      this.#within[k] = 1 - this.#below[k]! - (high > beyond ? 0 : cumulative(-high))
    }
  }

  addConstants(constants: Float64Array): void {
    if (this.cells) return
    for (let k = 0; k < constants.length; k++) {
      constants[k]! -= logRootOfTwoPi + Math.log(this.#deviations[k]! * this.#within[k]!)
    }
  }

  sample(kernel: number, draw: number): number {
    const share = this.#below[kernel]! + draw * this.#within[kernel]!
    const unit = this.#means[kernel]! + this.#deviations[kernel]! * quantile(Math.max(share, Number.MIN_VALUE))
    const inside = Math.max(0, Math.min(1, unit))
    if (!this.cells) return inside
    const index = this.cells.indexAt(inside)
    return (this.cells.edge(index) + this.cells.edge(index + 1)) / 2
  }

  apply(unit: number, exponents: Float64Array, factors: Float64Array): void {
    if (this.cells) {
      const masses = this.#massesAt(this.cells.indexAt(unit), this.cells)
      for (let k = 0; k < factors.length; k++) factors[k]! *= masses[k]!
      return
    }
    for (let k = 0; k < exponents.length; k++) {
      const z = (unit - this.#means[k]!) * this.#inverses[k]!
      exponents[k]! -= 0.5 * z * z
    }
  }

  #massesAt(index: number, cells: Stretches): Float64Array {
    const known = this.#masses.get(index)
    if (known) return known
    const [low, high] = [cells.edge(index), cells.edge(index + 1)]
    const masses = new Float64Array(this.#means.length)
    for (let k = 0; k < masses.length; k++) {
      const [mean, inverse] = [this.#means[k]!, this.#inverses[k]!]
      masses[k] = massBetween((low - mean) * inverse, (high - mean) * inverse) / this.#within[k]!
    }
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

/**
 * The distance to the further of the two neighbours; the outermost have only one. Never more than the range, and never
 * less than a hundredth of it, or than its share if that many kernels lay evenly.
 */
function deviationsOf(units: Float64Array, count: number): Float64Array {
  const deviations = new Float64Array(count + 1).fill(1)
  if (count === 1) deviations[0] = Math.max(units[0]!, 1 - units[0]!)
  const least = 1 / Math.min(100, count + 2)
  const order = ascending(units, count)
  for (let i = 0; i < count && count > 1; i++) {
    const unit = units[order[i]!]!
    const before = i > 0 ? unit - units[order[i - 1]!]! : 0
    const after = i + 1 < count ? units[order[i + 1]!]! - unit : 0
    deviations[order[i]!] = Math.max(before, after)
  }
  for (let k = 0; k < count; k++) deviations[k] = Math.max(least, Math.min(1, deviations[k]!))
  return deviations
}

/** The order of numbers between 0 and 1, equal ones as they come: into buckets, and what is out of order moved down. */
function ascending(units: Float64Array, count: number): Uint32Array {
  const starts = new Uint32Array(count + 1)
  const bucketOf = (unit: number) => Math.min(count - 1, Math.floor(unit * count))
  for (let i = 0; i < count; i++) starts[bucketOf(units[i]!) + 1]!++
  for (let i = 0; i < count; i++) starts[i + 1]! += starts[i]!
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[starts[bucketOf(units[i]!)]!++] = i
  for (let i = 1; i < count; i++) {
    const moving = order[i]!
    const unit = units[moving]!
    let to = i
    for (; to > 0 && units[order[to - 1]!]! > unit; to--) order[to] = order[to - 1]!
    order[to] = moving
  }
  return order
}
