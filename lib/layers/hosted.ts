/** What the model calls of a layer that is written in JavaScript. */
import type { FloatArray } from '../native.js'

/** What a custom layer's or loss's functions are told besides their arrays. */
export interface CustomContext {
  /** Examples in the arrays; example i begins at element i · (elements of one). */
  readonly batch: number
  /** Empty at each forward; the backward of the same pass finds in it what forward put there. */
  // biome-ignore lint/suspicious/noExplicitAny: it holds whatever the user wants to keep
  readonly cache: Record<string, any>
  /** Whether randomness is wanted, as of dropout: true in `fit`, false elsewhere. */
  readonly training: boolean
  /** For randomness of one's own: the same in equal passes of equal steps. 0 to 2⁵³ − 1. */
  readonly seed: number
  /**
   * Tells gradient checks which side of a kink values lie on: above 0 or not. A forward with a max() calls it with what
   * decides, so that a check does not take a crossing for a mistake.
   */
  decide(values: ArrayLike<number>): void
}

export type Arrays<Role extends string> = Record<Role, FloatArray>

/** What the model calls for a custom layer; roles in the order of the op's operands. */
export interface CustomLayer {
  readonly name: string
  readonly roles: readonly string[]
  forward(x: FloatArray, parameters: Arrays<string>, context: CustomContext): FloatArray
  backward(
    dy: FloatArray,
    parameters: Arrays<string>,
    context: CustomContext,
  ): { dx: FloatArray; gradients?: Partial<Arrays<string>> | undefined }
}
