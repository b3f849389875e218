/**
 * The largest eigenvalue of a symmetric operator of which only products with vectors are known (Lanczos 1950; Golub and
 * Van Loan, "Matrix Computations", chapter 10).
 */
import { addScaled, dot, norm, Turns } from '../../train/vectors.js'

export interface LanczosResult {
  /** The algebraically largest. */
  eigenvalue: number
  /** Products that were made. */
  iterations: number
  /** ‖A·v − λ·v‖ for the unit vector v found: an eigenvalue lies at most so far from λ. */
  residual: number
  converged: boolean
}

/**
 * @param start - any vector but zero; it is normalised
 * @param tolerance - of the residual, relative to the eigenvalue
 */
export async function lanczos(
  multiply: (vector: Float64Array) => Promise<Float64Array>,
  start: Float64Array,
  { tolerance, maxIterations }: { tolerance: number; maxIterations: number },
): Promise<LanczosResult> {
  const most = Math.min(maxIterations, start.length)
  const basis: Float64Array[] = []
  const diagonal: number[] = []
  const beside: number[] = []
  let next = start
  let length = norm(start)
  for (;;) {
    const vector = next.map((x) => x / length)
    basis.push(vector)
    next = await multiply(vector)
    diagonal.push(dot(vector, next))
    await orthogonalize(next, basis)
    length = norm(next)
    const { eigenvalue, last } = largestOfTridiagonal(diagonal, beside)
    // What all the directions there are give is exact, whatever rounding leaves of `next`.
    const residual = basis.length === start.length ? 0 : length * Math.abs(last)
    const converged = residual <= tolerance * Math.abs(eigenvalue)
    if (converged || basis.length >= most) return { eigenvalue, iterations: basis.length, residual, converged }
    beside.push(length)
  }
}

/** Takes from a vector all that lies along the basis; twice is enough (Parlett, "The Symmetric Eigenvalue Problem", 6.9). */
async function orthogonalize(vector: Float64Array, basis: readonly Float64Array[]): Promise<void> {
  const turns = new Turns()
  for (let round = 0; round < 2; round++) {
    for (const direction of basis) {
      addScaled(vector, -dot(direction, vector), direction)
      await turns.after(2 * vector.length)
    }
  }
}

/**
 * The largest eigenvalue of a symmetric tridiagonal matrix, and the last element of its eigenvector of length 1: implicit
 * QR steps with Wilkinson's shift, of which only the last row of the eigenvectors is kept (Golub and Van Loan 8.3; Golub
 * and Welsch 1969).
 */
export function largestOfTridiagonal(
  diagonal: readonly number[],
  beside: readonly number[],
): { eigenvalue: number; last: number } {
  const d = [...diagonal]
  const e = [...beside]
  const lastRow = d.map((_, i) => (i === d.length - 1 ? 1 : 0))
  const isSmall = (i: number) => Math.abs(e[i]!) <= Number.EPSILON * (Math.abs(d[i]!) + Math.abs(d[i + 1]!))
  let high = d.length - 1
  // Two or three steps an eigenvalue are usual; the bound is for numbers that are not finite.
  for (let steps = 0; high > 0 && steps < 64 * d.length; steps++) {
    if (isSmall(high - 1)) {
      high--
      continue
    }
    let low = high - 1
    while (low > 0 && !isSmall(low - 1)) low--
    qrStep(d, e, lastRow, low, high)
  }
  const largest = d.reduce((best, value, i) => (value > d[best]! ? i : best), 0)
  return { eigenvalue: d[largest]!, last: lastRow[largest]! }
}

/** One step on the block from `low` to `high`: rotations chase the element that the first one brings in. */
function qrStep(d: number[], e: number[], lastRow: number[], low: number, high: number): void {
  const half = (d[high - 1]! - d[high]!) / 2
  const square = e[high - 1]! ** 2
  const shift = d[high]! - square / (half + (half < 0 ? -1 : 1) * Math.hypot(half, e[high - 1]!))
  let x = d[low]! - shift
  let z = e[low]!
  for (let k = low; k < high; k++) {
    const r = Math.hypot(x, z)
    const c = r === 0 ? 1 : x / r
    const s = r === 0 ? 0 : z / r
    if (k > low) e[k - 1] = r
    const [a, b, off] = [d[k]!, d[k + 1]!, e[k]!]
    d[k] = c * c * a + 2 * c * s * off + s * s * b
    d[k + 1] = s * s * a - 2 * c * s * off + c * c * b
    e[k] = c * s * (b - a) + (c * c - s * s) * off
    if (k + 1 < high) {
      x = e[k]!
      z = s * e[k + 1]!
      e[k + 1]! *= c
    }
    const [p, q] = [lastRow[k]!, lastRow[k + 1]!]
    lastRow[k] = c * p + s * q
    lastRow[k + 1] = c * q - s * p
  }
}
