/** Hyperparameters that explain the values. */
import { minimize } from '../../../train/lbfgs/minimize.js'
import type { Hyperparameters, Points } from './covariance.js'
import { Evidence, fromLogarithms } from './evidence.js'

/** Where a search for them begins: length scales and function scale of 1, and much noise or little. */
const firstNoises = [0.1, 1e-3]
/** Of more points, this many lead near to what all of them say, in a fraction of the time. */
const enough = 64
/** The gradient's norm at which a search ends: what is left to gain is less than what a single value says. */
const gradientTolerance = 0.1

export async function fit(points: Points, values: Float64Array): Promise<Hyperparameters> {
  const columns = points.isCategory.length
  const starts = firstNoises.map((noise) => {
    const start = new Float64Array(columns + 2)
    start[columns + 1] = Math.log(noise)
    return start
  })
  if (points.count <= enough) return fromLogarithms(await lowest(new Evidence(points, values), starts))
  const near = await lowest(new Evidence(...thinned(points, values)), starts)
  return fromLogarithms(await lowest(new Evidence(points, values), [near]))
}

async function lowest(evidence: Evidence, starts: readonly Float64Array[]): Promise<Float64Array> {
  let best: { x: Float64Array; value: number } | null = null
  for (const start of starts) {
    const found = await minimize((x) => evidence.at(x), start, { gradientTolerance, maxIterations: 100 })
    if (best === null || found.value < best.value) best = found
  }
  return best!.x
}

/** So many of the points as are enough, evenly from first to last. */
function thinned({ count, data, isCategory }: Points, values: Float64Array): [Points, Float64Array] {
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
