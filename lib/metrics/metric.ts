import type { Call } from '../call.js'

/** A metric is a sum over examples, made natively, and what to make of it: a number, of a confusion matrix its rows. */
export interface Metric<Name extends string = string, Value = number | number[][]> {
  /** The call that makes it again. */
  readonly call: Call
  /** As in history: `accuracy`, `top5Accuracy`, `meanAbsoluteError`, `r2`, `confusionMatrix`. */
  readonly name: Name
  readonly descriptor: { readonly kind: string; readonly k?: number }
  /** How many sums it takes for an output of this many elements. */
  width(outputSize: number): number
  /** sums: the `width` numbers of all examples; weight: the sum of their weights. */
  finish(sums: Float64Array, weight: number): Value
  /** Larger is better (accuracy), or smaller (an error); for early stopping. */
  readonly better?: 'larger' | 'smaller'
}

export const isMetric = (value: unknown): value is Metric =>
  typeof value === 'object' && value !== null && 'finish' in value && 'width' in value
