// Dense linear algebra of the search, against what its results must satisfy; the normal distribution against known values.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cumulative, logCumulative, logMassBetween, quantile } from '../dist/normal.js'
import { inverseOfFactor, productsWith, rowsTimes } from '../dist/search/linear-algebra.js'
import { numbers } from './support/reference.js'

const test = suite('linear algebra')

/** A · Aᵀ + n · shift of random numbers, symmetric. */
function symmetric(n, shift) {
  const a = numbers(n * n, n + 1)
  const at = (i, j) => {
    let sum = i === j ? shift : 0
    for (let k = 0; k < n; k++) sum += a[i * n + k] * a[j * n + k]
    return sum
  }
  return Float64Array.from({ length: n * n }, (_, i) => at(Math.floor(i / n), i % n))
}
const apply = (matrix, x) => x.map((_, i) => x.reduce((sum, value, j) => sum + matrix[i * x.length + j] * value, 0))
const farthest = (a, b) => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0)

test('solutions by the inverse of Cholesky’s factor', () => {
  for (const n of [1, 2, 3, 4, 5, 7, 17, 40, 77]) {
    const matrix = symmetric(n, 0.5)
    const expected = Float64Array.from(numbers(n, 3))
    const inverse = new Float64Array(n * n)
    assert.ok(inverseOfFactor(matrix, n, inverse))
    const right = apply(matrix, expected)
    const halves = [
      productsWith(inverse, right, new Float64Array(n)),
      rowsTimes(right, 1, inverse, n, new Float64Array(n), true),
    ]
    for (const half of halves) {
      const x = rowsTimes(half, 1, inverse, n, new Float64Array(n))
      assert.ok(farthest(x, expected) < 1e-10, `solution of ${n}: ${farthest(x, expected)}`)
    }
  }
})

test('Cholesky refuses what is not positive definite', () => {
  for (const matrix of [
    [1, 2, 2, 1],
    [-1, 0, 0, 1],
    [Number.NaN, 0, 0, 1],
    [0, 0, 0, 0],
    [Infinity, 0, 0, 1],
  ]) {
    assert.not(inverseOfFactor(Float64Array.from(matrix), 2, new Float64Array(4)), String(matrix))
  }
})

test('the normal distribution, far into its tails', () => {
  // By mpmath, 30 digits.
  const known = [
    [-38, 2.88542835e-316, -726.5572160188201],
    [-12.5, 3.732564298877713e-36, -81.57596787074388],
    [-3, 0.0013498980316300946, -6.607726221510349],
    [-0.3, 0.3820885778110474, -0.9621028181688507],
    [0, 0.5, -Math.LN2],
    [1.25, 0.8943502263331448, -0.11165782847292517],
    [5, 0.9999997133484281, -2.866516129637636e-7],
  ]
  for (const [z, below, logarithm] of known) {
    assert.ok(Math.abs(cumulative(z) / below - 1) < 1e-8, `below ${z}: ${cumulative(z)}`)
    assert.ok(Math.abs(logCumulative(z) / logarithm - 1) < 1e-12, `log below ${z}: ${logCumulative(z)}`)
    if (z < 5 && z > -38) assert.ok(Math.abs(quantile(cumulative(z)) - z) < 1e-13 * (1 + Math.abs(z)), `quantile ${z}`)
  }
  const between = [
    [-40, -39, -765.0831565643775],
    [-3, 2, -0.024395187554887333],
    [20, 20.5, -203.917194464609],
  ]
  for (const [a, b, logarithm] of between) assert.ok(Math.abs(logMassBetween(a, b) - logarithm) < 1e-11, `${a} … ${b}`)
})

test.run()
