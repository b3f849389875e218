// The Gaussian process of the search: against scikit-learn and mpmath, gradients against differences.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inverseOfFactor, productWithItself } from '../dist/search/linear-algebra.js'
import { Acquisition } from '../dist/search/samplers/gaussian-process/acquisition.js'
import { Evidence } from '../dist/search/samplers/gaussian-process/evidence.js'
import {
  logExpectedImprovement,
  logImprovement,
  slopesOfLogImprovement,
} from '../dist/search/samplers/gaussian-process/expected-improvement.js'
import { fit } from '../dist/search/samplers/gaussian-process/fit.js'
import { Posterior } from '../dist/search/samplers/gaussian-process/posterior.js'
import { Success } from '../dist/search/samplers/gaussian-process/success.js'
import { Together } from '../dist/search/samplers/gaussian-process/together.js'
import { minimize } from '../dist/train/lbfgs/minimize.js'
import { numbers } from './support/reference.js'

const test = suite('Gaussian process')
const fixture = JSON.parse(readFileSync(new URL('fixtures/search/gaussian-process.json', import.meta.url), 'utf8'))

const pointsOf = ({ points, isCategory }) => ({
  count: points.length,
  data: Float64Array.from(points.flat()),
  isCategory,
})
const hyperparametersOf = ({ weights, scale, noise }) => ({ weights: Float64Array.from(weights), scale, noise })
const posteriorOf = (problem) =>
  new Posterior(pointsOf(problem), Float64Array.from(problem.values), hyperparametersOf(problem))

function near(actual, expected, tolerance, what) {
  const difference = Math.abs(actual - expected)
  assert.ok(difference <= tolerance, `${what}: ${actual}, expected ${expected}, ${difference} apart`)
}

/** The product of two matrices, as one would write it. */
function times(a, b, n) {
  const product = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) product[i * n + j] += a[i * n + k] * b[k * n + j]
  return product
}

/** (f(x + h e) − f(x − h e)) / 2h for each coordinate. */
function differences(f, x, h = 1e-6) {
  return x.map((_, i) => {
    const [above, below] = [x.slice(), x.slice()]
    above[i] += h
    below[i] -= h
    return (f(above) - f(below)) / (2 * h)
  })
}

test('mean and deviation are those of scikit-learn', () => {
  for (const problem of fixture.posterior) {
    const posterior = posteriorOf(problem)
    for (const [i, row] of problem.at.entries()) {
      const { mean, deviation } = posterior.at(Float64Array.from(row))
      near(mean, problem.mean[i], 1e-8, 'mean')
      near(deviation, problem.deviation[i], 1e-8, 'deviation')
    }
  }
})

test('many points at once are believed as one by one', () => {
  for (const problem of fixture.posterior) {
    const posterior = posteriorOf(problem)
    const rows = Array.from({ length: 300 }, (_, i) => Float64Array.from(problem.at[i % problem.at.length]))
    for (const [i, { mean, deviation }] of posterior.atAll(rows).entries()) {
      near(mean, problem.mean[i % problem.at.length], 1e-8, 'mean')
      near(deviation, problem.deviation[i % problem.at.length], 1e-8, 'deviation')
    }
  }
})

test('many points at once promise what they do one by one, also beside a trial without a result', () => {
  const [problem] = fixture.posterior
  const rows = problem.at.map((row) => Float64Array.from(row))
  const beside = rows[0].map((x) => x + 1e-3)
  const acquisition = new Acquisition(posteriorOf(problem), 0, [beside])
  const all = acquisition.atAll(rows)
  for (const [i, row] of rows.entries()) near(all[i], acquisition.at(row), 1e-9, `point ${i}`)
  assert.ok(all[0] < new Acquisition(posteriorOf(problem), 0).at(rows[0]) - 1)
})

test('gradients of mean and deviation are those of differences', () => {
  const posterior = posteriorOf(fixture.posterior[1])
  for (const row of fixture.posterior[1].at.slice(1)) {
    const x = Float64Array.from(row)
    const { ofMeans: ofMean, ofDeviations: ofDeviation } = posterior.withGradients([x])
    const [mean, deviation] = ['mean', 'deviation'].map((key) => differences((at) => posterior.at(at)[key], x))
    for (let i = 0; i < x.length; i++) {
      near(ofMean[i], posterior.points.isCategory[i] ? 0 : mean[i], 1e-7, 'mean')
      near(ofDeviation[i], posterior.points.isCategory[i] ? 0 : deviation[i], 1e-7, 'deviation')
    }
  }
})

test('values and gradients of points side by side are those of each alone, to the bit', () => {
  for (const problem of fixture.posterior) {
    const rows = problem.at.map((row) => Float64Array.from(row))
    const acquisition = new Acquisition(posteriorOf(problem), 0, [rows[0].map((x) => x + 1e-3)])
    const { values, gradients } = acquisition.withGradients(rows)
    for (const [i, row] of rows.entries()) {
      const alone = acquisition.withGradients([row])
      assert.equal([values[i], gradients[i]], [alone.values[0], alone.gradients[0]])
      assert.is(values[i], acquisition.at(row))
    }
  }
})

