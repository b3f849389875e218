/** Hyperparameters that explain the values. */
import { minimize } from '../../../train/lbfgs/minimize.js'
import type { Hyperparameters, Points } from './covariance.js'
import { Evidence, fromLogarithms } from './evidence.js'

/** Where a search for them begins: length scales and function scale of 1, and much noise or little. */
const firstNoises = [0.1, 1e-3]

export async function fit(points: Points, values: Float64Array): Promise<Hyperparameters> {
  const evidence = new Evidence(points, values)
  const columns = points.isCategory.length
  let best: { x: Float64Array; value: number } | null = null
  for (const noise of firstNoises) {
    const start = new Float64Array(columns + 2)
    start[columns + 1] = Math.log(noise)
    const found = await minimize((x) => evidence.at(x), start, { gradientTolerance: 1e-2, maxIterations: 100 })
    if (best === null || found.value < best.value) best = found
  }
  return fromLogarithms(best!.x)
}
