// Filters as a whole: as the matrix that limits and muon see, as maps that begin as the identity, as units that are dead.
import {
  adam,
  batchNorm,
  conv1d,
  conv2d,
  conv2dTranspose,
  dense,
  depthwiseConv2d,
  flatten,
  maxPool2d,
  muon,
  relu,
  sanityCheck,
  separableConv2d,
  sequential,
  sgd,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const test = suite('filters')
const labels = (rows) => Int32Array.from({ length: rows }, (_, i) => (3 * i + (i >> 2)) % 3)

test('weights that begin as the identity give what came in', async () => {
  const answer = async (shape, ...list) => {
    const model = sequential({ input: shape, seed: 1, dtype: 'float64' }, list)
    const x = numbers(2 * shape.reduce((a, b) => a * b), 3)
    return [Array.from(x), [...(await model.predict(x)).data]]
  }
  const init = 'identity'
  for (const [shape, layer] of [
    [[5, 4, 3], conv2d(3, 3, { init, padding: 'same' })],
    [[5, 4, 3], conv2d(3, [2, 4], { init, padding: 'same' })],
    [[5, 4, 6], conv2d(6, 3, { init, padding: 'same', groups: 3 })],
    [[5, 4, 6], conv2d(6, 3, { init, padding: 2, dilation: 2 })],
    [[5, 4, 3], depthwiseConv2d(3, { init, padding: 'same' })],
    [[5, 4, 3], separableConv2d(3, 3, { init, padding: 'same' })],
    [[5, 4, 6], conv2dTranspose(6, 3, { init, padding: 'same', groups: 2 })],
    [[9, 3], conv1d(3, 5, { init, padding: 'same' })],
    [[7], dense(7, { init })],
  ]) {
    const [x, y] = await answer(shape, layer)
    assert.equal(y, x, layer.definition.call.join(' '))
  }
  // As many as there are; of a group the first ones.
  const [x, wider] = await answer([1, 1, 4], conv2d(6, 1, { init, groups: 2 }))
  assert.equal(wider.slice(0, 6), [x[0], x[1], 0, x[2], x[3], 0])
  const [more, fewer] = await answer([1, 1, 4], conv2d(2, 1, { init }))
  assert.equal(fewer.slice(0, 2), more.slice(0, 2))
  const [one, twice] = await answer([1, 1, 2], depthwiseConv2d(1, { init, multiplier: 2 }))
  assert.equal(twice.slice(0, 4), [one[0], 0, one[1], 0])
})

test('a bias cannot begin as the identity', () => {
  for (const make of [() => dense(3, { biasInit: 'identity' }), () => conv2d(3, 3, { biasInit: 'identity' })]) {
    assert.throws(
      make,
      (error) => error.code === 'GRADUS_INVALID_ARGUMENT' && /^(dense|conv2d): biasInit: expected/.test(error.message),
    )
  }
})

const images = (rows, size) => ({ x: numbers(rows * size, 2), y: labels(rows) })

/** A filter that sees the whole image is a unit of a dense layer that takes it all. */
function alike(optimizer, options = {}) {
  const shape = [3, 4, 2]
  const tail = () => [relu(), dense(3)]
  const filters = sequential({ input: shape, seed: 1, dtype: 'float64' }, [
    conv2d(5, [3, 4], options),
    flatten(),
    ...tail(),
  ])
  const units = sequential({ input: shape, seed: 1, dtype: 'float64' }, [flatten(), dense(5, options), ...tail()])
  const weights = filters.getWeights()
  units.setWeights(
    Object.fromEntries(
      Object.entries(units.getWeights()).map(([name, { shape }]) => {
        const from = { 'dense1.weight': 'conv2d1.weight', 'dense1.bias': 'conv2d1.bias' }[name]
        return [name, { shape, data: weights[from ?? name.replace('dense2', 'dense1')].data }]
      }),
    ),
  )
  return [filters, units].map((model) => model.compile({ loss: softmaxCrossEntropy(), optimizer }))
}

test('muon and maxNorm see filters as the matrix that a dense layer has', async () => {
  for (const [optimizer, options] of [
    [muon({ learningRate: 0.05 }), {}],
    [sgd({ learningRate: 0.5 }), { maxNorm: 0.4 }],
  ]) {
    const models = alike(optimizer, options)
    for (const model of models) {
      await model.fit(images(12, 24), { epochs: 3, batchSize: 6, shuffle: false, quiet: true }).done
    }
    const [filters, units] = models.map((model) => Object.values(model.getWeights())[0].data)
    const farthest = filters.reduce((worst, w, i) => Math.max(worst, Math.abs(w - units[i])), 0)
    assert.ok(farthest < 1e-10, `${farthest}`)
    if (!options.maxNorm) continue
    const norms = Array.from({ length: 5 }, (_, f) =>
      Math.sqrt(filters.reduce((sum, w, i) => sum + (i % 5 === f ? w * w : 0), 0)),
    )
    assert.ok(Math.max(...norms) < 0.4 + 1e-12, `${norms}`)
    assert.ok(norms.filter((norm) => Math.abs(norm - 0.4) < 1e-9).length > 1, `${norms}`)
  }
})

const pooled = () =>
  sequential({ input: [6, 6, 1], seed: 1 }, [
    ...[conv2d(4, 3, { padding: 'same' }), maxPool2d(2), relu(), flatten(), dense(3)],
  ]).compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
const messageOf = async (model, check) => {
  const { checks } = await sanityCheck(model, images(40, 36))
  return checks.find(({ name }) => name === check).message
}

test('a unit of an image is a channel: those are dead that answer to nothing at any pixel', async () => {
  const model = pooled()
  const weights = model.getWeights()
  weights['conv2d1.bias'].data.set([-100, 0, -100, -100])
  model.setWeights(weights)
  assert.match(await messageOf(model, 'deadUnits'), /^3 of the 4 units of relu1 \(75 ?%\) are dead/)
})

test('a bias that batch norm takes away again is named, through a pool too', async () => {
  const normed = (...between) => {
    const layers = [conv2d(4, 3), ...between, batchNorm({ gain: false }), relu(), flatten(), dense(3)]
    const model = sequential({ input: [6, 6, 1], seed: 1 }, layers)
    return model.compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
  }
  const expected = /but conv2d1\.bias, which batchNorm1 subtracts with the mean of the batch: conv2d\(…, \{ bias: false/
  assert.match(await messageOf(normed(), 'gradients'), expected)
  assert.match(await messageOf(normed(maxPool2d(2)), 'gradients'), expected)
  assert.is(await messageOf(normed(relu()), 'gradients'), 'every parameter receives a gradient')
})

test.run()
