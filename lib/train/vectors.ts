/** Arithmetic on long vectors for methods that are written in TypeScript. */
import { setImmediate as nextTick } from 'node:timers/promises'

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

export const norm = (a: Float64Array): number => Math.sqrt(dot(a, a))

/** a += scale · b */
export function addScaled(a: Float64Array, scale: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i]! += scale * b[i]!
}

/** Lets the event loop have its turn now and then. */
export class Turns {
  #work = 0

  /** To be awaited after so many element operations. */
  async after(operations: number): Promise<void> {
    this.#work += operations
    if (this.#work < 1 << 20) return
    this.#work = 0
    await nextTick()
  }
}
