/** What a gradient check asks of whatever it checks. */

export type Term = 'data' | 'regularization' | 'total'

/** A tensor by which derivatives are taken. */
export interface CheckedTensor {
  readonly name: string
  readonly size: number
  /** How many layers with weights lie from it to the loss, its own included. */
  readonly depth: number
  readonly terms: readonly Term[]
  /** The batch norm that takes a bias away again. */
  readonly cancelledBy?: string
}

/**
 * Where the function is to be evaluated: element `element` of a tensor moved by `offset`. When directions are checked,
 * `element` is the number of a random direction, and the whole tensor moves by offset · direction.
 */
export interface Point {
  readonly tensor: number
  readonly element: number
  readonly offset: number
}

/** The function at a point. */
export interface Evaluation {
  readonly data: number
  /** Against that of the unmoved weights. */
  readonly regularization: number
  /** The layer that chose otherwise at a kink than with the unmoved weights; null for none. */
  readonly kink: string | null
}

/** A check as a coroutine: it asks for points and is given evaluations. So it serves native programs and plain functions. */
export type Asking<Result> = Generator<readonly Point[], Result, readonly Evaluation[]>

export const termOf = (evaluation: Evaluation, term: Term): number => {
  if (term === 'data') return evaluation.data
  return term === 'regularization' ? evaluation.regularization : evaluation.data + evaluation.regularization
}
