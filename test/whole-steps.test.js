// A step is whole or not at all, and what it counts with is right: throws, refusals, corrections, running statistics.
import {
  adam,
  averagedWeights,
  batchNorm,
  customLayer,
  customOptimizer,
  dense,
  embedding,
  flatten,
  meanSquaredError,
  nadam,
  relu,
  sequential,
  sgd,
} from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { numbers } from './support/reference.js'

const rows = 12
const x = numbers(rows * 4, 1)
const y = numbers(rows * 3, 2)
const loss = meanSquaredError()

function datasetOf(inputs, targets, width, outputs, type = 'float64') {
  const dataset = new native.Dataset(
    targets.length / outputs,
    [{ name: 'x', type, shape: [width] }],
    { name: 'y', type: 'float64', shape: [outputs] },
    null,
  )
  dataset.write('input', 0, 0, inputs)
  dataset.write('target', 0, 0, targets)
  return dataset
}
const dataset = datasetOf(Float64Array.from(x), Float64Array.from(y), 4, 3)
const call = (more = {}) => ({
  ...{ dataset, shuffle: false, epoch: 0, firstRow: 0, batchSize: rows, batches: 1, threads: 1 },
  ...more,
  learningRates: new Float64Array(more.batches ?? 1).fill(more.rate ?? 0.01),
})
const pass = { dataset, training: true, randomness: false, threads: 1, term: 'data' }

/** All of a program's state, in bits. */
const stateOf = (program) =>
  program.arenas
    .filter((arena) => arena !== 'gradients')
    .flatMap((arena) => program.parameters.map((_, i) => program.read(arena, i)))
const gradientOf = (program) => program.parameters.map((_, i) => program.read('gradients', i))
const named = (program, arena, name) =>
  program.read(
    arena,
    program.parameters.findIndex((parameter) => parameter.name === name),
  )

test('after a backward pass that threw, gradients are those of the weights as they are', async () => {
  let throws = true
  const fragile = customLayer({
    name: 'fragile',
    forward: (x) => x,
    backward(dy) {
      if (throws) throw new Error('once')
      return { dx: dy }
    },
  })
  const model = sequential({ input: [4], seed: 1 }, [dense(8), fragile, dense(3)])
  model.compile({ loss, optimizer: sgd() })
  const { program } = model
  let thrown
  await program.train(call()).catch((error) => (thrown = error))
  assert.is(thrown.message, 'once')
  throws = false
  await program.gradient(pass)
  const first = gradientOf(program)
  await program.gradient(pass)
  assert.equal(gradientOf(program), first)
})

test('statistics that would become infinite refuse the step, and are named', async () => {
  const model = sequential({ input: [2], seed: 1 }, [batchNorm(), dense(1)])
  model.compile({ loss, optimizer: sgd() })
  const { program } = model
  const huge = datasetOf(Float64Array.from([1e20, 1, -1e20, 2, 1, 3, 0, 4]), new Float64Array(4), 2, 1)
  const before = stateOf(program)
  const { refused, firstRefusal } = await program.train(call({ dataset: huge, batchSize: 4 }))
  assert.equal([...refused], [1])
  assert.is(firstRefusal.tensor, 'batchNorm1.variance')
  assert.equal(stateOf(program), before)
})

test('a custom optimizer that throws at its second tensor has changed nothing', async () => {
  let throws = false
  const optimizer = customOptimizer({
    name: 'five slots',
    slots: ['first', 'second', 'third', 'fourth', 'fifth'],
    update(gradient, { name, slots }) {
      for (const [i, slot] of Object.values(slots).entries()) slot.fill(i + 1)
      if (throws && name === 'dense2.bias') throw new Error('too far')
      return gradient.map((g) => -0.1 * g)
    },
  })
  const model = sequential({ input: [4], seed: 1 }, [dense(8), dense(3)]).compile({ loss, optimizer })
  const { program } = model
  await program.train(call())
  for (const [i, slot] of ['first', 'second', 'third', 'fourth', 'fifth'].entries())
    assert.equal(new Set(named(program, slot, 'dense1.weight')), new Set([i + 1]))
  for (const slot of ['first', 'fifth']) program.write(slot, 0, new Float32Array(32).fill(7))
  throws = true
  const before = [program.step, ...stateOf(program)]
  let thrown
  await program.train(call()).catch((error) => (thrown = error))
  assert.is(thrown.message, 'too far')
  assert.equal([program.step, ...stateOf(program)], before)
})

