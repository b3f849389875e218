/** Hyperparameters that explain the values. */
import { minimize } from '../../../train/lbfgs/minimize.js'
import type { Hyperparameters, Points } from './covariance.js'
import { Evidence, fromLogarithms } from './evidence.js'

/** Where a search for them begins: length scales and function scale of 1, and much noise or little. */
const firstNoises = [0.1, 1e-3]
/** Of more points, these many of them lead near to what all of them say, in a fraction of the time. */
const steps = [64, 128]
/** The gradient's norm at which a search ends: what is left to gain is less than what a single value says. */
const gradientTolerance = 0.1

export async function fit(points: Points, values: Float64Array): Promise<Hyperparameters> {
  const columns = points.isCategory.length
  let starts: readonly Float64Array[] = firstNoises.map((noise) => {
    const start = new Float64Array(columns + 2)
    start[columns + 1] = Math.log(noise)
    return start
  })
  for (const count of steps) {
    if (points.count <= count) break
    starts = [await lowest(new Evidence(...thinned(points, values, count)), starts)]
  }
  return fromLogarithms(await lowest(new Evidence(points, values), starts))
}

/** Trials from which on one more says little: a fit is made with each eighth, and serves for the next seven. */
const many = 128
const apart = 8

/** How many of so many trials are fitted to: the first ones, so that it does not depend on who asks when. */
export const fittedOf = (count: number): number => (count <= many ? count : count - (count % apart))

/** Fits of a space's trials: that of the last points is made once. */
export class Fits {
  readonly #known = new WeakMap<
    object,
    { points: Points; values: Float64Array; hyperparameters: Promise<Hyperparameters> }
  >()

  of(space: object, points: Points, values: Float64Array): Promise<Hyperparameters> {
    const known = this.#known.get(space)
    if (known && isSame(known.values, values) && isSame(known.points.data, points.data)) return known.hyperparameters
    const hyperparameters = fit(points, values)
    this.#known.set(space, { points, values, hyperparameters })
    return hyperparameters
  }
}

const isSame = (a: Float64Array, b: Float64Array): boolean => a.length === b.length && a.every((x, i) => x === b[i])

async function lowest(evidence: Evidence, starts: readonly Float64Array[]): Promise<Float64Array> {
  let best: { x: Float64Array; value: number } | null = null
  for (const start of starts) {
    const found = await minimize((x) => evidence.at(x), start, { gradientTolerance, maxIterations: 100 })
    if (best === null || found.value < best.value) best = found
  }
  return best!.x
}

/** So many of the points, evenly from first to last. */
function thinned({ count, data, isCategory }: Points, values: Float64Array, enough: number): [Points, Float64Array] {
  const width = isCategory.length
  const some = { count: enough, data: new Float64Array(enough * width), isCategory }
  const theirs = new Float64Array(enough)
  for (let i = 0; i < enough; i++) {
    const from = Math.floor((i * count) / enough)
    some.data.set(data.subarray(from * width, (from + 1) * width), i * width)
    theirs[i] = values[from]!
  }
  return [some, theirs]
}
