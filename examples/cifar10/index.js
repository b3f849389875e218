// A convolutional network on CIFAR-10, after Jordan 2024, "94 % on CIFAR-10 in 3.29 seconds on a single GPU": whitened patches, three
// pairs of convolutions, batch norm without gain, GELU and muon. Its page draws filters and maps; runs/cifar10.png the worst mistakes, and
// below each how much what was said of it depends on each pixel.
// Run: npm install --ignore-scripts, then node index.js [--widths 32,64,64] [--epochs 8] [--seed 1] [--share 0.1] (of the images)
// Nothing here needs the scripts: those of canvas, which comes with the images and is never used, fetch or build a binary.
import { parseArgs } from 'node:util'
import * as gradus from 'gradus'
import { classes, readCifar10 } from './data.js'
import { drawRows } from './draw.js'
import { beginAsIdentity, whitening } from './whitening.js'

const {
  batchNorm,
  conv2d,
  dense,
  flatten,
  gelu,
  linearRamp,
  maxPool2d,
  monitor,
  muon,
  softmaxCrossEntropy,
  standardize,
} = gradus
const text = (fallback) => ({ type: 'string', default: fallback })
const { values } = parseArgs({
  options: { widths: text('32,64,64'), epochs: text('8'), seed: text('1'), share: text('1') },
})
const [epochs, batchSize] = [Number(values.epochs), 500]
const { train, test } = readCifar10(Number(values.share))
const scale = standardize(train.x, { per: 'channel' })
for (const part of [train, test]) part.x = scale.apply(part.x)

// Batch norm makes a filter's length meaningless; bounded, it does not grow until steps of the same size turn it no further.
const convolution = (filters) => conv2d(filters, 3, { padding: 'same', bias: false, maxNorm: 1 })
const pair = (filters) => [
  ...[convolution(filters), maxPool2d(2), batchNorm({ gain: false }), gelu()],
  ...[convolution(filters), batchNorm({ gain: false }), gelu()],
]
const model = gradus.sequential({ input: [32, 32, 3], seed: Number(values.seed) }, [
  ...[conv2d(24, 2, { name: 'whitening' }), gelu()],
  ...values.widths.split(',').flatMap((width) => pair(Number(width))),
  ...[maxPool2d(3), flatten(), dense(10, { bias: false, init: 'zeros', name: 'scores' })],
])
const weights = model.getWeights()
weights['whitening.weight'].data.set(whitening(train.x, scale, 2))
for (const { data, shape } of Object.values(weights).filter(({ shape }) => shape[0] === 3)) beginAsIdentity(data, shape)
model.setWeights(weights)
model.freeze('whitening.weight')
console.log(model.summary({ batchSize }))

// Its updates are all of one length: those of the scores, which no norm bounds, are to be short.
const groups = [{ parameters: 'scores', learningRateMultiplier: 0.05 }]
const optimizer = muon({ learningRate: 0.15, momentum: 0.6, adam: { learningRate: 0.03 }, groups })
model.compile({ loss: softmaxCrossEntropy({ labelSmoothing: 0.2 }), optimizer, metrics: ['accuracy'] })
const run = model.fit(train, {
  ...{ epochs, batchSize, validation: test, dir: 'runs', name: 'cifar10' },
  augment: [gradus.alternatingFlip(), gradus.randomCrop({ padding: 2, fill: 'reflect' })],
  schedule: linearRamp({ to: 0, length: epochs * Math.ceil(train.y.length / batchSize), unit: 'step' }),
  callbacks: [monitor({ featureMaps: true, classNames: classes })],
})
await run
for (const { severity, message } of run.diagnose()) console.log(`${severity}: ${message}`)
const { accuracy } = await model.evaluate(test)
const { accuracy: withMirrored } = await model.evaluate(test, { views: 'mirror' })

const probabilities = await model.predictProbabilities(test.x)
const mistakes = [...probabilities]
  .map((row, i) => ({ i, said: row.indexOf(Math.max(...row)), share: Math.max(...row) }))
  .filter(({ i, said }) => said !== test.y[i])
  .sort((a, b) => b.share - a.share)
  .slice(0, 12)
const pictures = mistakes.map(({ i }) => ({ data: test.x.data.subarray(i * 3072, (i + 1) * 3072), channels: 3 }))
const images = { data: Uint8Array.from(pictures.flatMap(({ data }) => [...data])), shape: [pictures.length, 32, 32, 3] }
const { data } = await gradus.saliency(
  model,
  images,
  mistakes.map(({ said }) => said),
)
const maps = mistakes.map((_, i) => {
  const slopes = data.subarray(i * 1024, (i + 1) * 1024)
  return { data: Uint8Array.from(slopes, (slope) => (255 * slope) / Math.max(...slopes)), channels: 1 }
})
drawRows('runs/cifar10.png', [pictures, maps], [32, 32])
for (const { i, said, share } of mistakes)
  console.log(`${classes[test.y[i]]} taken for ${classes[said]}, ${share.toFixed(2)}`)
const percent = (share) => `${(100 * share).toFixed(2)} %`
console.log(`${percent(accuracy)} of the test images are right, ${percent(withMirrored)} with their mirror images`)
console.log('the page: npx gradus watch runs')
