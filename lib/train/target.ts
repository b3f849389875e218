import type { Conventions } from '../data/conventions.js'
import type { Metric, Outputs } from '../metrics/metric.js'
import type { Descriptor, NativeProgram } from '../native.js'
import type { WeightAverage } from '../optimizers/averages.js'

export type { Metric }

/** A normalization layer of a model, and where its numbers lie. */
export interface Normalization {
  readonly layer: string
  /** Number of the input that it takes. */
  readonly input: number
  readonly per: 'feature' | 'channel' | 'all'
  /** Numbers of its parameters. */
  readonly mean: number
  readonly variance: number
}

/**
 * What training needs to know of a model. `Model` implements it; nothing in `train/` imports `model/`.
 */
export interface TrainTarget {
  /** The compiled program: loss, metrics and optimizer included. */
  readonly program: NativeProgram
  /** What the program was made from. */
  readonly descriptor: Descriptor
  readonly seed: number
  readonly inputs: readonly { name: string; shape: number[]; kind: 'real' | 'index'; vocabulary?: number | undefined }[]
  /** Of one example, without the batch. */
  readonly outputShape: readonly number[]
  /** Which target the loss takes: class numbers, a dense array shaped as the output, or either; what the outputs mean. */
  readonly loss: {
    readonly kind: string
    readonly targets: 'labels' | 'dense' | 'either'
    readonly outputs: Outputs
    readonly probabilities?: 'each' | 'rows'
  }
  readonly normalizations: readonly Normalization[]
  /** Training settles what is not settled yet. */
  readonly conventions: Conventions
  readonly metrics: readonly Metric[]
  readonly optimizer: {
    readonly kind: string
    readonly learningRate: number
    /** Undefined for one that has none. */
    readonly momentum?: number
    readonly weightDecay: number
    /** Of the weights; undefined for an optimizer that keeps none. */
    readonly average?: WeightAverage | undefined
  }
}
