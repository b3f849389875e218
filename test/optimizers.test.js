// Optimizers that are no sum over elements, and what goes for some parameters only.
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adam,
  adamW,
  averagedWeights,
  customOptimizer,
  dense,
  loadModel,
  meanSquaredError,
  muon,
  sequential,
  sgd,
  tanh,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  adamRule,
  data,
  distance,
  examples,
  inputs,
  network,
  outputs,
  plan,
  rate,
  reference,
  rules,
} from './support/golden.js'
import { numbers } from './support/reference.js'

const test = suite('optimizers')

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
    const optimizer = muon({
      weightDecay: 0.1,
      average: averagedWeights({ decay: 0.5 }),
      adam: { learningRate: 0.004 },
    })
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
      const keep = Math.min(0.5, t / (9 + t))
      direction.forEach((v, i) => {
        weight.data[i] += -step * v - 0.02 * 0.1 * weight.data[i]
        average[i] = keep * average[i] + (1 - keep) * weight.data[i]
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

test('Adam with slots in bfloat16 trains as with whole ones, and resumes to the same bits', async () => {
  const train = (slots, dtype) => {
    const model = sequential({ input: [inputs], seed: 4, dtype }, [dense(24), tanh(), dense(outputs)])
    return model.compile({ loss: meanSquaredError(), optimizer: adam({ learningRate: 0.01, slots }) })
  }
  const options = { epochs: 150, batchSize: 4, quiet: true }
  for (const dtype of ['float32', 'float64']) {
    const [whole, short, again] = [train('float', dtype), train('bfloat16', dtype), train('bfloat16', dtype)]
    const [a, b] = await Promise.all([whole, short].map((model) => model.fit(data, options).done))
    assert.ok(b.loss.at(-1) < 0.05 * b.loss[0], `${b.loss.at(-1)} of ${b.loss[0]}`)
    assert.ok(a.loss.at(-1) < 0.05 * a.loss[0])
    assert.not.equal(short.getWeights(), whole.getWeights())
    const { program } = short
    const moments = program.read('secondMoment', 0)
    assert.is(moments.constructor.name, dtype === 'float32' ? 'Float32Array' : 'Float64Array')
    const bits = new Uint32Array(Float32Array.from(moments).buffer)
    assert.ok(bits.every((word) => (word & 0xffff) === 0) && bits.some((word) => word > 0), 'two bytes each')

    await again.fit(data, { ...options, epochs: 70 }).done
    const file = join(tmpdir(), `gradus-short-${process.pid}.safetensors`)
    await again.save(file, { optimizer: true })
    const loaded = await loadModel(file)
    rmSync(file)
    await loaded.fit(data, { ...options, initialEpoch: 70 }).done
    assert.equal(loaded.getWeights(), short.getWeights())
  }
  assert.throws(() => adam({ slots: 'half' }), /^slots/)
  assert.throws(() => adam({ slots: 'bfloat16', amsgrad: true }), /^slots/)
})

test('weights of an input that is always 0 decay to 0, never to denormal numbers', async () => {
  const x = Float32Array.from({ length: 64 }, (_, i) => (i % 2 ? Math.sin(i) : 0))
  const examples = { x, y: new Float32Array(32 * 40).fill(1) }
  for (const [optimizer, options] of [
    [sgd({ learningRate: 0.5, weightDecay: 1 }), {}],
    [adam({ learningRate: 0.05 }), { regularizer: { l2: 0.004 } }],
  ]) {
    const model = sequential({ input: [2], seed: 3 }, [dense(40, options)])
    model.compile({ loss: meanSquaredError(), optimizer })
    await model.fit(examples, { epochs: 5000, batchSize: 32, quiet: true }).done
    const { data: weights } = model.getWeights()['dense1.weight']
    assert.ok(weights.subarray(0, 40).every((weight) => weight === 0))
  }
})

test.run()
