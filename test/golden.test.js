// Golden trajectories: each optimizer for 1,000 steps against plain float64 arithmetic, in a real fit with changing
// gradients, several tensors, a frozen one, one that receives no gradient, and saved and loaded in the middle.
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adaDelta,
  adagrad,
  adam,
  adamW,
  amsgrad,
  customLayer,
  customOptimizer,
  dense,
  lion,
  loadModel,
  meanSquaredError,
  muon,
  nadam,
  rmsprop,
  sequential,
  sgd,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const test = suite('golden trajectories')
const rate = 0.01
const steps = 1000

/** The textbook formulas, one weight at a time: (g, t, state) → the change of w; `w` where decay needs it. */
const rules = {
  sgd: [sgd({ learningRate: rate }), (g) => -rate * g],
  momentum: [
    sgd({ learningRate: rate, momentum: 0.9 }),
    (g, _, s) => {
      s.v = 0.9 * (s.v ?? 0) - rate * g
      return s.v
    },
  ],
  nesterov: [
    sgd({ learningRate: rate, momentum: 0.9, nesterov: true }),
    (g, _, s) => {
      const before = s.v ?? 0
      s.v = 0.9 * before - rate * g
      return -0.9 * before + 1.9 * s.v
    },
  ],
  adagrad: [
    adagrad({ learningRate: rate }),
    (g, _, s) => {
      s.c = (s.c ?? 0) + g * g
      return (-rate * g) / (Math.sqrt(s.c) + 1e-8)
    },
  ],
  rmsprop: [rmsprop({ learningRate: rate }), rmspropRule({})],
  'rmsprop with momentum': [rmsprop({ learningRate: rate, momentum: 0.8 }), rmspropRule({ momentum: 0.8 })],
  'centred rmsprop': [
    rmsprop({ learningRate: rate, centered: true, epsilon: 0.01 }),
    rmspropRule({ centered: true, epsilon: 0.01 }),
  ],
  'centred rmsprop with momentum': [
    rmsprop({ learningRate: rate, centered: true, momentum: 0.5, epsilon: 0.01 }),
    rmspropRule({ centered: true, momentum: 0.5, epsilon: 0.01 }),
  ],
  adaDelta: [
    adaDelta({ learningRate: 0.5 }),
    (g, _, s) => {
      s.c = 0.9 * (s.c ?? 0) + 0.1 * g * g
      const change = (Math.sqrt((s.d ?? 0) + 1e-6) / Math.sqrt(s.c + 1e-6)) * g
      s.d = 0.9 * (s.d ?? 0) + 0.1 * change * change
      return -0.5 * change
    },
  ],
  adam: [adam({ learningRate: rate }), adamRule({})],
  'simplified adam': [adam({ learningRate: rate, biasCorrection: false }), adamRule({ corrects: false })],
  adamW: [adamW({ learningRate: rate, weightDecay: 0.1 }), adamRule({ decay: 0.1 })],
  amsgrad: [amsgrad({ learningRate: rate }), adamRule({ largest: true })],
  nadam: [
    nadam({ learningRate: rate }),
    (g, t, s) => {
      const momentum = (k) => 0.9 * (1 - 0.5 * 0.96 ** (0.004 * k))
      s.product = (s.product ?? 1) * momentum(t)
      s.m = 0.9 * (s.m ?? 0) + 0.1 * g
      s.v = 0.999 * (s.v ?? 0) + 0.001 * g * g
      const first =
        (momentum(t + 1) * s.m) / (1 - s.product * momentum(t + 1)) + ((1 - momentum(t)) * g) / (1 - s.product)
      return (-rate * first) / (Math.sqrt(s.v / (1 - 0.999 ** t)) + 1e-8)
    },
  ],
  lion: [
    lion({ learningRate: rate, weightDecay: 0.05 }),
    (g, _, s, w) => {
      const direction = Math.sign(0.9 * (s.v ?? 0) + 0.1 * g)
      s.v = 0.99 * (s.v ?? 0) + 0.01 * g
      return -rate * direction - rate * 0.05 * w
    },
  ],
}

