/** What predictions are judged by: targets and weights of examples, as plain numbers. */
import { product } from '../data/column.js'
import type { FloatArray } from '../native.js'
import { links } from '../train/classes.js'
import type { Held } from './held.js'

export interface TaskParts {
  /** What the outputs mean: scores of classes, answers of yes and no, or quantities. */
  readonly kind: 'classes' | 'answers' | 'values'
  /** Whether softmax or sigmoid makes probabilities of the scores. */
  readonly hasProbabilities: boolean
  /** Outputs of one example. */
  readonly columns: number
  /** Class numbers (rows), or numbers (rows, columns). */
  readonly targets: Int32Array | FloatArray
  /** (rows); null where each counts as one. */
  readonly weights: FloatArray | null
}

export class Task implements TaskParts {
  readonly kind: TaskParts['kind']
  readonly hasProbabilities: boolean
  readonly columns: number
  readonly rows: number
  readonly targets: Int32Array | FloatArray
  readonly weights: FloatArray | null
  readonly #hasLabels: boolean

  constructor({ kind, hasProbabilities, columns, targets, weights }: TaskParts) {
    this.kind = kind
    this.hasProbabilities = hasProbabilities
    this.columns = columns
    this.targets = targets
    this.weights = weights
    this.#hasLabels = kind === 'classes' && targets instanceof Int32Array
    this.rows = this.#hasLabels ? targets.length : targets.length / columns
  }

  weightOf(row: number): number {
    return this.weights === null ? 1 : this.weights[row]!
  }

  /** Of class numbers 1 for the right class and 0 for the others. */
  targetOf(row: number, column: number): number {
    return this.#hasLabels ? Number(this.targets[row] === column) : this.targets[row * this.columns + column]!
  }

  /** The right class: of probabilities the likeliest. */
  classOf(row: number): number {
    if (this.#hasLabels) return this.targets[row]!
    let best = 0
    for (let j = 1; j < this.columns; j++) if (this.targetOf(row, j) > this.targetOf(row, best)) best = j
    return best
  }
}

export const taskOf = ({ loss, outputShape, targets, weights }: Held): Task =>
  new Task({
    kind: loss.outputs,
    hasProbabilities: links[loss.kind] !== undefined,
    columns: product(outputShape),
    targets,
    weights,
  })
