// The pictures that a monitor keeps of a network for images: filters of its first convolution, and what the first
// convolutions answer to one example.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  batchNorm,
  conv2d,
  customLayer,
  dense,
  flatten,
  maxPool2d,
  monitor,
  normalization,
  relu,
  reshape,
  sequential,
  sgd,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readLatest } from '../dist/watch/recording/index.js'
import { numbers } from './support/reference.js'

const test = suite('feature maps')
const folder = mkdtempSync(join(tmpdir(), 'gradus-maps-'))
test.after(() => rmSync(folder, { recursive: true }))

const rows = 24
const labels = Int32Array.from({ length: rows }, (_, i) => i % 3)
const bytes = (pixels) => Array.from(Buffer.from(pixels, 'base64'))
const stretched = (values) => {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return values.map((value) => Math.round(((value - least) * 255) / (most - least)))
}

/** Trains it for two epochs; its latest pictures. */
async function latestOf(name, shape, layers, options) {
  const model = sequential({ input: shape, seed: 1 }, layers)
  model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 0.01 }) })
  const x = numbers(rows * shape.reduce((a, b) => a * b), 6).map((value) => value / 2 + 0.5)
  const dir = join(folder, name)
  const all = { epochs: 2, batchSize: 8, quiet: true, dir, callbacks: [monitor(options)] }
  await model.fit({ x, y: labels }, all).done
  return { model, x: Float32Array.from(x), latest: await readLatest(dir) }
}

const net = () => [
  ...[
    conv2d(5, 3, { padding: 'same', name: 'first' }),
    batchNorm({ name: 'norm' }),
    relu({ name: 'on' }),
    maxPool2d(2),
  ],
  ...[conv2d(20, [3, 2], { name: 'second' }), maxPool2d(2), conv2d(4, 1), conv2d(4, 1), flatten(), dense(3)],
]

test('the filters are those of the first convolution, and the maps what the layers answer', async () => {
  const { model, x, latest } = await latestOf('colour', [10, 9, 3], net(), { featureMaps: true })
  const { layer, units, isConvolution, height, width, channels, least, most, pixels } = latest.firstLayer
  assert.equal([layer, units, isConvolution, height, width, channels], ['first', 5, true, 3, 3, 3])
  const { data } = model.getWeights()['first.weight']
  assert.equal([least, most], [Math.min(...data), Math.max(...data)])
  const byFilter = Array.from({ length: 5 * 27 }, (_, i) => data[(i % 27) * 5 + Math.floor(i / 27)])
  assert.equal(bytes(pixels), stretched(byFilter))

  assert.is(latest.featureMaps.row, 0)
  assert.equal(
    bytes(latest.featureMaps.image),
    [...x.slice(0, 270)].map((value) => Math.round(255 * value)),
  )
  const shown = latest.featureMaps.layers
  assert.equal(
    shown.map(({ layer, height, width, maps, of }) => [layer, height, width, maps, of]),
    [
      ['first … on', 10, 9, 5, 5],
      ['second', 3, 3, 16, 20],
      ['conv2d1', 1, 1, 4, 4],
    ],
  )
  for (const [i, count] of [3, 5].entries()) {
    const part = sequential(
      { input: [10, 9, 3] },
      model.layerNames.slice(0, count).map((name) => model.layer(name)),
    )
    const [values] = await part.predict(x.slice(0, 270))
    const { maps, of, height, width } = shown[i]
    const byMap = Array.from({ length: maps * height * width }, (_, at) => {
      return values[(at % (height * width)) * of + Math.floor(at / (height * width))]
    })
    assert.equal(bytes(shown[i].pixels), stretched(byMap))
  }
})

test('grey pictures without channels, of other layers first, and large ones in fewer pixels', async () => {
  const layers = [normalization(), reshape([130, 8, 1]), conv2d(2, 5, { padding: 'same' }), flatten(), dense(3)]
  const { latest } = await latestOf('grey', [130, 8], layers, { featureMaps: true })
  const { height, width, channels, units } = latest.firstLayer
  assert.equal([height, width, channels, units], [5, 5, 1, 2])
  assert.equal(
    latest.featureMaps.layers.map(({ height, width }) => [height, width]),
    [[44, 3]],
  )
})

test('where there is nothing to draw nothing is drawn', async () => {
  const plain = await latestOf('plain', [8, 8], [flatten(), dense(3)], { featureMaps: true })
  assert.is(plain.latest.featureMaps, undefined)
  assert.is(plain.latest.firstLayer.isConvolution, false)
  const unasked = await latestOf('unasked', [8, 8, 1], [conv2d(2, 3), flatten(), dense(3)], {})
  assert.is(unasked.latest.featureMaps, undefined)
  const own = customLayer({ name: 'own', forward: (x) => x.slice(), backward: (dy) => ({ dx: dy.slice() }) })
  const custom = await latestOf('custom', [8, 8, 1], [own, conv2d(2, 1), flatten(), dense(3)], { featureMaps: true })
  assert.is(custom.latest.featureMaps, undefined)
  assert.is(custom.latest.firstLayer, undefined)
  assert.throws(() => monitor({ featureMaps: 1 }), /^featureMaps: expected true or false, received 1/)
})

test.run()