function rmspropRule({ centered = false, momentum = 0, epsilon = 1e-8 }) {
  return (g, _, s) => {
    s.c = 0.9 * (s.c ?? 0) + 0.1 * g * g
    s.m = 0.9 * (s.m ?? 0) + 0.1 * g
    s.v = momentum * (s.v ?? 0) - (rate * g) / (Math.sqrt(centered ? s.c - s.m * s.m : s.c) + epsilon)
    return s.v
  }
}

function adamRule({ corrects = true, decay = 0, largest = false }) {
  return (g, t, s, w) => {
    s.m = 0.9 * (s.m ?? 0) + 0.1 * g
    s.v = 0.999 * (s.v ?? 0) + 0.001 * g * g
    s.top = largest ? Math.max(s.top ?? 0, s.v) : s.v
    const [first, second] = corrects ? [1 - 0.9 ** t, 1 - 0.999 ** t] : [1, 1]
    return (-rate * (s.m / first)) / (Math.sqrt(s.top / second) + 1e-8) - rate * decay * w
  }
}

// Two dense layers, the first frozen, and between them a layer whose parameter receives no gradient. One example a step:
// gradients are simple, and change with every example.
const [inputs, outputs, examples] = [3, 2, 7]
const data = { x: numbers(examples * inputs, 3), y: numbers(examples * outputs, 8) }
const idle = () =>
  customLayer({
    name: 'idle',
    parameters: () => ({ gain: { shape: [2], init: 1.5 } }),
    forward: (x) => x,
    backward: (dy) => ({ dx: dy }),
  })
const network = (optimizer, dtype = 'float64', middle = [idle()]) => {
  const layers = [dense(inputs, { trainable: false, init: 'he' }), ...middle, dense(outputs)]
  return sequential({ input: [inputs], seed: 9, dtype }, layers).compile({ loss: meanSquaredError(), optimizer })
}

/** What the second layer is given for each example. */
function hidden(start) {
  const { data: weight } = start['dense1.weight']
  return Array.from({ length: examples }, (_, example) =>
    Array.from({ length: inputs }, (_, j) => {
      let sum = start['dense1.bias'].data[j]
      for (let i = 0; i < inputs; i++) sum += data.x[example * inputs + i] * weight[i * inputs + j]
      return sum
    }),
  )
}

/** The gradient of one example's loss by the second layer's weight and bias. */
function gradientOf(h, example, weight, bias) {
  const slopes = Array.from({ length: outputs }, (_, j) => {
    let y = bias[j]
    for (let i = 0; i < inputs; i++) y += h[i] * weight[i * outputs + j]
    return (2 * (y - data.y[example * outputs + j])) / outputs
  })
  return { weight: weight.map((_, at) => h[Math.floor(at / outputs)] * slopes[at % outputs]), bias: slopes }
}

/** The trained tensors after so many steps, in plain arithmetic; biases may follow a rule of their own. */
function reference(start, rule, count, biasRule = rule) {
  const h = hidden(start)
  const tensors = {
    weight: Float64Array.from(start['dense2.weight'].data),
    bias: Float64Array.from(start['dense2.bias'].data),
    gain: Float64Array.of(1.5, 1.5),
  }
  const rulesOf = { weight: rule, bias: biasRule, gain: rule }
  const states = Object.fromEntries(Object.entries(tensors).map(([name, w]) => [name, Array.from(w, () => ({}))]))
  for (let t = 1; t <= count; t++) {
    const example = (t - 1) % examples
    const gradients = { ...gradientOf(h[example], example, tensors.weight, tensors.bias), gain: [0, 0] }
    for (const [name, w] of Object.entries(tensors)) {
      for (let i = 0; i < w.length; i++) w[i] += rulesOf[name](gradients[name][i], t, states[name][i], w[i])
    }
  }
  return tensors
}

/** The largest difference, relative to the largest weight of each tensor. */
function distance(trained, { gain, ...expected }) {
  const pairs = Object.entries(expected).map(([name, values]) => [values, trained[`dense2.${name}`].data])
  if (trained['idle.gain']) pairs.push([gain, trained['idle.gain'].data])
  return Math.max(
    ...pairs.map(([values, found]) => {
      const scale = Math.max(...values.map(Math.abs))
      return Math.max(...values.map((value, i) => Math.abs(found[i] - value) / scale))
    }),
  )
}

