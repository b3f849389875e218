// What training sees of its layers, against float64 arithmetic one number at a time.
import { adam, dense, meanSquaredError, relu, sequential, sgd, softmaxCrossEntropy, tanh } from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { native } from '../dist/native.js'
import { forward, gradient, losses, numbers } from './support/reference.js'

const [rows, input, classes, rate] = [66, 5, 3, 0.3]
const xs = numbers(rows * input, 3)
const labels = Array.from({ length: rows }, (_, i) => i % classes)
const examples = Array.from({ length: rows }, (_, i) => xs.slice(i * input, (i + 1) * input))

function dataset(values = xs, width = input, target = Int32Array.from(labels)) {
  const count = values.length / width
  const y = { name: 'y', type: target instanceof Int32Array ? 'int32' : 'float64', shape: [target.length / count] }
  if (target instanceof Int32Array) y.shape = []
  const made = new native.Dataset(count, [{ name: 'x', type: 'float64', shape: [width] }], y, null)
  made.write('input', 0, 0, Float64Array.from(values))
  made.write('target', 0, 0, target)
  return made
}

/** Relu and tanh over layers of odd widths, with weights large enough to saturate. */
function network(dtype = 'float64', optimizer = sgd({ learningRate: rate }), widths = [7, 6]) {
  const layers = [dense(widths[0]), relu(), dense(widths[1]), tanh(), dense(classes)]
  const model = sequential({ input: [input], seed: 1, dtype }, layers)
  const program = new native.Program(model.compile({ loss: softmaxCrossEntropy(), optimizer }).descriptor)
  for (const [i, { size }] of program.parameters.entries()) {
    const scale = size > 200 ? 0.2 : 2
    program.write(
      'parameters',
      i,
      numbers(size, 10 + i).map((x) => scale * x),
    )
  }
  return program
}

const call = (more) => ({
  dataset: dataset(),
  ...{ shuffle: false, epoch: 0, firstRow: 0, batchSize: 11, batches: 3, threads: 1 },
  learningRates: new Float64Array(more.batches ?? 3).fill(rate),
  inspectEvery: 1,
  inspectHistograms: true,
  ...more,
})

const weightsOf = (program) => program.parameters.map((_, i) => [...program.read('parameters', i)])

function histogramOf(values, edges) {
  const counts = new Array(edges.length - 1).fill(0)
  for (const x of values) {
    if (!Number.isFinite(x)) continue
    const size = Math.abs(x)
    let away = 0
    while (away < 64 && size >= edges[65 + away]) away++
    counts[64 + Math.sign(x) * away]++
  }
  return counts
}

/** One row, of values by layer, and gradients and weights by tensor. */
function expectedRow(ops, values, gradients, weights, dead, edges) {
  const statistics = ops.flatMap((op, i) => {
    const mean = values[i].reduce((sum, x) => sum + x, 0) / values[i].length
    const square = values[i].reduce((sum, x) => sum + (x - mean) ** 2, 0) / values[i].length
    const saturated = op === 'tanh' ? values[i].filter((x) => Math.abs(x) > 0.98).length / values[i].length : 0
    return [mean, Math.sqrt(square), dead[i], saturated, 0]
  })
  return { statistics, counts: [values, gradients, weights].flat().flatMap((all) => histogramOf(all, edges)) }
}

/** What a row must be at this step, in float64: of the first batch's values and of the gradient over all its batches. */
function referenceStep(layers, first, count, batchSize, { edges, round }) {
  const batch = examples.slice(first, first + count)
  const passes = batch.slice(0, batchSize).map((x) => forward(layers, x))
  const values = [2, 4, 5].map((layer) => passes.flatMap((pass) => pass[layer].map(round)))
  const { gradients } = gradient(layers, losses.softmaxCrossEntropy, batch, labels.slice(first, first + count))
  const tensors = (of) => [0, 2, 4].flatMap((i) => [of[i].weight.data ?? of[i].weight, of[i].bias.data ?? of[i].bias])
  const [slopes, weights] = [tensors(gradients), tensors(layers)]
  const fired = layers[0].bias.data.map((_, unit) => passes.some((pass) => pass[2][unit] > 0))
  const row = (dead) => expectedRow(['relu', 'tanh', 'dense'], values, slopes, weights, [dead, 0, 0], edges)
  const update = () =>
    weights.forEach((weight, i) => {
      for (const j of weight.keys()) weight[j] -= rate * slopes[i][j]
    })
  return { row, fired, update }
}

