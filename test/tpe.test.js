// The tree-structured Parzen estimator: densities against Optuna's, and what it makes of trials.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { kernelWeights, ParzenEstimator } from '../dist/search/samplers/tpe/parzen.js'
import { Draws } from '../dist/search/space/draws.js'

const test = suite('TPE')
const fixture = JSON.parse(readFileSync(new URL('fixtures/search/tpe.json', import.meta.url), 'utf8'))

const cellsOf = (edges) => ({
  edge: (index) => edges[index],
  indexAt: (unit) => Math.max(0, Math.min(edges.length - 2, edges.findIndex((edge) => edge > unit) - 1)),
})
const columnOf = ({ kind, size, edges }) =>
  kind === 'category' ? { kind, size } : { kind, cells: edges && cellsOf(edges) }
const rowsOf = (columns) => columns[0].map((_, row) => Float64Array.from(columns, (column) => column[row]))

test('log densities are those of Optuna’s Parzen estimators', () => {
  for (const { columns, observed, at, densities } of fixture.estimators) {
    const count = observed[0].length
    const estimator = new ParzenEstimator(
      columns.map(columnOf),
      observed.map((c) => Float64Array.of(...c, 0.5)),
      count,
    )
    for (const [row, point] of rowsOf(at).entries()) {
      const [found] = estimator.logDensities(point)
      const difference = Math.abs(found - densities[row])
      assert.ok(difference <= 1e-9, `${columns.length} columns, ${count} points: ${found}, not ${densities[row]}`)
    }
  }
})

test('weights fall with age', () => {
  for (const [count, weights] of Object.entries(fixture.weights)) {
    const sum = weights.reduce((total, weight) => total + weight, 1)
    for (const [i, weight] of kernelWeights(Number(count)).entries()) {
      assert.ok(Math.abs(weight - (weights[i] ?? 1) / sum) < 1e-15, `${i} of ${count}`)
    }
  }
})

test('samples are distributed as the density', () => {
  // Cells and categories, 6 × 3 of them: shares of 40,000 samples against the density, by χ².
  const edges = Array.from({ length: 7 }, (_, i) => Math.log(1 + i) / Math.log(7))
  const columns = [
    { kind: 'number', cells: cellsOf(edges) },
    { kind: 'category', size: 3 },
  ]
  const middle = (cell) => (edges[cell] + edges[cell + 1]) / 2
  const observed = [Float64Array.of(middle(0), middle(2), middle(5), 0.5), Float64Array.of(0, 1, 1, 0.5)]
  const estimator = new ParzenEstimator(columns, observed, 3)
  const draws = new Draws(9, 0, 0)
  const counts = new Map()
  const all = 40_000
  for (let i = 0; i < all; i++) {
    const point = new Float64Array(2)
    estimator.sample(() => draws.next(), point, 0)
    const [unit, category] = point
    const key = `${cellsOf(edges).indexAt(unit)} ${category}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  let [sum, chi] = [0, 0]
  for (let cell = 0; cell < 6; cell++) {
    for (let category = 0; category < 3; category++) {
      const share = Math.exp(estimator.logDensities(Float64Array.of(middle(cell), category))[0])
      chi += ((counts.get(`${cell} ${category}`) ?? 0) - share * all) ** 2 / (share * all)
      sum += share
    }
  }
  assert.ok(Math.abs(sum - 1) < 1e-12, `shares of all: ${sum}`)
  assert.ok(chi < 33.4, `χ² of 17 degrees is ${chi}, where one in a hundred is over 33.4`)
})

test.run()
