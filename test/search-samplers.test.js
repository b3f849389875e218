// Samplers that look at no results: draws by distribution, Sobol points against SciPy, grids by count.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { grid } from '../dist/search/samplers/grid.js'
import { random } from '../dist/search/samplers/random.js'
import { observed } from '../dist/search/samplers/sampler.js'
import { mostDimensions, SobolSequence, sobol } from '../dist/search/samplers/sobol.js'
import { Draws, streams } from '../dist/search/space/draws.js'
import { choice, integer, logUniform, uniform } from '../dist/search/space/parameters.js'
import { checkSpace } from '../dist/search/space/space.js'
import { chiSquare, chiSquareLimit } from './support/chi-square.js'

const samplers = suite('search samplers')
/** A million where there is time for it. */
const drawn = process.env.GRADUS_SOAK ? 1e6 : 1e5

const asked = (space, number, trials = [], more = {}) => ({
  space,
  trials,
  direction: 'minimize',
  seed: 7,
  number,
  ...more,
})
/** One trial after the other, each ended at once, until `count` or the end. */
function inTurn(sampler, space, count, more) {
  const trials = []
  while (trials.length < count) {
    const params = sampler.suggest(asked(space, trials.length, trials, more))
    if (params === null) break
    trials.push({ number: trials.length, params, state: 'complete', value: 0 })
  }
  return trials.map(({ params }) => params)
}

function assertCounts(values, probabilities, what) {
  const counts = new Map([...probabilities.keys()].map((value) => [value, 0]))
  for (const value of values) counts.set(value, counts.get(value) + 1)
  assert.is(counts.size, probabilities.size, `${what}: ${[...counts.keys()]}`)
  const statistic = chiSquare(
    [...counts.values()],
    [...probabilities.values()].map((share) => share * values.length),
  )
  const limit = chiSquareLimit(probabilities.size - 1)
  assert.ok(statistic < limit, `${what}: ${statistic} of ${limit}`)
}
const evenly = (values) => new Map(values.map((value) => [value, 1 / values.length]))
const decile = (unit) => Math.min(9, Math.floor(10 * unit))
const deciles = evenly([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])

samplers('random draws are distributed as declared', () => {
  const space = checkSpace({
    real: uniform(-3, 5),
    rate: logUniform(1e-6, 10),
    step: uniform(0, 0.7, { step: 0.1 }),
    whole: integer(-2, 4),
    log: integer(1, 40, { log: true }),
    kind: choice(['a', 'b', 'c']),
    branch: choice({ one: { inner: choice({ p: {}, q: {} }) }, two: { at: uniform(0, 1) } }),
  })
  const all = Array.from({ length: drawn }, (_, number) => random().suggest(asked(space, number)))
  const column = (pick) => all.map(pick)
  assertCounts(
    column(({ real }) => decile((real + 3) / 8)),
    deciles,
    'uniform',
  )
  assertCounts(
    column(({ rate }) => decile((Math.log10(rate) + 6) / 7)),
    deciles,
    'logUniform',
  )
  assertCounts(
    column(({ step }) => step),
    evenly([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]),
    'steps',
  )
  assertCounts(
    column(({ whole }) => whole),
    evenly([-2, -1, 0, 1, 2, 3, 4]),
    'integer',
  )
  const total = Math.log(40.5 / 0.5)
  const shares = Array.from({ length: 40 }, (_, i) => [i + 1, Math.log((i + 1.5) / (i + 0.5)) / total])
  assertCounts(
    column(({ log }) => log),
    new Map(shares),
    'log integer',
  )
  assertCounts(
    column(({ kind }) => kind),
    evenly(['a', 'b', 'c']),
    'choice',
  )
  assertCounts(
    column(({ branch }) => branch.inner?.name ?? branch.name),
    new Map([
      ['p', 0.25],
      ['q', 0.25],
      ['two', 0.5],
    ]),
    'branches',
  )
  // Pairs of coordinates of one trial, and of neighbouring trials.
  const pairs = evenly(Array.from({ length: 100 }, (_, i) => i))
  const places = column(({ real }) => decile((real + 3) / 8))
  const others = column(({ rate }) => decile((Math.log10(rate) + 6) / 7))
  assertCounts(
    places.map((place, i) => 10 * place + others[i]),
    pairs,
    'pairs',
  )
  assertCounts(
    places.slice(1).map((place, i) => 10 * place + places[i]),
    pairs,
    'neighbours',
  )
})

