/** One column of kernels over categories: each has most of its share on its own, the rest evenly on all. */
import { pick } from './parzen.js'

export class CategoryColumn {
  /** The share that a kernel gives a category which is not its own, and its own one. */
  readonly #other: number
  readonly #own: number

  readonly #last: number

  /** @param categories of the points, and anything behind them for the kernel over everything */
  constructor(
    private readonly categories: Float64Array,
    private readonly size: number,
  ) {
    const kernels = categories.length
    this.#last = kernels - 1
    const sum = 1 + size / kernels
    this.#other = 1 / kernels / sum
    this.#own = (1 + 1 / kernels) / sum
  }

  sample(kernel: number, draw: number): number {
    if (kernel === this.#last) return Math.min(this.size - 1, Math.floor(draw * this.size))
    const shares = new Float64Array(this.size).fill(this.#other)
    shares[this.categories[kernel]!] = this.#own
    return pick(shares, draw)
  }

  /** Multiplies the share that each kernel gives a category. */
  multiply(category: number, factors: Float64Array): void {
    for (let k = 0; k < this.#last; k++) factors[k]! *= this.categories[k] === category ? this.#own : this.#other
    factors[this.#last]! *= 1 / this.size
  }
}
