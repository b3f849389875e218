/**
 * The kernels by themselves: synchronous functions on Float32Array or Float64Array, on the calling thread, without
 * copies. Matrices are row-major and dense; arrays may begin at any byte offset. What is written is passed in by the
 * caller, must not overlap what is read (elementwise kernels may work in place), and is returned.
 *
 * All arrays of numbers of one call have one type. Errors, before anything is written: `GRADUS_INVALID_ARGUMENT` names
 * the argument that has the wrong type or length, is detached, lies on a SharedArrayBuffer, overlaps or is out of range;
 * `GRADUS_TOO_LARGE` when sizes overflow.
 *
 * @module
 */
import { native } from './native.js'

export * from './kernels/activations.js'
export * from './kernels/linear.js'
export * from './kernels/losses.js'
export * from './kernels/norms.js'
export * from './kernels/random.js'
export * from './kernels/rows.js'
export * from './kernels/updates/index.js'
export type { FloatArray } from './native.js'

/** The instruction set in use: `avx512`, `avx2`, `neon` or `scalar`. The environment variable `GRADUS_ISA` forces one. */
export const isa: string = native.isa

/** The instruction sets that this machine has, best first. The results are the same bits on each. */
export const availableIsas: readonly string[] = Object.freeze([...native.availableIsas])