const plan = { batchSize: 1, shuffle: false, quiet: true }
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

test('groups: rates and decay of their own, the first that names a parameter counts', async () => {
  const groups = [
    { parameters: ['*.bias', 'idle*'], weightDecay: 0, learningRateMultiplier: 0.5 },
    { parameters: '*2*', learningRateMultiplier: 2 },
  ]
  const model = network(adamW({ learningRate: rate, weightDecay: 0.1, groups }))
  const start = model.getWeights()
  await model.fit(data, { ...plan, epochs: 20 }).done
  const scaled = (factor, decay) => (g, t, s, w) => factor * adamRule({ decay })(g, t, s, w)
  const expected = reference(start, scaled(2, 0.1), 20 * examples, scaled(0.5, 0))
  expected.gain.fill(1.5)
  assert.ok(distance(model.getWeights(), expected) <= 1e-12)
  assert.throws(
    () => network(sgd({ groups: [{ parameters: 'head.*' }] })),
    (error) => error.code === 'GRADUS_INVALID_ARGUMENT' && /"head.\*" names none of dense1.weight/.test(error.message),
  )
  for (const bad of [5, [5], [{}], [{ parameters: [] }], [{ parameters: '*', learningRateMultiplier: -1 }]]) {
    assert.throws(() => sgd({ groups: bad }), /^groups/)
  }
})

const transposed = (x, rows, columns) => x.map((_, at) => x[(at % rows) * columns + Math.floor(at / rows)])
const multiplied = (a, b, m, n, k) =>
  Float64Array.from({ length: m * n }, (_, at) => {
    let sum = 0
    for (let p = 0; p < k; p++) sum += a[Math.floor(at / n) * k + p] * b[p * n + (at % n)]
    return sum
  })

/** Jordan's iteration, in plain loops: five times X ← aX + (bA + cA²)X with A = XXᵀ, the smaller side first. */
function orthogonal(matrix, rows, columns) {
  if (rows > columns) return transposed(orthogonal(transposed(matrix, rows, columns), columns, rows), columns, rows)
  const norm = Math.hypot(...matrix) + 1e-7
  let x = matrix.map((v) => v / norm)
  for (let i = 0; i < 5; i++) {
    const a = multiplied(x, transposed(x, rows, columns), rows, rows, columns)
    const aa = multiplied(a, a, rows, rows, rows)
    const p = a.map((v, at) => -4.775 * v + 2.0315 * aa[at])
    const px = multiplied(p, x, rows, columns, rows)
    x = x.map((v, at) => 3.4445 * v + px[at])
  }
  return x
}

test('muon: matrices by the orthogonalised momentum, biases by Adam, decay and average with them', async () => {
  for (const units of [2, 3, 5]) {
    const optimizer = muon({ weightDecay: 0.1, averageDecay: 0.5, adam: { learningRate: 0.004 } })
    const model = sequential({ input: [inputs], seed: 2, dtype: 'float64' }, [dense(units)])
    model.compile({ loss: meanSquaredError(), optimizer })
    const { 'dense1.weight': weight, 'dense1.bias': bias } = model.getWeights()
    const y = numbers(examples * units, 5)
    const [velocity, states] = [weight.data.map(() => 0), Array.from(bias.data, () => ({}))]
    const average = weight.data.slice()
    const biasRule = (g, t, s, w) => {
      s.m = 0.9 * (s.m ?? 0) + 0.1 * g
      s.v = 0.95 * (s.v ?? 0) + 0.05 * g * g
      return (-0.004 * (s.m / (1 - 0.9 ** t))) / (Math.sqrt(s.v / (1 - 0.95 ** t)) + 1e-8) - 0.004 * 0.1 * w
    }
    for (let t = 1; t <= 10 * examples; t++) {
      const x = data.x.slice(((t - 1) % examples) * inputs).slice(0, inputs)
      const target = y.slice(((t - 1) % examples) * units)
      const out = multiplied(x, weight.data, 1, units, inputs)
      const slopes = out.map((v, j) => (2 * (v + bias.data[j] - target[j])) / units)
      const gradient = multiplied(x, slopes, inputs, units, 1)
      velocity.forEach((v, i) => {
        velocity[i] = 0.95 * v + gradient[i]
      })
      const direction = orthogonal(
        velocity.map((v, i) => gradient[i] + 0.95 * v),
        inputs,
        units,
      )
      const step = 0.02 * Math.sqrt(Math.max(1, units / inputs))
      direction.forEach((v, i) => {
        weight.data[i] += -step * v - 0.02 * 0.1 * weight.data[i]
        average[i] = 0.5 * average[i] + 0.5 * weight.data[i]
      })
      slopes.forEach((g, j) => {
        bias.data[j] += biasRule(g, t, states[j], bias.data[j])
      })
    }
    const { gradientNorm } = await model.fit({ x: data.x, y }, { ...plan, epochs: 10 }).done
    const trained = model.getWeights()
    const worst = (a, b) => Math.max(...a.map((v, i) => Math.abs(v - b[i])))
    assert.ok(worst(trained['dense1.weight'].data, weight.data) < 1e-11, `${units} units`)
    assert.ok(worst(trained['dense1.bias'].data, bias.data) < 1e-12, `${units} units`)
    assert.ok(worst(model.getWeights({ average: true })['dense1.weight'].data, average) < 1e-11)
    assert.ok(
      gradientNorm.every((norm) => norm > 0.01),
      'the norm is that of the gradient',
    )
  }
})