samplers('draws are functions of seed, number and draw', () => {
  const at = (seed, number, stream, draw) => new Draws(seed, number, stream).at(draw)
  assert.is(at(1, 2, 0, 3), at(1, 2, 0, 3))
  const all = []
  for (const seed of [0, 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1])
    for (const number of [0, 1, 2 ** 32, 2 ** 40])
      for (const stream of [streams.parameters, streams.scramble])
        for (const draw of [0, 1, 2, 2 ** 20]) all.push(at(seed, number, stream, draw))
  assert.is(new Set(all).size, all.length)
  assert.ok(all.every((value) => value >= 0 && value < 1))
  const draws = new Draws(3, 4, streams.normals)
  const normals = Array.from({ length: 20_000 }, () => draws.normal())
  // Quarters of the normal distribution.
  assertCounts(
    normals.map((x) => (x < -0.674489750196 ? 0 : x < 0 ? 1 : x < 0.674489750196 ? 2 : 3)),
    evenly([0, 1, 2, 3]),
    'normal',
  )
  const square = normals.reduce((sum, x) => sum + x * x, 0) / normals.length
  assert.ok(Math.abs(square - 1) < 0.05, String(square))
})

const finite = checkSpace({
  a: integer(1, 16, { log: true }),
  b: choice({ on: { c: uniform(0, 0.1, { step: 0.05 }) }, off: {} }),
})

for (const [name, make] of Object.entries({ random, sobol, grid })) {
  samplers(`${name}: a space of 64 gives 64 different trials, then none`, () => {
    assert.is(finite.size, 64)
    const all = inTurn(make(), finite, 100)
    assert.is(all.length, 64)
    assert.is(new Set(all.map((params) => finite.key(finite.point(params)))).size, 64)
  })

  samplers(`${name}: nothing twice, whatever has become of the first`, () => {
    const states = ['running', 'paused', 'complete', 'pruned', 'exploded', 'failed']
    const trials = Array.from({ length: 63 }, (_, i) => ({
      number: i,
      params: finite.params(finite.at(i < 40 ? i : i + 1)),
      state: states[i % states.length],
      value: null,
    }))
    for (const number of [63, 64, 1000])
      assert.equal(make().suggest(asked(finite, number, trials)), finite.params(finite.at(40)))
  })
}

samplers('repeats are given where they are asked for', () => {
  assert.is(inTurn(random(), finite, 100, { repeats: true }).length, 100)
  // And trials that do not fit the space take nothing away.
  const trials = [{ number: 0, params: { a: 17, b: { name: 'off' } }, state: 'complete', value: 0 }]
  const all = Array.from({ length: 64 }, (_, i) => ({
    number: i + 1,
    params: finite.params(finite.at(i)),
    state: 'complete',
    value: 0,
  }))
  assert.ok(random().suggest(asked(finite, 65, [...trials, ...all.slice(1)])) !== null)
  assert.is(random().suggest(asked(finite, 65, [...trials, ...all])), null)
})

samplers('the rest of a space is found where one value has nearly all of the draws', () => {
  const space = checkSpace({ a: integer(1, 3000, { log: true }) })
  const all = inTurn(random(), space, 3000).map(({ a }) => a)
  assert.is(new Set(all).size, 3000)
})

samplers('Sobol points without scrambling are those of SciPy', () => {
  const fixture = JSON.parse(readFileSync(new URL('fixtures/search/sobol.json', import.meta.url), 'utf8'))
  const digest = (dimensions) => {
    const sequence = new SobolSequence(dimensions)
    const integers = Array.from({ length: 1024 }, (_, i) => sequence.point(i)).flatMap((point) =>
      Array.from(point, (value) => value * 1024),
    )
    assert.ok(integers.every(Number.isInteger))
    const bytes = Buffer.alloc(2 * integers.length)
    for (const [i, value] of integers.entries()) bytes.writeUInt16LE(value, 2 * i)
    return createHash('sha256').update(bytes).digest('hex')
  }
  const sequence = new SobolSequence(21)
  assert.equal(
    fixture.first16of21.map((_, i) => [...sequence.point(i)]),
    fixture.first16of21,
  )
  assert.is(digest(21), fixture.all1024of21)
  assert.is(mostDimensions, 256)
  assert.is(digest(256), fixture.all1024of256)
})

