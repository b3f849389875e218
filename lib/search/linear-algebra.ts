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

/** What the last {@link tile} found: a0 · b0, a0 · b1, a1 · b0, a1 · b1. */
const sums = new Float64Array(4)

/** The products of two rows with two others at once: each number is read once for two of them, and no sum waits for another. */
function tile(
  a: Float64Array,
  a0: number,
  a1: number,
  b: Float64Array,
  b0: number,
  b1: number,
  count: number,
): Float64Array {
  let sum00 = 0
  let sum01 = 0
  let sum10 = 0
  let sum11 = 0
  for (let i = 0; i < count; i++) {
    const left0 = a[a0 + i]!
    const left1 = a[a1 + i]!
    const right0 = b[b0 + i]!
    const right1 = b[b1 + i]!
    sum00 += left0 * right0
    sum01 += left0 * right1
    sum10 += left1 * right0
    sum11 += left1 * right1
  }
  sums[0] = sum00
  sums[1] = sum01
  sums[2] = sum10
  sums[3] = sum11
  return sums
}

/**
 * Writes L with L · Lᵀ = matrix over its lower triangle, two rows at a time; what stands above the diagonal is neither read nor
 * written.
 *
 * @returns whether the matrix is positive definite; if not, what it holds is of no use any more
 */
export function cholesky(matrix: Float64Array, n: number): boolean {
  for (let i = 0; i + 1 < n; i += 2) {
    const [row0, row1] = [i * n, (i + 1) * n]
    for (let j = 0; j < i; j += 2) {
      const [column0, column1] = [j * n, (j + 1) * n]
      const found = tile(matrix, row0, row1, matrix, column0, column1, j)
      const [first, beside, second] = [matrix[column0 + j]!, matrix[column1 + j]!, matrix[column1 + j + 1]!]
      matrix[row0 + j] = (matrix[row0 + j]! - found[0]!) / first
      matrix[row1 + j] = (matrix[row1 + j]! - found[2]!) / first
      matrix[row0 + j + 1] = (matrix[row0 + j + 1]! - found[1]! - matrix[row0 + j]! * beside) / second
      matrix[row1 + j + 1] = (matrix[row1 + j + 1]! - found[3]! - matrix[row1 + j]! * beside) / second
    }
    const found = tile(matrix, row0, row1, matrix, row0, row1, i)
    if (!putRoot(matrix, row0 + i, found[0]!)) return false
    const beside = (matrix[row1 + i]! - found[2]!) / matrix[row0 + i]!
    matrix[row1 + i] = beside
    if (!putRoot(matrix, row1 + i + 1, found[3]! + beside * beside)) return false
  }
  return n % 2 === 0 || lastRow(matrix, n)
}

/** The diagonal's element of L; false where there is none. */
function putRoot(matrix: Float64Array, at: number, known: number): boolean {
  const square = matrix[at]! - known
  matrix[at] = Math.sqrt(square)
  return square > 0 && square < Infinity
}

function lastRow(matrix: Float64Array, n: number): boolean {
  const row = (n - 1) * n
  for (let j = 0; j < n - 1; j++) {
    matrix[row + j] = (matrix[row + j]! - dotOfRows(matrix, row, matrix, j * n, j)) / matrix[j * n + j]!
  }
  return putRoot(matrix, row + n - 1, dotOfRows(matrix, row, matrix, row, n - 1))
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
 * (L · Lᵀ)⁻¹, its lower triangle and diagonal, into `inverse`, two rows and two columns at a time.
 *
 * @param work - n · n numbers, overwritten
 */
export function inverseOfCholesky(lower: Float64Array, n: number, inverse: Float64Array, work: Float64Array): void {
  for (let j = 0; j + 1 < n; j += 2) invertColumns(lower, n, work, j)
  if (n % 2 === 1) work[n * n - 1] = 1 / lower[n * n - 1]!
  for (let i = 0; i + 1 < n; i += 2) {
    for (let j = 0; j <= i; j += 2) {
      const found = tile(work, i * n + i, (i + 1) * n + i, work, j * n + i, (j + 1) * n + i, n - i)
      inverse[i * n + j] = found[0]!
      inverse[(i + 1) * n + j] = found[2]!
      inverse[(i + 1) * n + j + 1] = found[3]!
      if (j < i) inverse[i * n + j + 1] = found[1]!
    }
  }
  if (n % 2 === 0) return
  for (let j = 0; j < n; j++) inverse[(n - 1) * n + j] = work[n * n - 1]! * work[j * n + n - 1]!
}

/** Columns j and j + 1 of L⁻¹ into rows of `work`, both from place j on. */
function invertColumns(lower: Float64Array, n: number, work: Float64Array, j: number): void {
  const [row0, row1] = [j * n, (j + 1) * n]
  work[row0 + j] = 1 / lower[row0 + j]!
  work[row1 + j] = 0
  work[row1 + j + 1] = 1 / lower[row1 + j + 1]!
  work[row0 + j + 1] = -lower[row1 + j]! * work[row0 + j]! * work[row1 + j + 1]!
  let i = j + 2
  for (; i + 1 < n; i += 2) {
    const [above, below] = [i * n, (i + 1) * n]
    const found = tile(lower, above + j, below + j, work, row0 + j, row1 + j, i - j)
    const [first, beside, second] = [lower[above + i]!, lower[below + i]!, lower[below + i + 1]!]
    work[row0 + i] = -found[0]! / first
    work[row1 + i] = -found[1]! / first
    work[row0 + i + 1] = -(found[2]! + beside * work[row0 + i]!) / second
    work[row1 + i + 1] = -(found[3]! + beside * work[row1 + i]!) / second
  }
  if (i === n) return
  work[row0 + i] = -dotOfRows(lower, i * n + j, work, row0 + j, i - j) / lower[i * n + i]!
  work[row1 + i] = -dotOfRows(lower, i * n + j, work, row1 + j, i - j) / lower[i * n + i]!
}
