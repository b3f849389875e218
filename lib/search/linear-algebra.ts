/** Dense linear algebra on square matrices of n rows, row-major in a Float64Array: what models of a search need. */

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

/**
 * Writes L with L · Lᵀ = matrix over its lower triangle; what stands above the diagonal is neither read nor written.
 *
 * @returns whether the matrix is positive definite; if not, what it holds is of no use any more
 */
export function cholesky(matrix: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++) {
    const row = i * n
    for (let j = 0; j < i; j++) {
      matrix[row + j] = (matrix[row + j]! - dotOfRows(matrix, row, matrix, j * n, j)) / matrix[j * n + j]!
    }
    const square = matrix[row + i]! - dotOfRows(matrix, row, matrix, row, i)
    if (!(square > 0 && square < Infinity)) return false
    matrix[row + i] = Math.sqrt(square)
  }
  return true
}

/** Solves L · x = b in place for a lower triangle of `stride` numbers a row. */
export function solveLower(lower: Float64Array, n: number, b: Float64Array, stride = n): void {
  for (let i = 0; i < n; i++) b[i] = (b[i]! - dotOfRows(lower, i * stride, b, 0, i)) / lower[i * stride + i]!
}

/** Solves Lᵀ · x = b in place. */
export function solveLowerTransposed(lower: Float64Array, n: number, b: Float64Array, stride = n): void {
  for (let i = n - 1; i >= 0; i--) {
    const row = i * stride
    const x = b[i]! / lower[row + i]!
    b[i] = x
    for (let j = 0; j < i; j++) b[j]! -= x * lower[row + j]!
  }
}

/**
 * (L · Lᵀ)⁻¹, its lower triangle and diagonal, into `inverse`.
 *
 * @param work - n · n numbers, overwritten
 */
export function inverseOfCholesky(lower: Float64Array, n: number, inverse: Float64Array, work: Float64Array): void {
  // Row j of work: column j of L⁻¹, which begins at its diagonal.
  for (let j = 0; j < n; j++) {
    const row = j * n
    work[row + j] = 1 / lower[row + j]!
    for (let i = j + 1; i < n; i++) {
      work[row + i] = -dotOfRows(lower, i * n + j, work, row + j, i - j) / lower[i * n + i]!
    }
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) inverse[i * n + j] = dotOfRows(work, i * n + i, work, j * n + i, n - i)
  }
}
