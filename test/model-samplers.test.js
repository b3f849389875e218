// Samplers with a model, from outside: what they make of failures, pending trials, finite spaces and branches.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { auto } from '../dist/search/samplers/auto.js'
import { gaussianProcess } from '../dist/search/samplers/gaussian-process/gaussian-process.js'
import { standardized } from '../dist/search/samplers/gaussian-process/values.js'
import { kindsOf, tpe } from '../dist/search/samplers/tpe/tpe.js'
import { choice, integer, logUniform, uniform } from '../dist/search/space/parameters.js'
import { checkSpace } from '../dist/search/space/space.js'

const test = suite('Samplers with a model')
const samplers = { tpe, gaussianProcess }

const plane = checkSpace({ x: uniform(0, 1), y: uniform(0, 1) })
const bowl = ({ x, y }) => (x - 0.4) ** 2 + (y - 0.6) ** 2

/** Trials in turn; `judge` gives a value, or null for one that explodes. */
async function run(sampler, space, judge, count, seed = 1) {
  const trials = []
  for (let number = 0; number < count; number++) {
    const params = await sampler.suggest({ space, trials, direction: 'minimize', seed, number })
    if (params === null) break
    const value = judge(params)
    trials.push({ number, params, state: value === null ? 'exploded' : 'complete', value })
  }
  return trials
}

/** Branin's function over the unit square: ten trials from the twentieth on still have something to find out. */
function branin({ x, y }) {
  const [u, v] = [15 * x - 5, 15 * y]
  return (v - 0.1292 * u * u + 1.5915 * u - 6) ** 2 + 9.602 * Math.cos(u) + 10
}
const squared = (a, b) => (a.x - b.x) ** 2 + (a.y - b.y) ** 2
/** Mean over all of the distance to the nearest of the others. */
const spread = (all) =>
  all.reduce(
    (sum, one) =>
      sum + Math.sqrt(Math.min(...all.filter((other) => other !== one).map((other) => squared(one, other)))),
    0,
  ) / all.length

for (const [name, make] of Object.entries(samplers)) {
  // The best values lie not far from what explodes: at its edge, and at a corner.
  const failing = {
    edge: { explodes: ({ x }) => x < 0.3, judge: bowl },
    corner: {
      explodes: ({ x, y }) => x + y > 2 - Math.sqrt(0.6),
      judge: ({ x, y }) => (x - 0.6) ** 2 + (y - 0.55) ** 2,
    },
  }
  for (const [shape, { explodes, judge }] of Object.entries(failing)) {
    test(`${name}: keeps out of the 30 % of a space that explode, ${shape}`, async () => {
      for (const seed of name === 'tpe' ? [0, 1, 2] : [0]) {
        const trials = await run(make(), plane, (params) => (explodes(params) ? null : judge(params)), 100, seed)
        const inside = trials.slice(50).filter(({ state }) => state === 'exploded').length
        assert.ok(inside <= 5, `${inside} of the last 50, seed ${seed}`)
      }
    })
  }

  // A bowl is soon known so well that a model without pending trials promises most at its bottom, again and again.
  for (const [shape, judge] of Object.entries({ branin, bowl })) {
    test(`${name}: ten pending trials lie as far apart as half of what ten in turn do, on ${shape}`, async () => {
      const sums = { pending: 0, turns: 0 }
      for (const seed of name === 'tpe' ? [1, 2, 3] : [1]) {
        const before = await run(make(), plane, judge, 20, seed)
        const [pending, turns] = [[...before], [...before]]
        for (let number = 20; number < 30; number++) {
          const asked = { space: plane, direction: 'minimize', seed, number }
          const params = await make().suggest({ ...asked, trials: pending })
          pending.push({ number, params, state: number % 2 ? 'running' : 'paused', value: null })
          const inTurn = await make().suggest({ ...asked, trials: turns })
          turns.push({ number, params: inTurn, state: 'complete', value: judge(inTurn) })
        }
        sums.pending += spread(pending.slice(20).map(({ params }) => params))
        sums.turns += spread(turns.slice(20).map(({ params }) => params))
      }
      assert.ok(sums.pending >= 0.5 * sums.turns, JSON.stringify(sums))
    })
  }

  test(`${name}: the same seed, trials and number give the same suggestion`, async () => {
    const trials = await run(make(), plane, bowl, 15, 4)
    const asked = { space: plane, trials, direction: 'minimize', seed: 4, number: 15 }
    const first = await make().suggest(asked)
    // Other asking in between, and trials that were read anew.
    const [, , again] = await Promise.all([
      make().suggest({ ...asked, number: 16 }),
      make().suggest({ ...asked, seed: 5 }),
      make().suggest({ ...asked, trials: structuredClone(trials) }),
    ])
    assert.equal(again, first)
    assert.not.equal(await make().suggest({ ...asked, seed: 5 }), first)
  })

  test(`${name}: what is maximized is what is minimized with its sign turned`, async () => {
    const trials = await run(make(), plane, bowl, 14, 2)
    const turned = trials.map((trial) => ({ ...trial, value: -trial.value }))
    const asked = { space: plane, seed: 2, number: 14 }
    assert.equal(
      await make().suggest({ ...asked, trials: turned, direction: 'maximize' }),
      await make().suggest({ ...asked, trials, direction: 'minimize' }),
    )
  })

  test(`${name}: 24 points of a finite space, each once, and then no more`, async () => {
    const space = checkSpace({ a: integer(1, 4), b: choice(['x', 'y', 'z']), c: uniform(0, 1, { step: 1 }) })
    const trials = await run(make(), space, ({ a, b, c }) => a + (b === 'y' ? 0 : 2) + c, 30)
    assert.is(trials.length, 24)
    assert.is(new Set(trials.map(({ params }) => space.key(space.point(params)))).size, 24)
  })

  test(`${name}: finds the branch and its parameter`, async () => {
    const space = checkSpace({
      rate: logUniform(1e-4, 1),
      rule: choice({ slow: {}, quick: { momentum: uniform(0, 1), depth: integer(1, 40) } }),
    })
    const judge = ({ rate, rule }) =>
      (Math.log10(rate) + 2) ** 2 +
      (rule.name === 'slow' ? 2 : (rule.momentum - 0.8) ** 2 + 0.001 * (rule.depth - 9) ** 2)
    for (const trial of await run(make(), space, judge, 50)) space.point(trial.params)
    const trials = await run(make(), space, judge, 50)
    const best = trials.reduce((a, b) => (b.value < a.value ? b : a))
    assert.is(best.params.rule.name, 'quick')
    assert.ok(best.value < 0.2, JSON.stringify(best))
  })

  test(`${name}: goes on where all trials failed, all gave the same, or one gave a huge loss`, async () => {
    for (const judge of [() => null, () => 1, ({ x }) => (x < 0.1 ? 1e300 : x)]) {
      const trials = await run(make(), plane, judge, 16)
      assert.is(trials.length, 16)
      for (const { params } of trials) plane.point(params)
    }
  })
}

