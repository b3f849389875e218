import { native } from '../native.js'

/** The core's kernels under their names in native/kernels/kernels.def: sizes first, then numbers, then arrays. */
export const call: Record<string, (...arguments_: unknown[]) => unknown> = native.kernels

/** An elementwise activation; see the layers of the same names. */
export type Activation = 'identity' | 'relu' | 'leakyRelu' | 'elu' | 'gelu' | 'silu' | 'tanh' | 'sigmoid' | 'softplus'

/** `leakyRelu` is `leaky_relu` in the core, which knows the default parameters: [core's name, default]. */
export const activations: ReadonlyMap<string, readonly [string, number]> = new Map(
  Object.entries(native.activations).map(([name, parameter]) => [
    name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()),
    [name, parameter],
  ]),
)