samplers('scrambled Sobol points stay a net: each box of 1/1,024 has one', () => {
  for (const seed of [1, 2, 3]) {
    const sequence = new SobolSequence(8, new Draws(seed, 0, streams.scramble))
    const points = Array.from({ length: 1024 }, (_, i) => sequence.point(i))
    for (let i = 0; i < 8; i++) assert.is(new Set(points.map((point) => Math.floor(point[i] * 1024))).size, 1024)
    // The first two dimensions are a net of quality 0: boxes of all shapes.
    for (let bits = 0; bits <= 10; bits++) {
      const boxes = points.map(([x, y]) => [Math.floor(x * 2 ** bits), Math.floor(y * 2 ** (10 - bits))].join())
      assert.is(new Set(boxes).size, 1024, `seed ${seed}, ${bits} bits`)
    }
  }
})

samplers('a scrambled point is uniform over seeds, and no point is where another seed has it', () => {
  const seeds = 20_000
  for (const index of [0, 1, 5, 1023]) {
    const points = Array.from({ length: seeds }, (_, seed) =>
      new SobolSequence(3, new Draws(seed, 0, streams.scramble)).point(index),
    )
    for (let i = 0; i < 3; i++)
      assertCounts(
        points.map((point) => decile(point[i])),
        deciles,
        `point ${index}, ${i}`,
      )
    const pairs = evenly(Array.from({ length: 100 }, (_, i) => i))
    assertCounts(
      points.map(([x, y]) => 10 * decile(x) + decile(y)),
      pairs,
      `point ${index}, pairs`,
    )
  }
  // A digital shift alone would leave the difference of two points the same for all seeds.
  const differences = Array.from({ length: 50 }, (_, seed) => {
    const sequence = new SobolSequence(2, new Draws(seed, 0, streams.scramble))
    return (sequence.point(1)[1] * 2 ** 32) ^ (sequence.point(2)[1] * 2 ** 32)
  })
  assert.is(new Set(differences).size, 50)
})

samplers('sobol: trial n has point n, beyond the table it draws', () => {
  const space = checkSpace({ a: uniform(0, 1), b: uniform(0, 1), c: choice({ x: { d: uniform(0, 1) }, y: {} }) })
  const all = Array.from({ length: 256 }, (_, number) => sobol().suggest(asked(space, number)))
  assert.is(new Set(all.map(({ a }) => Math.floor(a * 256))).size, 256)
  assert.is(new Set(all.map(({ a, b }) => `${Math.floor(a * 16)},${Math.floor(b * 16)}`)).size, 256)
  assert.is(all.filter(({ c }) => c.name === 'x').length, 128)
  const wide = new SobolSequence(300, new Draws(1, 0, streams.scramble))
  const points = Array.from({ length: 1000 }, (_, i) => wide.point(i))
  for (const i of [255, 256, 299])
    assertCounts(
      points.map((point) => decile(point[i])),
      deciles,
      `dimension ${i}`,
    )
})

samplers('a grid hits the ends and counts right, with branches', () => {
  const space = checkSpace({
    rate: logUniform(1e-4, 1),
    hidden: integer(8, 128, { log: true }),
    drop: uniform(0, 0.6, { step: 0.1 }),
    optimizer: choice({ adam: { beta1: uniform(0.8, 0.99) }, sgd: {}, momentum: { at: choice([1, null]) } }),
  })
  const points = { rate: 5, hidden: 3, drop: 3, 'optimizer.adam.beta1': 4 }
  const all = inTurn(grid({ points }), space, 1000)
  assert.is(all.length, 5 * 3 * 3 * (4 + 1 + 2))
  const values = (pick) => [...new Set(all.map(pick))]
  assert.equal(
    values(({ rate }) => rate),
    [1e-4, 1e-3, 0.01, 0.1, 1],
  )
  assert.equal(
    values(({ hidden }) => hidden),
    [8, 32, 128],
  )
  assert.equal(
    values(({ drop }) => drop),
    [0, 0.3, 0.6],
  )
  assert.equal(
    values(({ optimizer }) => optimizer.beta1).filter((beta1) => beta1 !== undefined),
    [0.8, 0.863333333333, 0.926666666667, 0.99],
  )
  for (const params of all) space.point(params)
  assert.is(inTurn(grid({ points: 2 }), checkSpace({ a: uniform(0, 1), b: integer(0, 4) }), 100).length, 10)
  // Fewer where there are fewer.
  assert.is(inTurn(grid({ points: { b: 9 } }), checkSpace({ b: integer(0, 4) }), 100).length, 5)
})

