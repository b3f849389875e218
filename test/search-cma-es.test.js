// CMA-ES against PyPI's cmaes, and as a sampler.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { symmetricEigen } from '../dist/search/eigen.js'
import { begin, next, populationOf, sample } from '../dist/search/samplers/cma-es/evolution.js'
import { cmaEs } from '../dist/search/samplers/cma-es.js'
import { Draws } from '../dist/search/space/draws.js'
import { choice, integer, logUniform, uniform } from '../dist/search/space/parameters.js'
import { checkSpace } from '../dist/search/space/space.js'

const evolution = suite('search cma-es')

evolution('eigenvalues: of a matrix that has known ones, and vectors that belong to them', () => {
  const n = 12
  const second = Float64Array.from({ length: n * n }, (_, k) => {
    const away = Math.abs(Math.floor(k / n) - (k % n))
    return away === 0 ? 2 : away === 1 ? -1 : 0
  })
  const values = [...symmetricEigen(second, n).values].sort((a, b) => a - b)
  for (const [k, value] of values.entries())
    assert.ok(Math.abs(value - (2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)))) < 1e-14)
  for (let seed = 0; seed < 20; seed++) {
    const draws = new Draws(seed, 0, 97)
    const half = Array.from({ length: n * n }, () => draws.normal() * 10 ** (6 * draws.next() - 3))
    const matrix = Float64Array.from(half, (_, k) => half[k] + half[(k % n) * n + Math.floor(k / n)])
    const { values, vectors } = symmetricEigen(matrix, n)
    const size = Math.max(...values.map(Math.abs))
    for (let j = 0; j < n; j++)
      for (let i = 0; i < n; i++) {
        let product = 0
        let inner = 0
        for (let k = 0; k < n; k++) {
          product += matrix[i * n + k] * vectors[k * n + j]
          inner += vectors[k * n + i] * vectors[k * n + j]
        }
        assert.ok(Math.abs(product - values[j] * vectors[i * n + j]) < 1e-13 * size)
        assert.ok(Math.abs(inner - (i === j ? 1 : 0)) < 1e-13)
      }
  }
  const [low, high] = symmetricEigen(new Float64Array([0, 1, 1, 0]), 2).values.toSorted()
  assert.ok(Math.abs(low + 1) < 1e-15 && Math.abs(high - 1) < 1e-15)
  assert.equal([...symmetricEigen(new Float64Array(9), 3).values], [0, 0, 0])
})

/** As the script of the fixture makes them. */
function* numbers() {
  let state = 1
  for (;;) {
    let total = 0
    for (let i = 0; i < 12; i++) {
      state = (state * 16807) % 2147483647
      total += state
    }
    yield total / 2147483647 - 6
  }
}

function rosenbrock(x) {
  let total = 0
  for (let i = 0; i + 1 < x.length; i++)
    total += 100 * (x[i + 1] - x[i] * x[i]) * (x[i + 1] - x[i] * x[i]) + (1 - x[i]) * (1 - x[i])
  return total
}

evolution('fifty generations are those of PyPI’s cmaes, from the same numbers', () => {
  const fixture = JSON.parse(readFileSync(new URL('fixtures/search/cma-es.json', import.meta.url), 'utf8'))
  const source = numbers()
  const near = (actual, expected, what) => {
    for (const [i, value] of [actual].flat().entries())
      assert.ok(Math.abs(value - [expected].flat()[i]) <= 1e-10 * Math.max(1, Math.abs(value)), `${what}: ${value}`)
  }
  let state = begin(new Float64Array(5).fill(-3), 0.01)
  assert.is(populationOf(5), fixture.population)
  for (const [generation, { mean, sigma }] of fixture.generations.entries()) {
    const tried = Array.from({ length: populationOf(5) }, () => {
      const x = sample(
        state,
        Float64Array.from({ length: 5 }, () => source.next().value),
      )
      return { x, loss: rosenbrock(x) }
    })
    state = next(state, tried)
    near([...state.mean], mean, `mean of ${generation}`)
    near(state.sigma, sigma, `sigma of ${generation}`)
  }
  assert.is(state.generation, 50)
  near([...state.covariance], fixture.covariance, 'covariance')
  near([...state.sizePath], fixture.sizePath, 'path of the step size')
  near([...state.covariancePath], fixture.covariancePath, 'path of the covariance')
})

