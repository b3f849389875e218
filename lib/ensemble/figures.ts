/** How good scores are, in numbers: on plain arrays, in float64, by the definitions. */
import type { Task } from './task.js'

export interface Figures {
  /** Share of the examples, or of the answers to yes-or-no questions, that are right. */
  readonly accuracy?: number
  /** Negative log-likelihood in nats: the mean of −log of the probability given to what is right. */
  readonly logLoss?: number
  /**
   * Expected calibration error: how far confidence is from the share that is right, by 15 bins of equal width (Guo, Pleiss, Sun
   * and Weinberger 2017). Confidence is the probability of the likeliest class; of yes-or-no outputs that of yes.
   */
  readonly calibrationError?: number
  /** Of quantities: the root of the mean of (output − target)². */
  readonly rootMeanSquaredError?: number
}

const binCount = 15

/** A bin reaches from its lower end, which belongs to the one before, up to its upper end. */
class Bins {
  readonly #confidence = new Float64Array(binCount)
  readonly #right = new Float64Array(binCount)
  #weight = 0

  add(confidence: number, right: number, weight: number): void {
    const bin = Math.max(0, Math.ceil(confidence * binCount) - 1)
    this.#confidence[bin]! += weight * confidence
    this.#right[bin]! += weight * right
    this.#weight += weight
  }

  get error(): number {
    return this.#confidence.reduce((sum, at, bin) => sum + Math.abs(at - this.#right[bin]!), 0) / this.#weight
  }
}

/** scores: (rows, columns), of probabilities log p or logit p; they are divided by the temperature first. */
export function figuresOf(task: Task, scores: Float64Array, temperature = 1): Figures {
  if (task.kind === 'classes')
    return task.hasProbabilities ? ofProbabilities(task, scores, temperature) : ofClasses(task, scores)
  if (task.kind === 'answers') return ofAnswers(task, scores, temperature)
  return ofValues(task, scores)
}

function ofProbabilities(task: Task, scores: Float64Array, temperature: number): Figures {
  const { rows, columns } = task
  const bins = new Bins()
  let [weights, right, losses] = [0, 0, 0]
  for (let row = 0; row < rows; row++) {
    const weight = task.weightOf(row)
    if (weight === 0) continue
    const chosen = largestOf(scores, row * columns, columns)
    const largest = scores[row * columns + chosen]!
    let [total, mass, shifted] = [0, 0, 0]
    for (let j = 0; j < columns; j++) {
      const shift = (scores[row * columns + j]! - largest) / temperature
      const target = task.targetOf(row, j)
      total += Math.exp(shift)
      mass += target
      if (target !== 0) shifted += target * shift
    }
    const isRight = Number(chosen === task.classOf(row))
    weights += weight
    right += weight * isRight
    losses += weight * (mass * Math.log(total) - shifted)
    bins.add(1 / total, isRight, weight)
  }
  return { accuracy: right / weights, logLoss: losses / weights, calibrationError: bins.error }
}

/** Of scores that are no probabilities, as those of support vector machines. */
function ofClasses(task: Task, scores: Float64Array): Figures {
  let [weights, right] = [0, 0]
  for (let row = 0; row < task.rows; row++) {
    const weight = task.weightOf(row)
    weights += weight
    right += weight * Number(largestOf(scores, row * task.columns, task.columns) === task.classOf(row))
  }
  return { accuracy: right / weights }
}

function ofAnswers(task: Task, scores: Float64Array, temperature: number): Figures {
  const { rows, columns } = task
  const bins = new Bins()
  let [weights, right, losses] = [0, 0, 0]
  for (let row = 0; row < rows; row++) {
    const weight = task.weightOf(row)
    if (weight === 0) continue
    for (let j = 0; j < columns; j++) {
      const score = scores[row * columns + j]! / temperature
      const target = task.targetOf(row, j)
      const e = Math.exp(-Math.abs(score))
      weights += weight
      right += weight * Number(score > 0 === target > 0.5)
      losses += weight * (Math.max(score, 0) - score * target + Math.log1p(e))
      bins.add(score < 0 ? e / (1 + e) : 1 / (1 + e), target, weight)
    }
  }
  const accuracy = right / weights
  return task.hasProbabilities ? { accuracy, logLoss: losses / weights, calibrationError: bins.error } : { accuracy }
}

function ofValues(task: Task, scores: Float64Array): Figures {
  return { rootMeanSquaredError: Math.sqrt(meanOver(task, (at, row, j) => (scores[at]! - task.targetOf(row, j)) ** 2)) }
}

/** The first of equal ones. */
export function largestOf(scores: Float64Array, first: number, columns: number): number {
  let best = 0
  for (let j = 1; j < columns; j++) if (scores[first + j]! > scores[first + best]!) best = j
  return best
}

/** The weighted mean of what is said of each output of each example. */
export function meanOver(task: Task, of: (at: number, row: number, column: number) => number): number {
  const { rows, columns } = task
  let [sum, weights] = [0, 0]
  for (let row = 0; row < rows; row++) {
    const weight = task.weightOf(row)
    if (weight === 0) continue
    weights += weight * columns
    for (let j = 0; j < columns; j++) sum += weight * of(row * columns + j, row, j)
  }
  return sum / weights
}

/**
 * How much two predictors differ: the share of the examples, or answers, of which they choose another one; of quantities the
 * root of the mean of the squared differences.
 */
export function disagreementOf(task: Task, one: Float64Array, other: Float64Array): number {
  const { columns } = task
  if (task.kind === 'values') return Math.sqrt(meanOver(task, (at) => (one[at]! - other[at]!) ** 2))
  if (task.kind === 'answers') return meanOver(task, (at) => Number(one[at]! > 0 !== other[at]! > 0))
  const choices = [one, other].map((scores) => choicesOf(scores, columns))
  return meanOver(task, (_, row) => Number(choices[0]![row] !== choices[1]![row]))
}

function choicesOf(scores: Float64Array, columns: number): Int32Array {
  return Int32Array.from({ length: scores.length / columns }, (_, row) => largestOf(scores, row * columns, columns))
}
