/** The one temperature by which scores become the likeliest probabilities. */
import type { Task } from './task.js'

/** From the lowest to the highest that is tried. */
export const temperatureRange = [0.05, 20] as const

export interface FittedTemperature {
  readonly temperature: number
  /**
   * Whether likelihood would still grow beyond the range: at `'lowest'` where everything, or nearly, is right; at `'highest'` where
   * the scores say nothing of what is right. Then more examples, or others, are needed. Null within the range.
   */
  readonly bound: 'lowest' | 'highest' | null
}

/**
 * Maximum likelihood of the inverse β = 1 / T, in which the negative log-likelihood is convex: Newton's steps on its slope, each
 * within what is known to hold the root, else halving that (Numerical Recipes, rtsafe).
 *
 * @param scores (rows, columns), log p or logit p, or anything that softmax or sigmoid makes probabilities of
 */
export function fitTemperature(task: Task, scores: Float64Array): FittedTemperature {
  const slopes = task.kind === 'answers' ? slopesOfAnswers : slopesOfClasses
  let [low, high] = [1 / temperatureRange[1], 1 / temperatureRange[0]]
  if (slopes(task, scores, low)[0] >= 0) return { temperature: temperatureRange[1], bound: 'highest' }
  if (slopes(task, scores, high)[0] <= 0) return { temperature: temperatureRange[0], bound: 'lowest' }
  let inverse = 1
  for (let round = 0; round < 200; round++) {
    const [slope, bend] = slopes(task, scores, inverse)
    if (slope > 0) high = inverse
    else low = inverse
    const step = inverse - slope / bend
    const next = step > low && step < high ? step : (low + high) / 2
    if (Math.abs(next - inverse) <= 1e-14 * inverse) break
    inverse = next
  }
  return { temperature: 1 / inverse, bound: null }
}

/** First and second derivative of Σ weight · −log likelihood by the inverse temperature. */
function slopesOfClasses(task: Task, scores: Float64Array, inverse: number): [slope: number, bend: number] {
  const { rows, columns } = task
  let [slope, bend] = [0, 0]
  for (let row = 0; row < rows; row++) {
    const weight = task.weightOf(row)
    if (weight === 0) continue
    const first = row * columns
    let largest = scores[first]!
    for (let j = 1; j < columns; j++) largest = Math.max(largest, scores[first + j]!)
    let [total, along, square, mass, wanted] = [0, 0, 0, 0, 0]
    for (let j = 0; j < columns; j++) {
      const shift = scores[first + j]! - largest
      const e = Math.exp(inverse * shift)
      total += e
      // What is as good as impossible adds nothing, however far off it is.
      if (e > 0) {
        along += e * shift
        square += e * shift * shift
      }
      const target = task.targetOf(row, j)
      mass += target
      if (target !== 0) wanted += target * shift
    }
    const mean = along / total
    slope += weight * (mass * mean - wanted)
    bend += weight * mass * (square / total - mean * mean)
  }
  return [slope, bend]
}

function slopesOfAnswers(task: Task, scores: Float64Array, inverse: number): [slope: number, bend: number] {
  const { rows, columns } = task
  let [slope, bend] = [0, 0]
  for (let row = 0; row < rows; row++) {
    const weight = task.weightOf(row)
    if (weight === 0) continue
    for (let j = 0; j < columns; j++) {
      const score = scores[row * columns + j]!
      const e = Math.exp(-Math.abs(inverse * score))
      const yes = score < 0 ? e / (1 + e) : 1 / (1 + e)
      slope += weight * (yes - task.targetOf(row, j)) * score
      bend += weight * (e / (1 + e) ** 2) * score * score
    }
  }
  return [slope, bend]
}