/** One trial after the other; returns the parameters and values. */
function inTurn(space, count, objective, { direction = 'minimize', seed = 3 } = {}) {
  const trials = []
  while (trials.length < count) {
    const params = cmaEs().suggest({ space, trials: [...trials].reverse(), direction, seed, number: trials.length })
    if (params === null) break
    trials.push({ number: trials.length, params, state: 'complete', value: objective(params) })
  }
  return trials
}

evolution('a sampler finds the bottom of a bowl, by either direction, on a logarithm too', () => {
  const space = checkSpace({ a: uniform(-3, 5), rate: logUniform(1e-6, 1), c: uniform(0, 10) })
  const bowl = ({ a, rate, c }) => (a - 1) ** 2 + (Math.log10(rate) + 3.5) ** 2 + (c - 7 + a) ** 2
  for (const seed of [1, 2]) {
    const least = Math.min(...inTurn(space, 300, bowl, { seed }).map(({ value }) => value))
    assert.ok(least < 1e-6, String(least))
    const most = Math.max(
      ...inTurn(space, 300, (params) => -bowl(params), { seed, direction: 'maximize' }).map(({ value }) => value),
    )
    assert.is(most, -least)
  }
})

evolution('choices and branches are drawn, integers are whole, a finite space ends', () => {
  const space = checkSpace({
    whole: integer(1, 64, { log: true }),
    step: uniform(0, 1, { step: 0.25 }),
    kind: choice(['a', 'b']),
    branch: choice({ p: { q: uniform(0, 1) }, r: {} }),
  })
  const trials = inTurn(space, 200, ({ whole, step }) => Math.abs(whole - 20) + step)
  for (const { params } of trials) space.point(params)
  const share = (pick) => trials.filter(({ params }) => pick(params)).length / trials.length
  assert.ok(Math.abs(share(({ kind }) => kind === 'a') - 0.5) < 0.15)
  assert.ok(Math.abs(share(({ branch }) => branch.name === 'p') - 0.5) < 0.15)
  const late = trials.slice(-40).map(({ params }) => Math.abs(params.whole - 20))
  assert.ok(late.reduce((sum, away) => sum + away, 0) / late.length < 5, String(late))
  const finite = checkSpace({ a: integer(0, 7), b: choice([1, 2, 3]) })
  const all = inTurn(finite, 100, ({ a, b }) => a + b)
  assert.is(new Set(all.map(({ params }) => JSON.stringify(params))).size, 24)
  assert.is(all.length, 24)
  assert.is(inTurn(checkSpace({ b: choice([1, 2, 3]) }), 100, () => 0).length, 3)
})

evolution('points of others far from where it looks do not drive it out of the ranges', () => {
  const space = checkSpace({ a: uniform(0, 1), b: uniform(0, 1) })
  const bowl = ({ a, b }) => (a - 0.3) ** 2 + (b - 0.6) ** 2
  const own = inTurn(space, 240, bowl)
  const far = Array.from({ length: 6 }, (_, i) => {
    const params = { a: i / 5, b: 1 }
    return { number: 240 + i, params, state: 'complete', value: bowl(params) }
  })
  const trials = [...own, ...far]
  for (let number = trials.length; number < 500; number++) {
    const params = cmaEs().suggest({ space, trials, direction: 'minimize', seed: 3, number })
    trials.push({ number, params, state: 'complete', value: bowl(params) })
  }
  const last = Math.min(...trials.slice(-60).map(({ value }) => value))
  assert.ok(last < 1e-4, String(last))
})

evolution('bad options are told', () => {
  assert.throws(() => cmaEs({ population: 3 }), /^population: expected a whole number from 4 up, received 3$/)
  assert.throws(() => cmaEs({ popsize: 8 }), /^cmaEs: there is no option "popsize"/)
})

evolution.run()
