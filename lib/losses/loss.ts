import type { Call } from '../call.js'
import type { CustomLoss } from './custom.js'

/** Made by one of the losses, such as {@link softmaxCrossEntropy}. */
export interface Loss {
  readonly call: Call
  /** The core's name. */
  readonly kind: string
  readonly parameter?: number
  /** Class numbers, an array shaped as the output, or either. */
  readonly targets: 'labels' | 'dense' | 'either'
  /** The functions of {@link customLoss}. */
  readonly custom?: CustomLoss
}

export const isLoss = (value: unknown): value is Loss =>
  typeof value === 'object' && value !== null && 'kind' in value && 'targets' in value