test('gaussianProcess: one huge loss leaves the differences between the others', async () => {
  const losses = Array.from({ length: 30 }, (_, i) => Math.sin(i))
  const alone = standardized(losses)
  for (const huge of [1e6, 1e300]) {
    const values = standardized([...losses, huge])
    const spreadOf = (all) => Math.max(...all.slice(0, 30)) - Math.min(...all.slice(0, 30))
    assert.ok(spreadOf(values) > 0.2 * spreadOf(alone), `${huge}: ${spreadOf(values)}`)
    assert.is(values.indexOf(Math.max(...values)), 30)
  }
  // And losses without one are only shifted and scaled.
  const ratio = (alone[3] - alone[1]) / (losses[3] - losses[1])
  for (const [i, loss] of losses.entries())
    assert.ok(Math.abs(alone[i] - alone[0] - ratio * (loss - losses[0])) < 1e-12)
  for (const huge of [1e6, 1e300]) {
    const trials = await run(gaussianProcess(), plane, (params) => (params.x > 0.9 ? huge : bowl(params)), 25)
    // With values as they come it is 0.02 to 0.04.
    assert.ok(Math.min(...trials.map(({ value }) => value)) < 1e-3, `${huge}`)
  }
})

test('gaussianProcess: failed trials are no values: what lies next to them is found to the end', async () => {
  const trials = await run(gaussianProcess(), plane, (params) => (params.x < 0.35 ? null : bowl(params)), 40, 3)
  // With the worst value so far in their place the step is all that a process sees.
  assert.ok(Math.min(...trials.map(({ value }) => value ?? Infinity)) < 1e-5)
})

test('tpe: pending trials are bad, failed ones never good', () => {
  const at = (i) => ({ x: i / 100, y: 0.5 })
  const trials = Array.from({ length: 60 }, (_, number) => {
    const state = ['complete', 'exploded', 'running', 'failed', 'pruned', 'paused'][number % 6]
    const value = state === 'complete' ? number : null
    return { number, params: at(number), state, value, reports: state === 'pruned' ? [1, -number] : [-1e9] }
  })
  const { good, bad } = kindsOf({ space: plane, trials, direction: 'minimize' })
  // 40 ended: the four best are those pruned last, by the value of their last report.
  assert.equal(good, [40, 46, 52, 58])
  assert.is(bad.length, 56)
  const failures = trials.filter(({ state }) => state !== 'complete' && state !== 'pruned')
  assert.is(kindsOf({ space: plane, trials: failures, direction: 'minimize' }).good.length, 0)
})

test('auto is the Gaussian process up to 250 ended trials, and TPE then or where choices rule', async () => {
  const trialsOf = (params, count) =>
    Array.from({ length: count }, (_, number) => ({
      number,
      params: params(number),
      state: 'complete',
      value: number % 7,
    }))
  const asked = (space, trials) => ({ space, trials, direction: 'minimize', seed: 3, number: trials.length })
  const few = asked(
    plane,
    trialsOf((i) => ({ x: (i % 10) / 10, y: (i % 7) / 7 }), 40),
  )
  assert.equal(await auto().suggest(few), await gaussianProcess().suggest(few))
  const many = asked(
    plane,
    trialsOf((i) => ({ x: (i % 100) / 100, y: (i % 71) / 71 }), 251),
  )
  assert.equal(await auto().suggest(many), await tpe().suggest(many))
  const choices = checkSpace({ a: choice([1, 2, 3]), b: choice([1, 2, 3]), c: uniform(0, 1) })
  const chosen = asked(
    choices,
    trialsOf((i) => ({ a: 1 + (i % 3), b: 1 + (i % 2), c: i / 40 }), 40),
  )
  assert.equal(await auto().suggest(chosen), await tpe().suggest(chosen))
})

test.run()
