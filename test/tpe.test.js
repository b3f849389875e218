// The tree-structured Parzen estimator: densities against Optuna's, and what it makes of trials.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { kernelWeights, ParzenEstimator } from '../dist/search/samplers/tpe/parzen.js'

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
      observed.map((c) => Float64Array.from(c)),
      count,
    )
    for (const [row, point] of rowsOf(at).entries()) {
      const found = estimator.logDensity(point)
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
  const { columns, observed } = fixture.estimators.at(-2)
  const estimator = new ParzenEstimator(
    columns.map(columnOf),
    observed.map((c) => Float64Array.from(c)),
    observed[0].length,
  )
  assert.ok(estimator)
})

test.run()
