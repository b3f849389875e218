/**
 * Dense linear algebra on square matrices of n rows, row-major in a Float64Array: what models of a search need. Work in blocks of
 * rows, as products of matrices are what the core is quick at.
 */
import { matmul } from '../kernels/linear.js'

/** Rows that are worked on together, of a factor and of a product. */
const block = 32
const strip = 64

/** What the functions below write in between: large arrays that are made anew take longer than what is done with them. */
let scratch = new Float64Array(0)
function scratchOf(...counts: readonly number[]): Float64Array[] {
  const count = counts.reduce((sum, of) => sum + of, 0)
  if (scratch.length < count) scratch = new Float64Array(2 * count)
  let end = 0
  return counts.map((of) => {
    end += of
    return scratch.subarray(end - of, end)
  })
}

/**
 * Writes X = L⁻¹ of the matrix L · Lᵀ, with zeros above its diagonal: `inverse`. Of the matrix what stands above the diagonal is
 * not read.
 *
 * Of each block of rows, A and what is on the diagonal D, with the rows of X above it: what stands in L beside the diagonal is
 * B = A · Xᵀ, on it the factor of D − B · Bᵀ, whose inverse Y gives the rows of X: −Y · B · X and, on the diagonal, Y.
 *
 * @returns whether the matrix is positive definite; if not, what `inverse` holds is of no use
 */
export function inverseOfFactor(matrix: Float64Array, n: number, inverse: Float64Array): boolean {
  for (let from = 0; from < n; from += block) {
    const rows = Math.min(block, n - from)
    const [beside, left, corner, own, above] = scratchOf(
      ...[rows * from, rows * from, rows * rows, rows * rows, from * from],
    )
    const made = inverse.subarray(from * n, (from + rows) * n)
    made.fill(0)
    copyRows(matrix, from * n + from, n, corner!, rows, rows)
    if (from > 0) {
      // Beyond that the rows above have nothing but zeros.
      copyRows(inverse, 0, n, above!, from, from)
      copyRows(matrix, from * n, n, left!, from, rows)
      matmul(left!, above!, beside!, { m: rows, n: from, k: from, transposeB: true })
      matmul(beside!, beside!, corner!, { m: rows, n: rows, k: from, transposeB: true, alpha: -1, beta: 1 })
      matmul(beside!, above!, left!, { m: rows, n: from, k: from, alpha: -1 })
    }
    if (!factorBlock(corner!, rows)) return false
    invertBlock(corner!, rows, own!)
    if (from > 0) {
      matmul(own!, left!, beside!, { m: rows, n: from, k: rows })
      for (let i = 0; i < rows; i++) made.set(beside!.subarray(i * from, (i + 1) * from), i * n)
    }
    for (let i = 0; i < rows; i++) copyRow(own!, i * rows, made, i * n + from, i + 1)
  }
  return true
}

/** Of so many rows as many elements as the row of `b` is long; those of `a` are `apart`. */
function copyRows(a: Float64Array, from: number, apart: number, b: Float64Array, length: number, rows: number): void {
  for (let i = 0, at = from; i < rows; i++, at += apart) b.set(a.subarray(at, at + length), i * length)
}

function copyRow(a: Float64Array, from: number, b: Float64Array, to: number, count: number): void {
  for (let i = 0; i < count; i++) b[to + i] = a[from + i]!
}

/** L over the lower triangle of a small matrix; false where there is none. */
function factorBlock(matrix: Float64Array, size: number): boolean {
  for (let i = 0; i < size; i++) {
    const row = i * size
    for (let j = 0; j < i; j++) {
      const rest = matrix[row + j]! - dotOfRows(matrix, row, matrix, j * size, j)
      matrix[row + j] = rest / matrix[j * size + j]!
    }
    const square = matrix[row + i]! - dotOfRows(matrix, row, matrix, row, i)
    if (!(square > 0 && square < Infinity)) return false
    matrix[row + i] = Math.sqrt(square)
  }
  return true
}

/** The inverse Y of a small lower triangle, with zeros above: its row i is (eᵢ − Σ Lᵢₖ Yₖ) / Lᵢᵢ over the rows k above. */
function invertBlock(lower: Float64Array, size: number, inverse: Float64Array): void {
  inverse.fill(0)
  for (let i = 0; i < size; i++) {
    const row = i * size
    const own = 1 / lower[row + i]!
    for (let k = 0; k < i; k++) {
      const share = lower[row + k]! * own
      for (let j = 0, above = k * size; j <= k; j++) inverse[row + j]! -= share * inverse[above + j]!
    }
    inverse[row + i] = own
  }
}

/** Σ a[from + i] · b[at + i] for i below count: four sums side by side, as one would wait for itself. */
export function dotOfRows(a: Float64Array, from: number, b: Float64Array, at: number, count: number): number {
  let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < count; i += 4) {
    sum0 += a[from + i]! * b[at + i]!
    sum1 += a[from + i + 1]! * b[at + i + 1]!
    sum2 += a[from + i + 2]! * b[at + i + 2]!
    sum3 += a[from + i + 3]! * b[at + i + 3]!
  }
  for (; i < count; i++) sum0 += a[from + i]! * b[at + i]!
  return sum0 + sum1 + (sum2 + sum3)
}

/** The lower triangle of Xᵀ · X of a lower triangle X with zeros above its diagonal; what is written above it is of no use. */
export function productWithItself(lower: Float64Array, n: number, product: Float64Array): Float64Array {
  for (let from = 0; from < n; from += strip) {
    const [rows, k] = [Math.min(strip, n - from), n - from]
    const width = from + rows
    // Rows of X above these have nothing but zeros in these columns.
    const [columns, left, made] = scratchOf(k * rows, k * width, rows * width)
    copyRows(lower, from * n + from, n, columns!, rows, k)
    copyRows(lower, from * n, n, left!, width, k)
    matmul(columns!, left!, made!, { m: rows, n: width, k, transposeA: true })
    for (let i = 0; i < rows; i++) product.set(made!.subarray(i * width, (i + 1) * width), (from + i) * n)
  }
  return product
}

/** Rows of n numbers, each multiplied by a square matrix, or by its transpose, from the right. */
export const rowsTimes = (
  rows: Float64Array,
  count: number,
  matrix: Float64Array,
  n: number,
  product: Float64Array,
  transposed = false,
) => matmul(rows, matrix, product, { m: count, n, k: n, transposeB: transposed })

/** Σ weight · row over the rows of a matrix. */
export const weightedSum = (weights: Float64Array, rows: Float64Array, sum: Float64Array): Float64Array =>
  matmul(weights, rows, sum, { m: 1, n: sum.length, k: weights.length })

/** The product of each row of a matrix with x. */
export const productsWith = (rows: Float64Array, x: Float64Array, products: Float64Array): Float64Array =>
  matmul(rows, x, products, { m: products.length, n: 1, k: x.length })
