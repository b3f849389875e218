/**
 * Dense linear algebra on square matrices of n rows, row-major in a Float64Array: what models of a search need. Work in blocks, as
 * products of matrices are what the core is quick at.
 */
import { matmul } from '../kernels/linear.js'

/** Rows and columns of a block. */
const block = 24

/** What the functions below write in between: large arrays that are made anew take longer than what is done with them. */
let scratch = new Float64Array(0)
function scratchOf(count: number): Float64Array {
  if (scratch.length < count) scratch = new Float64Array(2 * count)
  return scratch
}

/**
 * Writes L with L · Lᵀ = matrix over its lower triangle; what stands above the diagonal is neither read nor written.
 *
 * @returns whether the matrix is positive definite; if not, what it holds is of no use any more
 */
export function cholesky(matrix: Float64Array, n: number): boolean {
  // Columns of L, from their diagonal down, one panel behind the other; then two for what comes in between.
  const work = scratchOf(((n + block) * (n + block)) / 2 + 3 * n * block)
  const panels: Float64Array[] = []
  for (let from = 0, at = 0; from < n; from += block) {
    const [width, rows] = [Math.min(block, n - from), n - from]
    const panel = work.subarray(at, at + rows * width)
    at += panel.length
    for (let i = 0; i < rows; i++) copyRow(matrix, (from + i) * n + from, panel, i * width, Math.min(width, i + 1))
    for (const [q, before] of panels.entries()) {
      const left = before.subarray((from - q * block) * block)
      const above = left.subarray(0, width * block)
      matmul(left, above, panel, { m: rows, n: width, k: block, transposeB: true, alpha: -1, beta: 1 })
    }
    if (!factorBlock(panel, width)) return false
    solveBelow(panel, rows, width, work.subarray(at))
    for (let i = 0; i < rows; i++) copyRow(panel, i * width, matrix, (from + i) * n + from, Math.min(width, i + 1))
    panels.push(panel)
  }
  return true
}

function copyRow(a: Float64Array, from: number, b: Float64Array, to: number, count: number): void {
  for (let i = 0; i < count; i++) b[to + i] = a[from + i]!
}

/** L of a block on the diagonal, with zeros above, in place of what is left of the matrix there; false where there is none. */
function factorBlock(panel: Float64Array, width: number): boolean {
  for (let i = 0; i < width; i++) {
    const row = i * width
    for (let j = 0; j < i; j++) {
      panel[row + j] = (panel[row + j]! - dotOfRows(panel, row, panel, j * width, j)) / panel[j * width + j]!
    }
    const square = panel[row + i]! - dotOfRows(panel, row, panel, row, i)
    panel[row + i] = Math.sqrt(square)
    if (!(square > 0 && square < Infinity)) return false
    panel.fill(0, row + i + 1, row + width)
  }
  return true
}

/** X · Lᵀ = what stands below L in its panel: by the inverse of L, and once more for what that left over by rounding. */
function solveBelow(panel: Float64Array, rows: number, width: number, work: Float64Array): void {
  const count = rows - width
  if (count === 0) return
  const below = panel.subarray(width * width)
  const [rest, solved] = partsOf(work, count * width, count * width)
  rest.set(below)
  const inverse = inverseOfBlock(panel, width, 0, width)
  const sizes = { m: count, n: width, k: width, transposeB: true }
  matmul(rest, inverse, solved, sizes)
  matmul(solved, panel.subarray(0, width * width), rest, { ...sizes, alpha: -1, beta: 1 })
  matmul(rest, inverse, solved, { ...sizes, beta: 1 })
  below.set(solved)
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

/** L⁻¹ of a lower triangle, with zeros above its diagonal, into `inverse`. */
export function inverseOfLower(lower: Float64Array, n: number, inverse: Float64Array): void {
  for (let from = 0; from < n; from += block) {
    const width = Math.min(block, n - from)
    const [left, product] = partsOf(scratchOf(2 * block * n), width * from, width * n)
    for (let i = 0; i < width; i++) copyRow(lower, (from + i) * n, left, i * from, from)
    const own = inverseOfBlock(lower, n, from, width)
    const rows = inverse.subarray(from * n, (from + width) * n)
    if (from > 0) matmul(left, inverse.subarray(0, from * n), product, { m: width, n, k: from, alpha: -1 })
    else product.fill(0)
    for (let i = 0; i < width; i++) product[i * n + from + i] = 1
    matmul(own, product, rows, { m: width, n, k: width })
  }
}

const partsOf = (array: Float64Array, first: number, second: number) =>
  [array.subarray(0, first), array.subarray(first, first + second)] as const

/** The inverse of the lower triangle of a block on the diagonal, with zeros above. */
function inverseOfBlock(lower: Float64Array, n: number, from: number, width: number): Float64Array {
  const inverse = new Float64Array(width * width)
  for (let i = 0; i < width; i++) {
    const row = (from + i) * n + from
    const own = 1 / lower[row + i]!
    inverse[i * width + i] = own
    for (let j = 0; j < i; j++) {
      let sum = 0
      for (let k = j; k < i; k++) sum += lower[row + k]! * inverse[k * width + j]!
      inverse[i * width + j] = -sum * own
    }
  }
  return inverse
}

/** aᵀ · a */
export const productWithItself = (a: Float64Array, n: number, product: Float64Array): Float64Array =>
  matmul(a, a, product, { m: n, n, k: n, transposeA: true })

/** Rows of n numbers, each multiplied by a square matrix from the right. */
export const rowsTimes = (rows: Float64Array, count: number, matrix: Float64Array, n: number, product: Float64Array) =>
  matmul(rows, matrix, product, { m: count, n, k: n })

/** Σ weight · row over the rows of a matrix. */
export const weightedSum = (weights: Float64Array, rows: Float64Array, sum: Float64Array): Float64Array =>
  matmul(weights, rows, sum, { m: 1, n: sum.length, k: weights.length })

/** The product of each row of a matrix with x. */
export const productsWith = (rows: Float64Array, x: Float64Array, products: Float64Array): Float64Array =>
  matmul(rows, x, products, { m: products.length, n: 1, k: x.length })

export function transposed(matrix: Float64Array, n: number): Float64Array {
  const turned = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) turned[j * n + i] = matrix[i * n + j]!
  return turned
}
