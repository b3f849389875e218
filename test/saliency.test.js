// Which pixels a score depends on, against differences of predictions.
import {
  adam,
  add,
  batchNorm,
  conv2d,
  dense,
  dropout,
  embedding,
  flatten,
  graph,
  input,
  maxPool2d,
  relu,
  saliency,
  sequential,
  softmaxCrossEntropy,
  tanh,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const test = suite('saliency')

const net = (dtype, shape = [6, 5, 3]) =>
  sequential({ input: shape, seed: 3, dtype }, [
    ...[conv2d(4, 3, { padding: 'same' }), batchNorm(), relu(), maxPool2d(2), dropout(0.5)],
    ...[conv2d(5, 2), tanh(), flatten(), dense(4)],
  ])
const x = numbers(3 * 90, 5)
const labels = [2, 0, 3]

/** |∂ score / ∂ pixel| of one example by central differences, of channels the largest. */
async function byDifferences(model, example, label, channels) {
  const step = 1e-5
  const score = async (at, offset) => {
    const moved = example.slice()
    moved[at] += offset
    return (await model.predict(moved)).data[label]
  }
  const slopes = []
  for (let at = 0; at < example.length; at++) {
    slopes.push(Math.abs((await score(at, step)) - (await score(at, -step))) / (2 * step))
  }
  return Array.from({ length: slopes.length / channels }, (_, pixel) =>
    Math.max(...slopes.slice(pixel * channels, (pixel + 1) * channels)),
  )
}

test('it is what differences of the score say, the largest over channels', async () => {
  const model = net('float64')
  // Statistics that are not those of the begin; it is to take them, and to drop nothing.
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
  await model.fit({ x, y: labels }, { epochs: 3, batchSize: 3, quiet: true }).done
  const before = model.getWeights()
  const found = await saliency(model, x, labels)
  assert.equal(found.shape, [3, 6, 5])
  for (const [row, label] of labels.entries()) {
    const expected = await byDifferences(model, x.slice(row * 90, (row + 1) * 90), label, 3)
    for (const [pixel, slope] of expected.entries()) {
      const one = found.data[row * 30 + pixel]
      assert.ok(Math.abs(one - slope) < 1e-6 * Math.max(1, slope), `${row}, ${pixel}: ${one}, ${slope}`)
    }
  }
  assert.equal(model.getWeights(), before)
  assert.ok(found.data.some((slope) => slope > 0.01))
})

test('of models that are not compiled, of one channel or none, of many rows and of names of classes', async () => {
  const model = net('float32', [5, 4, 1])
  const many = Float32Array.from(numbers(150 * 20, 8))
  const found = await saliency(model, many, new Int32Array(150).fill(1), { threads: 2 })
  assert.equal(found.shape, [150, 5, 4])
  assert.ok(found.data instanceof Float32Array)
  const [last] = [await saliency(model, many.slice(149 * 20), [1])]
  assert.equal(last.data, found.data.slice(149 * 20))
  const flat = sequential({ input: [4], dtype: 'float64' }, [dense(2, { name: 'a' })])
  const named = flat.compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
  await named.fit({ x: numbers(8, 2), y: ['cat', 'dog'] }, { quiet: true }).done
  const { shape, data } = await saliency(named, numbers(8, 3), ['dog', 'cat'])
  assert.equal(shape, [2, 4])
  const weights = named.getWeights()['a.weight'].data
  assert.equal(
    [...data],
    [1, 3, 5, 7, 0, 2, 4, 6].map((i) => Math.abs(weights[i])),
  )
})

test('what it cannot take is told', async () => {
  const a = input([2])
  const b = input([2])
  const images = numbers(90, 1)
  const regression = sequential({ input: [2] }, [dense(1)])
  for (const [model, data, given, message] of [
    [{}, images, [0], /^model: expected a model/],
    [
      graph({ inputs: [a, b], output: dense(2)(add(a, b)) }),
      images,
      [0],
      /^model: expected one input .* received 2 of them/,
    ],
    [regression, numbers(2, 1), [0], /^model: expected two scores or more, received the output shape \[1\]/],
    [sequential({ input: [3] }, [embedding(5, 2), flatten(), dense(2)]), Int32Array.of(1, 2, 3), [0], /row numbers$/],
    [net(), images, [4], /expected a class number from 0 to 3, received 4/],
    [net(), images, [0, 1], /^labels: expected one for each of 1 examples, received 2/],
  ]) {
    try {
      await saliency(model, data, given)
    } catch (error) {
      assert.match(error.code, /^GRADUS_INVALID|^GRADUS_SHAPE/)
      assert.match(error.message, message)
      continue
    }
    assert.unreachable(`${message}`)
  }
  const ended = AbortSignal.abort()
  await saliency(net(), images, [0], { signal: ended }).then(
    () => assert.unreachable(),
    (error) => assert.is(error, ended.reason),
  )
})

test.run()
