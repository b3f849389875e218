/** Eigenvalues and eigenvectors of small symmetric matrices. */

export interface Eigen {
  readonly values: Float64Array
  /** Row-major: column j is the eigenvector of `values[j]`, of length 1. */
  readonly vectors: Float64Array
}

/** Sweeps are few (about ten at 100 rows); the bound is for numbers that are not finite. */
const mostSweeps = 60

/**
 * Jacobi's rotations in cyclic order (Golub and Van Loan, "Matrix Computations", 8.5), until nothing is left beside the
 * diagonal. In no order.
 *
 * @param matrix - n × n, row-major, symmetric; left as it is
 */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  const a = matrix.slice()
  const vectors = new Float64Array(n * n)
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    let turned = false
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) turned = turnAway(a, vectors, n, p, q) || turned
    if (!turned) break
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), vectors }
}

/** Makes the element at (p, q) zero by a rotation of rows and columns; false where it is nothing beside the diagonal. */
function turnAway(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): boolean {
  const beside = a[p * n + q]!
  const [first, second] = [a[p * n + p]!, a[q * n + q]!]
  if (Math.abs(beside) <= 2 ** -54 * Math.sqrt(Math.abs(first * second)) || beside === 0) return false
  const ratio = (second - first) / (2 * beside)
  const tangent = (ratio >= 0 ? 1 : -1) / (Math.abs(ratio) + Math.hypot(ratio, 1))
  const cosine = 1 / Math.hypot(tangent, 1)
  const sine = tangent * cosine
  const turn = (x: Float64Array, i: number, j: number) => {
    const [left, right] = [x[i]!, x[j]!]
    x[i] = cosine * left - sine * right
    x[j] = sine * left + cosine * right
  }
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q)
  for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k)
  a[p * n + q] = 0
  a[q * n + p] = 0
  for (let k = 0; k < n; k++) turn(vectors, k * n + p, k * n + q)
  return true
}