for (const [dtype, round, tolerance, astray] of [
  ['float64', (x) => x, 1e-7, 0],
  ['float32', Math.fround, 1e-5, 6],
]) {
  for (const accumulate of [1, 2]) {
    test(`rows of inspections are what plain arithmetic gives: ${dtype}, ${accumulate} batches an update`, async () => {
      const program = network(dtype)
      const { inspection, parameters } = program
      const data = parameters.map(({ shape }, i) => ({ shape, data: Float64Array.from(program.read('parameters', i)) }))
      const layers = [0, 2, 4].flatMap((i) => [{ weight: data[i], bias: data[i + 1] }, 'relu'])
      layers[3] = 'tanh'
      layers.pop()
      const { inspections } = await program.train(call({ accumulate, inspectEvery: 2, clipNorm: 1e6 }))
      assert.equal([...inspections.steps], [0, 2])
      assert.equal([...inspections.refused], [0, 0])
      assert.is(inspections.values.length, 2 * inspection.width)
      const alive = new Set()
      for (let step = 0; step < 3; step++) {
        const count = 11 * accumulate
        const { row, fired, update } = referenceStep(layers, step * count, count, 11, {
          edges: inspection.edges,
          round,
        })
        if (step % 2 === 0) {
          for (const [unit, yes] of fired.entries()) if (yes) alive.add(unit)
          const seen = [...inspections.values.slice((step / 2) * inspection.width, (step / 2 + 1) * inspection.width)]
          const { statistics, counts } = row(7 - alive.size)
          for (const [i, x] of statistics.entries()) {
            assert.ok(Math.abs(seen[i] - x) <= tolerance * (1 + Math.abs(x)), `step ${step}, ${i}: ${seen[i]} for ${x}`)
          }
          assert.is(seen.length - statistics.length, counts.length)
          // Rounding may carry a number over an edge: it is then missing in one bin and in its neighbour too many.
          const wrong = counts.reduce((sum, x, i) => sum + Math.abs(seen[statistics.length + i] - x), 0)
          assert.ok(wrong <= astray, `step ${step}: ${wrong} counts are wrong`)
        }
        update()
      }
    })
  }
}

test('the layout names layers, tensors and edges', () => {
  const { inspection } = network()
  assert.equal(
    inspection.layers.map(({ op, units }) => [op, units]),
    [
      ['relu', 7],
      ['tanh', 6],
      ['dense', 3],
    ],
  )
  assert.equal(
    inspection.tensors,
    network().parameters.map(({ name }) => name),
  )
  const { bins, statistics, width, edges } = inspection
  assert.equal([bins, statistics, width, edges.length], [129, 5, 3 * 5 + (3 + 2 * 6) * 129, 130])
  assert.equal([...edges.slice(64, 68)], [-(2 ** -24), 2 ** -24, 1.5 * 2 ** -24, 2 ** -23])
  assert.equal([edges[0], edges[128], edges[129]], [-Infinity, 192, Infinity])
})

test('statistics alone make short rows; without inspections there are none', async () => {
  const short = await network().train(call({ inspectHistograms: false }))
  const long = await network().train(call({}))
  const { width } = network().inspection
  assert.is(short.inspections.values.length, 3 * 15)
  for (let i = 0; i < 3; i++) {
    assert.equal(
      [...short.inspections.values.slice(i * 15, (i + 1) * 15)],
      [...long.inspections.values.slice(i * width, i * width + 15)],
    )
  }
  const { inspections, firstRefusal } = await network().train(call({ inspectEvery: 0 }))
  assert.equal([inspections, firstRefusal], [undefined, undefined])
})

