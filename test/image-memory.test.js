// What networks for images hold in memory: a step as much as its values and little more, a run no more at its end than at its begin.
import * as gradus from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layersOf } from '../bench/convnet/layers.js'
import nets from '../bench/convnet/nets.json' with { type: 'json' }
import { native } from '../dist/native.js'
import { imagesOf, network } from './support/mortal-images.js'

const test = suite('image-memory')
const { alternatingFlip, randomCrop, sequential, sgd, softmaxCrossEntropy } = gradus

/** Elements of each layer's output for one example, the input first. */
const sizesOf = (model) =>
  [...model.summary().matchAll(/^\S+ +\[([\d, ]+)\]/gm)].map(([, shape]) =>
    shape.split(', ').reduce((size, length) => size * Number(length), 1),
  )

for (const { name, input, layers } of nets) {
  test(`a step takes at most 1.2 times all values and the two largest gradients: ${name}`, () => {
    const optimizer = sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true })
    const model = sequential({ input, seed: 1 }, layersOf(gradus, layers)).compile({
      loss: softmaxCrossEntropy(),
      optimizer,
    })
    const sizes = sizesOf(model)
    assert.is(sizes.length, layers.split(', ').length + 1)
    const [first, second] = sizes.slice(1).sort((a, b) => b - a)
    const batch = 128
    const most = 1.2 * 4 * batch * (sizes.reduce((sum, size) => sum + size, 0) + first + second)
    const bytes = native.stepMemory(model.descriptor, batch)
    assert.ok(bytes <= most, `${bytes}, expected ${most}`)
  })
}

test('hundreds of steps hold no more memory than the first ones', async () => {
  const model = network({ filters: 8, side: 16 })
  const resident = []
  await model.fit(imagesOf(800, 16), {
    ...{ epochs: 12, batchSize: 32, quiet: true, sanityCheck: false },
    augment: [randomCrop({ padding: 4 }), alternatingFlip()],
    validation: imagesOf(40, 16),
    callbacks: [() => resident.push(process.memoryUsage().rss)],
  })
  // One step's values are 2 MiB: what 250 steps would leave, if they left it, is 500.
  const grown = (resident.at(-1) - resident[1]) / 2 ** 20
  assert.ok(native.stepMemory(model.descriptor, 32) > 2 ** 21)
  assert.ok(grown < 64, `${grown} MiB`)
})

test.run()
