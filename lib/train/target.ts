import type { NativeProgram } from '../native.js'

/**
 * What training needs to know of a model. `Model` implements it; nothing in `train/` imports `model/`.
 */
export interface TrainTarget {
  /** The compiled program: loss, metrics and optimizer included. */
  readonly program: NativeProgram
  readonly seed: number
  readonly inputs: readonly { name: string; shape: number[]; kind: 'real' | 'index'; vocabulary?: number }[]
  /** Of one example, without the batch. */
  readonly outputShape: readonly number[]
  /** Which target the loss takes: class numbers, a dense array shaped as the output, or either. */
  readonly loss: { readonly kind: string; readonly targets: 'labels' | 'dense' | 'either' }
  readonly metrics: readonly Metric[]
  readonly optimizer: { readonly kind: string; readonly learningRate: number; readonly momentum?: number }
}

/** A metric is a sum over examples, made natively, and what to make of it. */
export interface Metric {
  /** As in history: `accuracy`, `top5Accuracy`, `meanAbsoluteError`, `r2`, `confusionMatrix`. */
  readonly name: string
  readonly descriptor: { readonly kind: string; readonly k?: number }
  /** How many sums it takes for an output of this many elements. */
  width(outputSize: number): number
  /** sums: `width` numbers added over all examples; weight: the sum of their weights. */
  finish(sums: Float64Array, weight: number): number | number[][]
  /** Larger is better (accuracy), or smaller (an error); for early stopping. */
  readonly better?: 'larger' | 'smaller'
}