test('a wide layer is looked at whole, in training as by inspect', async () => {
  const model = sequential({ input: [input], dtype: 'float64', seed: 4 }, [dense(1201)])
  const { descriptor } = model.compile({ loss: meanSquaredError(), optimizer: sgd() })
  const program = new native.Program(descriptor)
  const data = dataset(xs, input, new Float64Array(rows * 1201))
  const values = await program.predict({ dataset: data, batchSize: rows, threads: 1 })
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length)
  for (const threads of [1, 2]) {
    const [seen] = await program.inspect({ dataset: data, training: false, randomness: false, threads })
    assert.ok(Math.abs(seen.mean - mean) < 1e-13 && Math.abs(seen.deviation - deviation) < 1e-13)
  }
  const { inspections } = await program.train(call({ dataset: data, batchSize: rows, batches: 1 }))
  assert.equal([...inspections.values.slice(0, 2)], [Math.fround(mean), Math.fround(deviation)])
  assert.equal([...inspections.values.slice(5, 5 + 129)], histogramOf(values, program.inspection.edges))
})

test('a unit is dead that has not fired in the last ten inspections, or in any', async () => {
  // The units are the inputs. Unit 0 always fires; 1 in inspection 0 only, 2 in inspection 5 only, 3 never.
  const steps = 20
  const model = sequential({ input: [4], dtype: 'float64' }, [dense(4), relu(), dense(1)])
  const compiled = model.compile({ loss: meanSquaredError(), optimizer: sgd({ learningRate: 1 }) })
  const program = new native.Program(compiled.descriptor)
  program.write(
    'parameters',
    0,
    Float64Array.from({ length: 16 }, (_, i) => Number(i % 5 === 0)),
  )
  const values = Array.from({ length: 2 * steps }, (_, i) => {
    const step = i >> 1
    return i % 2 ? [-1, -1, -1, -1] : [1, step === 0 ? 1 : -1, step === 5 ? 1 : -1, 0]
  })
  const data = dataset(values.flat(), 4, new Float64Array(2 * steps))
  const learningRates = new Float64Array(steps)
  const dead = []
  // State of the program: cutting the calls changes nothing. Every step counts, so that the window is of ten steps.
  for (const [firstRow, batches] of [
    [0, 7],
    [14, 13],
  ]) {
    const more = { dataset: data, batchSize: 2, firstRow, batches, learningRates: learningRates.slice(0, batches) }
    const { inspections } = await program.train(call({ ...more, inspectHistograms: false }))
    for (let i = 0; i < batches; i++) dead.push(inspections.values[i * 10 + 2])
  }
  const expected = Array.from({ length: steps }, (_, i) => 1 + Number(i >= 10) + Number(i < 5 || i >= 15))
  assert.equal(dead, expected)
})

/** Six batches, with an infinity in one of them. */
function spoiltIn(batch) {
  const spoilt = Float64Array.from(xs)
  spoilt[11 * batch * input] = Number.POSITIVE_INFINITY
  return dataset(spoilt)
}

test('the first refused update of a row is looked at, whatever its step, and says where numbers went wrong', async () => {
  const data = spoiltIn(3)
  const program = network()
  const options = { dataset: data, batches: 6, inspectEvery: 2, inspectHistograms: false }
  const { inspections, refused, firstRefusal } = await program.train(call(options))
  assert.equal([...refused], [0, 0, 0, 1, 0, 0])
  assert.equal([...inspections.steps], [0, 2, 3, 4])
  assert.equal([...inspections.refused], [0, 0, 1, 0])
  const { layers } = program.inspection
  assert.equal([firstRefusal.step, firstRefusal.layer], [3, layers[0].layer])
  const nonfinite = layers.map((_, i) => inspections.values[2 * 15 + i * 5 + 4])
  assert.ok(nonfinite[0] > 0 && nonfinite[0] < 1, String(nonfinite))
  for (const mean of [0, 5, 10]) assert.ok(Number.isFinite(inspections.values[2 * 15 + mean]))

  // And always, also with inspections off.
  const off = await network().train(call({ ...options, inspectEvery: 0 }))
  assert.equal([off.firstRefusal, off.inspections], [firstRefusal, undefined])
})

