/** What L-BFGS remembers: the last few steps and how the gradient changed over them. */
import { addScaled, dot, norm, Turns } from '../vectors.js'

interface Pair {
  readonly step: Float64Array
  readonly change: Float64Array
  /** Their product, above 0. */
  readonly curvature: number
}

export class Memory {
  readonly #pairs: Pair[] = []
  readonly #turns = new Turns()

  constructor(private readonly most: number) {}

  get isEmpty(): boolean {
    return this.#pairs.length === 0
  }

  forget(): void {
    this.#pairs.length = 0
  }

  /** The strong Wolfe conditions make step · change positive; a pair in which rounding hides that is left out. */
  add(step: Float64Array, change: Float64Array): void {
    const curvature = dot(step, change)
    if (!(curvature > Number.EPSILON * norm(step) * norm(change))) return
    this.#pairs.push({ step, change, curvature })
    if (this.#pairs.length > this.most) this.#pairs.shift()
  }

  /** −H · gradient for the inverse Hessian H that the pairs tell of (Nocedal and Wright, algorithm 7.4 and (7.20)). */
  async direction(gradient: Float64Array): Promise<Float64Array> {
    const direction = gradient.map((g) => -g)
    const shares: number[] = []
    for (const { step, change, curvature } of [...this.#pairs].reverse()) {
      const share = dot(step, direction) / curvature
      addScaled(direction, -share, change)
      shares.unshift(share)
      await this.#turns.after(2 * gradient.length)
    }
    const last = this.#pairs.at(-1)
    if (last) {
      const scale = last.curvature / dot(last.change, last.change)
      for (let i = 0; i < direction.length; i++) direction[i]! *= scale
    }
    for (const [i, { step, change, curvature }] of this.#pairs.entries()) {
      addScaled(direction, shares[i]! - dot(change, direction) / curvature, step)
      await this.#turns.after(2 * gradient.length)
    }
    return direction
  }
}