samplers('a grid gives different points to those who ask at once, and lost ones again', () => {
  const space = checkSpace({ a: integer(0, 9) })
  const at = (number, trials) => grid().suggest(asked(space, number, trials)).a
  const trial = (number, a) => ({ number, params: { a }, state: 'running', value: null })
  assert.equal(
    [0, 1, 2, 3].map((number) => at(number, [])),
    [0, 1, 2, 3],
  )
  const three = [0, 1, 2].map((a) => trial(a, a))
  assert.equal(
    [3, 4, 5].map((number) => at(number, three)),
    [3, 4, 5],
  )
  // Number 4 was lost for good.
  const rest = [0, 1, 2, 3, 5, 6, 7, 8, 9].map((a) => trial(a, a))
  assert.is(at(10, rest), 4)
  assert.is(grid().suggest(asked(space, 11, [...rest, trial(10, 4)])), null)
})

samplers('a grid of no end is refused', () => {
  const refused = (options, parameters, message) => {
    assert.throws(
      () => grid(options).check(checkSpace(parameters)),
      (error) => {
        assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
        assert.match(error.message, message)
        return true
      },
    )
  }
  const real = { rate: uniform(0, 1) }
  refused({}, real, /^grid: rate has no steps, .* points: \{ 'rate': 5 \}/)
  refused({ points: { other: 3 } }, real, /^points: expected paths of numbers of the space, received "other"$/)
  refused({ points: { kind: 3 } }, { kind: choice([1, 2]) }, /^points: expected paths of numbers/)
  refused({ points: 1 }, real, /^points: expected a whole number from 2 up, received 1$/)
  refused({ points: { rate: 1.5 } }, real, /^points\.rate: expected a whole number from 2 up/)
  refused({ point: 3 }, real, /there is no option "point"; did you mean points\?$/)
  const huge = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`p${i}`, integer(0, 999)]))
  refused({}, huge, /^grid: expected at most 2\^53 - 1 points/)
})

samplers(
  'results as samplers see them: worst so far for what exploded or failed, the last report of what was pruned',
  () => {
    const space = checkSpace({ a: integer(0, 9) })
    const trial = (number, state, value, reports) => ({ number, params: { a: number }, state, value, reports })
    const trials = [
      trial(4, 'failed', null),
      trial(0, 'complete', 3),
      trial(1, 'pruned', null, [9, 5]),
      trial(2, 'exploded', null, [1e9]),
      trial(3, 'running', null, [1]),
      trial(5, 'paused', null, [2]),
      trial(6, 'complete', Number.POSITIVE_INFINITY),
      { ...trial(7, 'complete', 100), params: { a: 10 } },
    ]
    const losses = (direction) => observed({ space, trials, direction }).ended.map(({ number, loss }) => [number, loss])
    assert.equal(losses('minimize'), [
      [0, 3],
      [1, 5],
      [2, 5],
      [4, 5],
      [6, 5],
    ])
    assert.equal(losses('maximize'), [
      [0, -3],
      [1, -5],
      [2, -3],
      [4, -3],
      [6, -3],
    ])
    assert.equal(observed({ space, trials, direction: 'minimize' }).pending, [
      { place: 4, point: space.point({ a: 3 }) },
      { place: 5, point: space.point({ a: 5 }) },
    ])
    assert.equal(
      observed({ space, trials: trials.slice(0, 1), direction: 'maximize' }).ended.map(({ loss }) => loss),
      [0],
    )
  },
)

samplers.run()
