/** One column of kernels over categories: each has most of its share on its own, the rest evenly on all. */
import { pick } from './parzen.js'

export class CategoryColumn {
  /** The share that a kernel gives a category which is not its own, and its own one. */
  readonly #other: number
  readonly #own: number

  constructor(
    private readonly categories: Float64Array,
    private readonly count: number,
    private readonly size: number,
  ) {
    const kernels = count + 1
    const sum = 1 + size / kernels
    this.#other = 1 / kernels / sum
    this.#own = (1 + 1 / kernels) / sum
  }

  addConstants(_constants: Float64Array): void {}

  sample(kernel: number, draw: number): number {
    if (kernel === this.count) return Math.min(this.size - 1, Math.floor(draw * this.size))
    const shares = new Float64Array(this.size).fill(this.#other)
    shares[this.categories[kernel]!] = this.#own
    return pick(shares, draw)
  }

  apply(category: number, _exponents: Float64Array, factors: Float64Array): void {
    for (let k = 0; k < this.count; k++) factors[k]! *= this.categories[k] === category ? this.#own : this.#other
    factors[this.count]! *= 1 / this.size
  }
}