test('of a refused update of several batches, the one is looked at where numbers went wrong', async () => {
  for (const batch of [3, 4, 5]) {
    const options = { dataset: spoiltIn(batch), accumulate: 3, batches: 2, inspectHistograms: false }
    for (const inspectEvery of [1, 2]) {
      const program = network()
      const { inspections, firstRefusal } = await program.train(call({ ...options, inspectEvery }))
      assert.equal([firstRefusal.step, firstRefusal.layer], [1, program.inspection.layers[0].layer])
      assert.equal(
        [[...inspections.steps], [...inspections.refused]],
        [
          [0, 1],
          [0, 1],
        ],
      )
      assert.ok(inspections.values[15 + 4] > 0)
    }
  }
})

test('of a row of refused updates only the first is looked at, and those at a multiple', async () => {
  const program = network()
  await program.train(call({ batches: 1 }))
  const bias = program.read('parameters', 3)
  program.write('parameters', 3, bias.fill(Number.NaN))
  const { inspections, gaveUp } = await program.train(call({ batches: 5, inspectEvery: 3, maxRefused: 4 }))
  assert.is(gaveUp.step, 1)
  assert.equal([[...inspections.steps], [...inspections.refused]], [[1], [1]])
  const atMultiple = await program.train(call({ batches: 5, inspectEvery: 1, maxRefused: 4 }))
  assert.equal([...atMultiple.inspections.steps], [1, 1, 1, 1])
})

test('NaN in the weights of each layer: the first layer that shows it, the parameter nearest to the loss', async () => {
  for (const [layer, parameter] of [0, 2, 4].entries()) {
    const program = network()
    const weights = program.read('parameters', parameter)
    weights[1] = Number.NaN
    program.write('parameters', parameter, weights)
    const { firstRefusal } = await program.train(call({ batches: 1, inspectEvery: 0 }))
    const { layers, tensors } = program.inspection
    assert.equal(firstRefusal, { step: 0, layer: layers[layer].layer, tensor: tensors.at(-1), nonfinite: 3 })
  }
})

test('a gradient that overflows where all values are finite: no layer, and the parameter where it began', async () => {
  const model = sequential({ input: [2], dtype: 'float32' }, [dense(2), relu(), dense(1)])
  const compiled = model.compile({ loss: meanSquaredError(), optimizer: sgd() })
  const program = new native.Program(compiled.descriptor)
  program.write('parameters', 0, Float32Array.of(1, 0, 0, 1))
  program.write('parameters', 2, Float32Array.of(1e25, 1e25))
  // Values of at most 1e15, and 1e-10 · 1e25 · 1e25 on the way down.
  const data = dataset(Float64Array.of(1e-10, 1e-10), 2, new Float64Array(1))
  const { firstRefusal, loss } = await program.train(call({ dataset: data, batches: 1 }))
  assert.ok(Number.isFinite(loss[0]), String(loss[0]))
  assert.equal(firstRefusal, { step: 0, layer: null, tensor: program.inspection.tensors[1], nonfinite: 2 })
})

for (const dtype of ['float32', 'float64']) {
  test(`neither threads nor inspections change a bit: ${dtype}`, async () => {
    const run = async (more) => {
      const program = network(dtype, adam({ learningRate: rate }), [300, 130])
      const { inspections } = await program.train(call({ batchSize: 33, batches: 2, ...more }))
      return { weights: weightsOf(program), rows: inspections && [...inspections.values] }
    }
    const [alone, together, off] = [await run({}), await run({ threads: 3 }), await run({ inspectEvery: 0 })]
    assert.equal(together, alone)
    assert.equal(off.weights, alone.weights)
  })
}

test('gradients of large weights, which an update would make on the way, are there to be counted', async () => {
  const run = async (inspectEvery) => {
    const program = network('float32', sgd({ learningRate: rate }), [1024, 1030])
    const { inspections } = await program.train(call({ batches: 1, inspectEvery }))
    return { program, inspections }
  }
  const { program, inspections } = await run(1)
  const { layers, edges, bins } = program.inspection
  const at = layers.length * (5 + bins) + 2 * bins // of the third tensor's gradient
  const counted = [...inspections.values.slice(at, at + bins)]
  assert.equal(counted, histogramOf(program.read('gradients', 2), edges))
  assert.ok(counted[64] < 1024 * 1030 * 0.9)
  assert.equal(weightsOf((await run(0)).program), weightsOf(program))
})

test.run()
