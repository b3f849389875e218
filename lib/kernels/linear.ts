import { checkBoolean, checkFinite, checkOneOf, checkOptions } from '../checks.js'
import type { FloatArray } from '../native.js'
import { type Activation, activations, call } from './call.js'

export interface MatmulOptions<A extends FloatArray> {
  /** Rows of op(A) and of C. */
  m: number
  /** Columns of op(B) and of C. */
  n: number
  /** Columns of op(A), rows of op(B). */
  k: number
  /** op(A) = Aᵀ: then `a` is (k, m); default false. */
  transposeA?: boolean | undefined
  /** op(B) = Bᵀ: then `b` is (n, k); default false. */
  transposeB?: boolean | undefined
  /** Default 1. */
  alpha?: number | undefined
  /** Default 0: `c` is written and never read. */
  beta?: number | undefined
  /** (n), added to each row. */
  bias?: A | undefined
  /** Applied last; default `identity`. */
  activation?: Activation | undefined
  /** The slope of `leakyRelu` (default 0.01) or alpha of `elu` (default 1). */
  activationParameter?: number | undefined
}

const matmulOptions = [
  ...['m', 'n', 'k', 'transposeA', 'transposeB', 'alpha', 'beta', 'bias', 'activation', 'activationParameter'],
]

/**
 * C = activation(alpha·op(A)·op(B) + beta·C + bias). Each element adds up over k in order, by fused multiply-add, in
 * blocks of fixed size: the bits are the same on every instruction set.
 *
 * @param a (m, k), or (k, m) when transposed
 * @param b (k, n), or (n, k) when transposed
 * @param c (m, n), written
 * @example
 * import { matmul } from 'gradus/kernels'
 * const y = matmul(x, weights, new Float32Array(64 * 10), { m: 64, n: 10, k: 784, bias, activation: 'relu' })
 */
export function matmul<A extends FloatArray>(a: A, b: A, c: A, options: MatmulOptions<A>): A {
  checkOptions('matmul', options, matmulOptions)
  const activation = checkOneOf('activation', options.activation ?? 'identity', [...activations.keys()])
  const [name, defaultParameter] = activations.get(activation)!
  call.matmul!(
    options.m,
    options.n,
    options.k,
    checkBoolean('transposeA', options.transposeA ?? false),
    checkBoolean('transposeB', options.transposeB ?? false),
    options.alpha ?? 1,
    options.beta ?? 0,
    name,
    checkFinite('activationParameter', options.activationParameter ?? defaultParameter),
    a,
    b,
    options.bias,
    c,
  )
  return c
}

/**
 * sums = column sums of x + beta·sums: the gradient of a bias.
 *
 * @param x (rows, columns)
 * @param sums (columns), written
 */
export function columnSums<A extends FloatArray>(
  x: A,
  sums: A,
  options: {
    rows: number
    columns: number
    /** Default 0: `sums` is written and never read. */
    beta?: number | undefined
  },
): A {
  checkOptions('columnSums', options, ['rows', 'columns', 'beta'])
  call.column_sums!(options.rows, options.columns, options.beta ?? 0, x, sums)
  return sums
}

/** sum = a + b, elementwise; `sum` may be `a` or `b`. */
export function add<A extends FloatArray>(a: A, b: A, sum: A): A {
  call.add!(a, b, sum)
  return sum
}
