// Which parameters matter: against Optuna's PED-ANOVA, against variances that are known, and on spaces that nobody honest wrote.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { importanceOf } from '../dist/study/importance.js'
import { parametersOf } from '../dist/study/parameters.js'

const fixture = JSON.parse(readFileSync(new URL('fixtures/search/importance.json', import.meta.url), 'utf8'))

/** The space of the fixture's script, as a study has it. */
const space = {
  rate: { kind: 'logUniform', low: 1e-6, high: 10 },
  dropout: { kind: 'uniform', low: 0, high: 0.7 },
  share: { kind: 'uniform', low: 0, high: 1, step: 0.125 },
  units: { kind: 'integer', low: 32, high: 512, log: true },
  layers: { kind: 'integer', low: 1, high: 7 },
  width: { kind: 'integer', low: 1, high: 900 },
  norm: { kind: 'choice', values: ['none', 'batch', 'layer'] },
  optimizer: {
    kind: 'branches',
    branches: {
      adam: { beta: { kind: 'uniform', low: 0.8, high: 0.99 } },
      nesterov: { momentum: { kind: 'uniform', low: 0.5, high: 0.99 } },
    },
  },
}
const columnsOf = (parameters, all) =>
  parameters.map((parameter) => ({ ...parameter, values: all.map((params) => parameter.read(params)) }))

/** In the place of Math.random: mulberry32. */
function random(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

test('shares are those of Optuna, for numbers of all kinds, choices and branches', () => {
  for (const { direction, trials, shares } of fixture.cases) {
    const parameters = parametersOf(space)
    const all = trials.map(({ params: { optimizer, beta, momentum, ...rest } }) => {
      const branch = optimizer === 'adam' ? { beta } : { momentum }
      return { ...rest, optimizer: { name: optimizer, ...branch } }
    })
    const sign = direction === 'minimize' ? 1 : -1
    const losses = Float64Array.from(trials, ({ value }) => sign * value)
    const own = importanceOf(columnsOf(parameters, all), losses)
    for (const [i, { path }] of parameters.entries()) {
      const other = shares[path.split('.').at(-1)]
      assert.ok(Math.abs(own[i] - other) <= 1e-9, `${trials.length} trials, ${path}: ${own[i]}, Optuna ${other}`)
    }
  }
})

test('known shares of the variance come in their order, 20 of 20', () => {
  // The variance of c·x is c²/12, so these are 81, 16, 2.6 and 0 % of it.
  const weights = [0, 2.25, 5, 0.9]
  const names = ['a', 'b', 'c', 'd']
  const parameters = parametersOf(Object.fromEntries(names.map((n) => [n, { kind: 'uniform', low: -1, high: 1 }])))
  for (let seed = 1; seed <= 20; seed++) {
    const next = random(seed)
    const all = Array.from({ length: 2000 }, () => Object.fromEntries(names.map((name) => [name, 2 * next() - 1])))
    const losses = Float64Array.from(all, (params) =>
      names.reduce((sum, name, i) => sum + weights[i] * params[name], 0),
    )
    const shares = importanceOf(columnsOf(parameters, all), losses)
    const order = [...names].sort((x, y) => shares[names.indexOf(y)] - shares[names.indexOf(x)])
    assert.is(order.join(''), 'cbda', `seed ${seed}: ${shares}`)
    assert.ok(Math.abs(shares.reduce((a, b) => a + b) - 1) < 1e-12)
  }
})

test('a parameter of a branch is judged among the trials of its branch', () => {
  const next = random(5)
  const all = Array.from({ length: 600 }, () => {
    const branch = next() < 0.5 ? { name: 'adam', beta: 0.8 + 0.19 * next() } : { name: 'nesterov', momentum: next() }
    return { optimizer: branch, rate: next() }
  })
  const parameters = parametersOf({
    optimizer: space.optimizer,
    rate: { kind: 'uniform', low: 0, high: 1 },
  })
  // Which branch says nothing, nor does the momentum: a value that is not there is no value of its own.
  const losses = Float64Array.from(all, ({ optimizer }) =>
    optimizer.name === 'adam' ? (optimizer.beta - 0.8) / 0.19 : next(),
  )
  const shares = new Map(
    importanceOf(columnsOf(parameters, all), losses).map((share, i) => [parameters[i].path, share]),
  )
  assert.ok(shares.get('optimizer.adam.beta') > 0.8, JSON.stringify([...shares]))
  assert.ok(shares.get('optimizer.nesterov.momentum') < 0.1)
})

test('where the best cannot be told from the rest there are no shares', () => {
  const parameters = parametersOf({ a: { kind: 'uniform', low: 0, high: 1 } })
  const all = Array.from({ length: 30 }, (_, i) => ({ a: i / 30 }))
  assert.equal(importanceOf(columnsOf(parameters, all), new Float64Array(30)), [0])
  assert.equal(importanceOf(columnsOf(parameters, all), new Float64Array(30).fill(Number.POSITIVE_INFINITY)), [0])
})

test('parameters are read from what stands in a file, and never trusted', () => {
  const read = parametersOf(space)
  const names = ['rate', 'dropout', 'share', 'units', 'layers', 'width', 'norm', 'optimizer']
  assert.equal(
    read.map(({ path }) => path),
    [...names, 'optimizer.adam.beta', 'optimizer.nesterov.momentum'],
  )
  assert.equal(read.map(({ size }) => size).filter(Number.isFinite), [9, 481, 7, 900, 3, 2])
  const [beta] = read.filter(({ path }) => path.endsWith('beta'))
  assert.is(beta.read({ optimizer: { name: 'adam', beta: 0.9 } }), 0.9)
  for (const params of [{}, { optimizer: null }, { optimizer: 'adam' }, { optimizer: { name: 'nesterov', beta: 0.9 } }])
    assert.ok(Number.isNaN(beta.read(params)), JSON.stringify(params))
  assert.ok(Number.isNaN(read[0].read({ rate: -1 })), 'no logarithm')
  assert.ok(Number.isNaN(read[0].read({ rate: '0.1' })))

  const odd = {
    ...{ a: null, b: 3, c: [], d: {}, e: { low: 'x' }, f: { low: 2, high: 1 } },
    toString: { kind: 'uniform', low: 0, high: 1 },
    deep: { branches: { x: null, y: 5 } },
    ['n'.repeat(1e5)]: { values: ['v'.repeat(1e5), null, { k: [1] }] },
  }
  const [inherited, deep, long, ...more] = parametersOf(odd)
  assert.equal(more, [])
  assert.ok(Number.isNaN(inherited.read({})), 'what an object inherits is no value')
  assert.equal(deep.choices, ['x', 'y'])
  assert.ok(long.path.length <= 100 && long.choices.every((text) => text.length <= 100))
  assert.is(long.read({ ['n'.repeat(1e5)]: { k: [1] } }), 2)
  let nested = { a: { kind: 'uniform', low: 0, high: 1 } }
  for (let i = 0; i < 60; i++) nested = { a: { branches: { b: nested } } }
  assert.ok(parametersOf(nested).length < 20)
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`p${i}`, { low: 0, high: 1 }]))
  assert.is(parametersOf(many).length, 256)
})

test.run()