test('a custom optimizer: momentum and Adam written in JavaScript are the native ones', async () => {
  const told = []
  const customs = {
    momentum: customOptimizer({
      name: 'heavyBall',
      slots: ['velocity'],
      learningRate: rate,
      update(gradient, { name, slots: { velocity }, learningRate, step, weights }) {
        told.push([name, step, learningRate, weights.length])
        gradient.forEach((g, i) => {
          velocity[i] = 0.9 * velocity[i] - learningRate * g
        })
        return velocity
      },
    }),
    adamW: customOptimizer({
      name: 'adam',
      slots: ['m', 'v'],
      learningRate: rate,
      weightDecay: 0.1,
      update: (gradient, { slots: { m, v }, learningRate, step }) =>
        gradient.map((g, i) => {
          m[i] = 0.9 * m[i] + 0.1 * g
          v[i] = 0.999 * v[i] + 0.001 * g * g
          return (
            (-learningRate * (m[i] / (1 - 0.9 ** (step + 1)))) / (Math.sqrt(v[i] / (1 - 0.999 ** (step + 1))) + 1e-8)
          )
        }),
    }),
  }
  for (const [name, custom] of Object.entries(customs)) {
    const [native] = rules[name]
    const models = [network(native), network(custom)]
    const options = { ...plan, epochs: 20, clipNorm: 0.8, clipValue: 0.3 }
    const [a, b] = await Promise.all(models.map((model) => model.fit(data, options).done))
    const [expected, trained] = models.map((model) => model.getWeights())
    for (const tensor of Object.keys(expected)) {
      expected[tensor].data.forEach((w, i) => {
        assert.ok(Math.abs(w - trained[tensor].data[i]) < 1e-12, `${name} ${tensor}`)
      })
    }
    assert.ok(Math.abs(a.updateRatio[3] - b.updateRatio[3]) < 1e-9)
    assert.ok(Math.abs(a.gradientNorm[3] - b.gradientNorm[3]) < 1e-9)
  }
  assert.equal(
    told.slice(0, 4).map(([name, step]) => [name, step]),
    [
      ['idle.gain', 0],
      ['dense2.weight', 0],
      ['dense2.bias', 0],
      ['idle.gain', 1],
    ],
  )
  const broken = { 'no change': () => {}, 'a short one': (g) => g.slice(1), 'a NaN': (g) => g.map(() => Number.NaN) }
  for (const [what, update] of Object.entries(broken)) {
    const model = network(customOptimizer({ name: 'broken', update }))
    const before = model.getWeights()
    await model.fit(data, plan).done.then(
      () => assert.unreachable(what),
      (error) => assert.match(error.code, /^GRADUS_(INVALID_ARGUMENT|NON_FINITE)$/),
    )
    assert.equal(model.getWeights(), before, what)
  }
  for (const slots of [5, ['average'], ['a', 'a'], ['a b']]) {
    assert.throws(() => customOptimizer({ name: 'a', slots, update() {} }), /^slots/)
  }
})

test.run()