test('searches side by side are answered when all that are left wait, and told of what was thrown', async () => {
  const asked = []
  const together = new Together(3, (some) => {
    asked.push(some.length)
    if (some.includes(-1)) throw new Error('below zero')
    return some.map((x) => 2 * x)
  })
  const search = async (numbers) => {
    try {
      const found = []
      for (const number of numbers) found.push(await together.ask(number))
      return found
    } catch ({ message }) {
      return message
    } finally {
      together.leave()
    }
  }
  assert.equal(await Promise.all([search([1, 2, 3, -1]), search([4]), search([5, 6])]), ['below zero', [8], [10, 12]])
  assert.equal(asked, [3, 2, 1, 1])
})

test('the evidence is scikit-learn’s likelihood with the prior, its gradient that of differences', () => {
  for (const [number, problem] of fixture.posterior.entries()) {
    const evidence = new Evidence(pointsOf(problem), Float64Array.from(problem.values))
    const { weights, scale, noise, values } = problem
    const logarithms = Float64Array.from([...weights, scale, Math.max(noise - 1e-6, 1e-9)].map(Math.log))
    const prior = weights.reduce((sum, w) => sum + 0.1 / w + 0.1 * w, 0) + scale - Math.log(scale) + 30 * noise
    const expected = -problem.evidence - (values.length / 2) * Math.log(2 * Math.PI) + prior - 0.1 * Math.log(noise)
    if (noise > 1e-6) near(evidence.at(logarithms).value, expected, 1e-8, 'evidence')
    for (const shift of [0, 0.7, -0.9]) {
      const at = logarithms.map((x, i) => x + shift * numbers(x.length ?? 9, number + 1)[i % 9])
      const found = evidence.at(at).gradient
      for (const [i, slope] of differences((x) => evidence.at(x).value, at, 1e-5).entries()) {
        near(found[i], slope, 1e-6 * (1 + Math.abs(slope)), `gradient ${i}`)
      }
    }
  }
})

test('a fit that begins with a part of many points ends where one with all of them does', async () => {
  for (const [width, count, f] of [
    [2, 130, ([x, y]) => Math.sin(6 * x) + 0.3 * y],
    [4, 200, (row) => row.reduce((sum, x) => sum + (x - 0.3) ** 2, 0)],
    [3, 140, ([x, y, z]) => Math.floor(4 * x) + y * z],
  ]) {
    const data = Float64Array.from(numbers(count * width, 7), (x) => 0.5 + 0.5 * x)
    const points = { count, data, isCategory: Array(width).fill(false) }
    const values = Float64Array.from({ length: count }, (_, i) => f(data.slice(i * width, (i + 1) * width)) - 0.5)
    const evidence = new Evidence(points, values)
    let lowest = Infinity
    for (const noise of [0.1, 1e-3]) {
      const start = new Float64Array(width + 2)
      start[width + 1] = Math.log(noise)
      const options = { gradientTolerance: 1e-2, maxIterations: 100 }
      lowest = Math.min(lowest, (await minimize((x) => evidence.at(x), start, options)).value)
    }
    const { weights, scale, noise } = await fit(points, values)
    const found = evidence.at(Float64Array.of(...weights, scale, Math.max(noise - 1e-6, 1e-300)).map(Math.log)).value
    assert.ok(found <= lowest + 0.05, `${found}, ${lowest} with all`)
  }
})

test('the inverse of Cholesky’s factor, and what it is of the matrix, of all sizes', () => {
  for (const n of [1, 2, 3, 4, 5, 8, 13, 31, 32, 33, 63, 64, 65, 100, 130]) {
    const random = numbers(n * n, n)
    const matrix = new Float64Array(n * n)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        for (let k = 0; k < n; k++) matrix[i * n + j] += random[i * n + k] * random[j * n + k]
        matrix[i * n + j] += i === j ? 1 : 0
      }
    const lower = matrix.slice()
    // What stands above the diagonal is not to be read.
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) lower[i * n + j] = Number.NaN
    const factor = new Float64Array(n * n).fill(Number.NaN)
    assert.is(inverseOfFactor(lower, n, factor), true)
    const inverse = productWithItself(factor, n, new Float64Array(n * n))
    const half = times(factor, matrix, n)
    const at = (i, j) => (i < j ? inverse[j * n + i] : inverse[i * n + j])
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        if (j > i) assert.is(factor[i * n + j], 0)
        let [whitened, identity] = [0, 0]
        for (let k = 0; k <= j; k++) whitened += half[i * n + k] * factor[j * n + k]
        for (let k = 0; k < n; k++) identity += matrix[i * n + k] * at(k, j)
        near(whitened, i === j ? 1 : 0, 1e-12 * n, `factor of ${n}`)
        near(identity, i === j ? 1 : 0, 1e-10 * n, `inverse of ${n}`)
      }
    const indefinite = matrix.slice()
    indefinite[n * n - 1] -= 1 / factor[n * n - 1] ** 2 + 1e-3
    assert.is(inverseOfFactor(indefinite, n, factor), false)
  }
})