test('the running average is of weights within their limit', async () => {
  const layers = [dense(3, { maxNorm: 0.1 })]
  const model = sequential({ input: [4], seed: 1 }, layers).compile({
    loss,
    optimizer: sgd({ average: averagedWeights({ decay: 0 }) }),
  })
  await model.program.train(call({ batches: 1, averageDecays: Float64Array.of(0) }))
  assert.equal(named(model.program, 'average', 'dense1.weight'), named(model.program, 'parameters', 'dense1.weight'))
})

test('the gradient of a table that a batch does not reach is zero, not that of another batch', async () => {
  const model = sequential({ input: [2], seed: 1 }, [embedding(5, 2), flatten(), dense(3)])
  model.compile({ loss, optimizer: sgd() })
  const { program } = model
  const targets = Float64Array.from(y.subarray(0, 6))
  const gradient = async (indices) => {
    const dataset = datasetOf(Int32Array.from(indices), targets, 2, 3, 'int32')
    await program.gradient({ ...pass, dataset })
    return [...program.read('gradients', 0)]
  }
  assert.ok((await gradient([0, 1, 2, 3])).slice(0, 8).every((g) => g !== 0))
  assert.equal((await gradient([4, 4, 4, 4])).slice(0, 8), new Array(8).fill(0))
})

/** Adam's first moment and weight under a schedule of β₁, by the definition: zero's weight after t steps is Πβ₁. */
function plainAdam(weights, gradients, momenta, { rate, nesterovDecay }) {
  let [m, v, product, w] = [0, 0, 1, weights]
  const warmUp = (t) => 1 - 0.5 * 0.96 ** (t * nesterovDecay)
  gradients.forEach((g, i) => {
    const t = i + 1
    m = momenta[i] * m + (1 - momenta[i]) * g
    v = 0.999 * v + 0.001 * g * g
    const root = Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8
    if (nesterovDecay === undefined) {
      product *= momenta[i]
      w -= (rate * m) / (1 - product) / root
    } else {
      const [now, next] = [momenta[i] * warmUp(t), momenta[i] * warmUp(t + 1)]
      product *= now
      w -= (rate * (((1 - now) / (1 - product)) * g + (next / (1 - product * next)) * m)) / root
    }
  })
  return w
}

test('adam and nadam under momentum schedules, and nadam over many steps, as their definitions', async () => {
  const steps = 700
  const ramp = Float64Array.from({ length: steps }, (_, i) => 0.5 + 0.4 * Math.min(1, i / 10))
  const even = new Float64Array(steps).fill(0.9)
  const cases = [
    [adam(), ramp, undefined],
    [nadam(), even, 0.004],
    [nadam(), ramp, 0.004],
    [nadam({ momentumDecay: 0 }), ramp, 0],
    [nadam({ momentumDecay: 3 }), ramp, 3],
  ]
  for (const [optimizer, momenta, nesterovDecay] of cases) {
    const model = sequential({ input: [1], seed: 1, dtype: 'float64' }, [dense(1, { bias: false })])
    const { program } = model.compile({ loss, optimizer })
    program.write('parameters', 0, Float64Array.of(3))
    // The gradient 2 · (w · x − t) · x hardly knows of w.
    const data = datasetOf(new Float64Array(steps).fill(1e-9), new Float64Array(steps).fill(-1e9), 1, 1)
    const { updates } = await program.train(call({ dataset: data, batchSize: 1, batches: steps, rate: 0.001, momenta }))
    assert.is(updates, steps)
    const gradient = 2 * 1e9 * 1e-9
    const expected = plainAdam(3, new Array(steps).fill(gradient), momenta, { rate: 0.001, nesterovDecay })
    const [weight] = program.read('parameters', 0)
    const name = `${optimizer.descriptor.kind}, decay ${nesterovDecay}`
    assert.ok(Math.abs(weight - expected) < 1e-12, `${name}: ${weight}, expected ${expected}`)
  }
})

