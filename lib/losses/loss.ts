import type { Call } from '../call.js'

/** Made by one of the losses, such as {@link softmaxCrossEntropy}. */
export interface Loss {
  readonly call: Call
  /** The core's name. */
  readonly kind: string
  readonly parameter?: number
  /** Class numbers, an array shaped as the output, or either. */
  readonly targets: 'labels' | 'dense' | 'either'
}

export const isLoss = (value: unknown): value is Loss =>
  typeof value === 'object' && value !== null && 'kind' in value && 'targets' in value