test('log expected improvement has its digits down to −40 deviations, and beyond', () => {
  for (const [z, expected] of fixture.improvement)
    near(logImprovement(z), expected, 1e-11 * Math.abs(expected) + 1e-12, z)
  near(logExpectedImprovement(3, 2, 1), logImprovement(-1) + Math.log(2), 1e-15, 'scaled')
})

test('its slopes are those of differences', () => {
  for (const z of [-60.5, -59, -40, -12, -3, -1.01, -0.99, 0, 2, 9]) {
    const { byMean, byDeviation } = slopesOfLogImprovement(0.3, 1.7, 0.3 + 1.7 * z)
    const best = 0.3 + 1.7 * z
    const [mean, deviation] = differences(([m, d]) => logExpectedImprovement(m, d, best), [0.3, 1.7], 1e-6)
    near(byMean, mean, 1e-6 * (1 + Math.abs(mean)), `mean at ${z}`)
    near(byDeviation, deviation, 1e-6 * (1 + Math.abs(deviation)), `deviation at ${z}`)
  }
})

test('what is believed of pending points leaves the mean and takes the doubt away', () => {
  const posterior = posteriorOf(fixture.posterior[0])
  const row = Float64Array.from(fixture.posterior[0].at[3])
  const before = posterior.at(row)
  const believed = posterior.believing([row])
  near(believed.at(row).mean, before.mean, 1e-6, 'mean')
  assert.ok(believed.at(row).deviation < 0.01 * before.deviation)
  const elsewhere = Float64Array.from(fixture.posterior[0].at[5])
  near(believed.at(elsewhere).mean, posterior.at(elsewhere).mean, 1e-6, 'mean elsewhere')
  assert.is(posterior.believing([]), posterior)
})

test('what is promised falls near pending trials, and its gradient is that of differences there', () => {
  const posterior = posteriorOf(fixture.posterior[1])
  const rows = fixture.posterior[1].at.map((row) => Float64Array.from(row))
  const { isCategory } = posterior.points
  const pending = [rows[1].map((x, i) => (isCategory[i] ? x : x + 0.004)), rows[2]]
  const acquisition = new Acquisition(posterior, 0, pending)
  const alone = new Acquisition(posterior, 0)
  for (const [number, row] of rows.slice(1, 5).entries()) {
    // At a pending trial itself there is nothing to climb.
    const at = number === 1 ? row.map((x, i) => (isCategory[i] ? x : x - 0.01)) : row
    const { values, gradients } = acquisition.withGradients([at])
    const [gradient] = gradients
    near(values[0], acquisition.at(at), 1e-12, 'value')
    const expected = differences((x) => acquisition.at(x), at)
    for (const [i, slope] of gradient.entries()) {
      if (!isCategory[i]) near(slope, expected[i], 1e-5 * (1 + Math.abs(expected[i])), `gradient ${i} at ${number}`)
    }
  }
  assert.ok(acquisition.at(rows[1]) < alone.at(rows[1]) - 1, 'near')
  assert.ok(acquisition.at(rows[2]) < alone.at(rows[2]) - 100, 'at one')
  near(acquisition.at(rows[4]), alone.at(rows[4]), 1e-3, 'elsewhere')
})

test('what is promised falls where trials fail, and its gradient is that of differences', async () => {
  const problem = fixture.posterior[1]
  const points = pointsOf(problem)
  const column = problem.isCategory.indexOf(false)
  const ended = problem.points.map((row) => ({ failed: row[column] > 0.6 }))
  const success = await Success.of({}, points, ended)
  for (const [i, row] of problem.points.entries()) {
    const chance = success.at(Float64Array.from(row))
    assert.ok(ended[i].failed ? chance < 2 * Math.log(0.5) : chance > 2 * Math.log(0.5), `${chance} at ${i}`)
  }
  const posterior = posteriorOf(problem)
  const [acquisition, alone] = [new Acquisition(posterior, 0, [], success), new Acquisition(posterior, 0)]
  const rows = problem.at.map((row) => Float64Array.from(row))
  for (const [number, value] of acquisition.atAll(rows).entries()) {
    near(value, alone.at(rows[number]) + success.at(rows[number]), 1e-8, `value ${number}`)
  }
  for (const row of rows.slice(1)) {
    const { values, gradients } = acquisition.withGradients([row])
    const [gradient] = gradients
    near(values[0], acquisition.at(row), 1e-9, 'value')
    for (const [i, slope] of differences((x) => acquisition.at(x), row).entries()) {
      if (!posterior.points.isCategory[i]) near(gradient[i], slope, 1e-5 * (1 + Math.abs(slope)), `gradient ${i}`)
    }
  }
})

test.run()