test('nadam takes a step however late it comes', async () => {
  const model = sequential({ input: [4], seed: 1 }, [dense(3)]).compile({ loss, optimizer: nadam() })
  model.program.step = 2 ** 48 - 10
  const { loss: losses } = await model.program.train(call({ batches: 1 }))
  assert.ok(Number.isFinite(losses[0]) && named(model.program, 'parameters', 'dense1.weight').every(Number.isFinite))
})

test('batch norm: the running variance is that of examples to come, m / (m − 1) of the batch’s', async () => {
  const model = sequential({ input: [4], seed: 1, dtype: 'float64' }, [batchNorm({ momentum: 0.8 }), dense(3)])
  const { program } = model.compile({ loss, optimizer: sgd() })
  await program.train(call())
  for (let column = 0; column < 4; column++) {
    const values = Array.from({ length: rows }, (_, i) => x[i * 4 + column])
    const mean = values.reduce((sum, value) => sum + value, 0) / rows
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (rows - 1)
    assert.ok(Math.abs(named(program, 'parameters', 'batchNorm1.mean')[column] - 0.2 * mean) < 1e-14)
    assert.ok(Math.abs(named(program, 'parameters', 'batchNorm1.variance')[column] - (0.8 + 0.2 * variance)) < 1e-14)
  }
})

test('batch norm: batches of one example are an error, a last one of one leaves the statistics alone', async () => {
  const make = () =>
    sequential({ input: [4], seed: 1 }, [batchNorm(), relu(), dense(3)]).compile({ loss, optimizer: sgd() })
  let thrown
  await make()
    .program.train(call({ batchSize: 1 }))
    .catch((error) => (thrown = error))
  assert.is(thrown?.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(thrown.message, /batchSize.*batchNorm1.*batches of 1/)
  const { program } = make()
  await program.train(call({ batchSize: 11, batches: 1 }))
  const before = ['mean', 'variance'].map((role) => named(program, 'parameters', `batchNorm1.${role}`))
  const { updates, loss: losses } = await program.train(call({ batchSize: 11, batches: 1, firstRow: 11 }))
  assert.is(updates, 1)
  const after = ['mean', 'variance'].map((role) => named(program, 'parameters', `batchNorm1.${role}`))
  assert.equal(after, before)
  // Normalised by the running statistics the example is still there: with its own it would be all zeros.
  const evaluated = make().program
  for (const i of program.parameters.keys()) evaluated.write('parameters', i, program.read('parameters', i))
  assert.ok(losses[0] > 0 && Number.isFinite(losses[0]))
})

test('batch norm that is frozen is normalised by its running statistics and leaves them alone', async () => {
  const layers = [batchNorm({ trainable: false }), dense(3)]
  const { program } = sequential({ input: [4], seed: 1, dtype: 'float64' }, layers).compile({ loss, optimizer: sgd() })
  program.write('parameters', 2, Float64Array.of(1, 2, 3, 4))
  program.write('parameters', 3, Float64Array.of(4, 3, 2, 1))
  const before = [2, 3].map((i) => program.read('parameters', i))
  const evaluated = (await program.evaluate({ dataset, batchSize: rows, threads: 1 })).loss
  const { loss: losses } = await program.train(call())
  assert.ok(Math.abs(losses[0] - evaluated) < 1e-14, `${losses[0]} in training, ${evaluated} in evaluation`)
  assert.equal(
    [2, 3].map((i) => program.read('parameters', i)),
    before,
  )
})

test.run()
