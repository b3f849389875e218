// Golden trajectories: each optimizer for 1,000 steps against plain float64 arithmetic, in a real fit with changing
// gradients, several tensors, a frozen one, one that receives no gradient, and saved and loaded in the middle.
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadModel } from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  data,
  distance,
  examples,
  gradientOf,
  hidden,
  network,
  plan,
  rate,
  reference,
  rules,
  steps,
} from './support/golden.js'

const test = suite('golden trajectories')
const epochs = Math.ceil(steps / examples)

for (const [name, [optimizer, rule]] of Object.entries(rules)) {
  test(`${name}: float64, saved and loaded in the middle`, async () => {
    // A file cannot hold the idle layer: one run goes through with it, the other is saved without.
    const whole = network(optimizer)
    const start = whole.getWeights()
    const expected = reference(start, rule, epochs * examples)
    await whole.fit(data, { ...plan, epochs }).done
    assert.ok(distance(whole.getWeights(), expected) <= 1e-12, `${distance(whole.getWeights(), expected)}`)
    for (const frozen of ['dense1.weight', 'dense1.bias']) assert.equal(whole.getWeights()[frozen], start[frozen])

    const first = network(optimizer, 'float64', [])
    first.setWeights(Object.fromEntries(Object.entries(start).filter(([tensor]) => tensor !== 'idle.gain')))
    await first.fit(data, { ...plan, epochs: 60 }).done
    const file = join(tmpdir(), `gradus-golden-${process.pid}.safetensors`)
    await first.save(file, { optimizer: true })
    const second = await loadModel(file)
    rmSync(file)
    await second.fit(data, { ...plan, epochs, initialEpoch: 60 }).done
    assert.ok(distance(second.getWeights(), expected) <= 1e-12, 'saved and loaded')
  })

  test(`${name}: float32`, async () => {
    // Rounding of 1,000 steps adds up; each step by itself is held to 1e-6 in the tests of the kernels.
    const model = network(optimizer, 'float32', [])
    const start = model.getWeights()
    await model.fit(data, { ...plan, epochs }).done
    assert.ok(distance(model.getWeights(), reference(start, rule, epochs * examples)) <= 2e-4)
  })
}

/** Mistakes that others have made, as rules: [the right one's name, the slip, a slip of the biases alone]. */
const slips = {
  'bias correction multiplied in place of divided': [
    'adam',
    (g, t, s) => {
      s.m = 0.9 * (s.m ?? 0) + 0.1 * g
      s.v = 0.999 * (s.v ?? 0) + 0.001 * g * g
      return (-rate * s.m * (1 - 0.9 ** t)) / (Math.sqrt(s.v * (1 - 0.999 ** t)) + 1e-8)
    },
  ],
  'the root of 1 − β₁ᵗ': [
    'adam',
    (g, t, s) => {
      s.m = 0.9 * (s.m ?? 0) + 0.1 * g
      s.v = 0.999 * (s.v ?? 0) + 0.001 * g * g
      return (-rate * (s.m / Math.sqrt(1 - 0.9 ** t))) / (Math.sqrt(s.v / (1 - 0.999 ** t)) + 1e-8)
    },
  ],
  'momentum computed and then not used': [
    'momentum',
    (g, _, s) => {
      s.v = 0.9 * (s.v ?? 0) - rate * g
      return -rate * g
    },
  ],
  'biases updated with the moments of the step before': [
    'adam',
    null,
    (g, t, s) => {
      const [m, v] = [s.m ?? 0, s.v ?? 0]
      s.m = 0.9 * m + 0.1 * g
      s.v = 0.999 * v + 0.001 * g * g
      return (-rate * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8)
    },
  ],
}
for (const [slip, [name, wrong, wrongBias]] of Object.entries(slips)) {
  test(`not made here: ${slip}`, async () => {
    const [optimizer, rule] = rules[name]
    for (const count of [1, 3, 20]) {
      const model = network(optimizer)
      const start = model.getWeights()
      await model.fit(data, { ...plan, epochs: count }).done
      const trained = model.getWeights()
      assert.ok(distance(trained, reference(start, rule, count * examples)) <= 1e-12)
      const slipped = reference(start, wrong ?? rule, count * examples, wrongBias ?? wrong)
      assert.ok(distance(trained, slipped) > 1e-4, `after ${count} epochs`)
    }
  })
}

test('Nesterov: the look-ahead form gives the trajectory of the rewritten one', async () => {
  const [rewritten] = rules.nesterov
  for (const count of [1, 2, 10, epochs]) {
    const model = network(rewritten, 'float64', [])
    const start = model.getWeights()
    const h = hidden(start)
    const at = { weight: start['dense2.weight'].data.slice(), bias: start['dense2.bias'].data.slice() }
    const velocity = { weight: at.weight.map(() => 0), bias: at.bias.map(() => 0) }
    const ahead = (name) => at[name].map((x, i) => x + 0.9 * velocity[name][i])
    for (let t = 0; t < count * examples; t++) {
      const gradients = gradientOf(h[t % examples], t % examples, ahead('weight'), ahead('bias'))
      for (const name of ['weight', 'bias']) {
        velocity[name] = velocity[name].map((v, i) => 0.9 * v - rate * gradients[name][i])
        at[name] = at[name].map((x, i) => x + velocity[name][i])
      }
    }
    await model.fit(data, { ...plan, epochs: count }).done
    // The rewritten form keeps the point that the other looks ahead to.
    assert.ok(distance(model.getWeights(), { weight: ahead('weight'), bias: ahead('bias') }) <= 1e-12)
  }
})

test.run()
