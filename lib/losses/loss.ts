import type { Call } from '../call.js'
import type { Outputs } from '../metrics/metric.js'
import type { FloatArray } from '../native.js'

/** What a custom loss is told besides its arrays: as {@link CustomContext} of layers, without randomness. */
export interface CustomLossContext {
  /** Examples in the arrays. */
  readonly batch: number
  /** Empty at each forward; the backward of the same pass finds in it what forward put there. */
  // biome-ignore lint/suspicious/noExplicitAny: it holds whatever the user wants to keep
  readonly cache: Record<string, any>
  /** Tells gradient checks which side of a kink values lie on: above 0 or not. */
  decide(values: ArrayLike<number>): void
}

/** What the model calls for a custom loss. */
export interface CustomLoss {
  readonly name: string
  forward(output: FloatArray, targets: FloatArray | Int32Array, context: CustomLossContext): FloatArray
  backward(output: FloatArray, targets: FloatArray | Int32Array, context: CustomLossContext): FloatArray
}

/** Made by one of the losses, such as {@link softmaxCrossEntropy}. */
export interface Loss {
  readonly call: Call
  /** The core's name. */
  readonly kind: string
  readonly parameter?: number
  /** Of targets of classes: see {@link softmaxCrossEntropy}. */
  readonly smoothing?: number
  /** Class numbers, an array shaped as the output, or either. */
  readonly targets: 'labels' | 'dense' | 'either'
  /** What it takes the outputs for: which metrics fit, and which targets are possible, follow from it. */
  readonly outputs: Outputs
  /** Of dense targets: each is a probability, or those of a row are and sum to 1. */
  readonly probabilities?: 'each' | 'rows'
  /** The functions of {@link customLoss}. */
  readonly custom?: CustomLoss
}

export const isLoss = (value: unknown): value is Loss =>
  typeof value === 'object' && value !== null && 'kind' in value && 'targets' in value
