// node mortal-images.js '{ dir, resume, threads, every, killAt, filters, side, batchSize }': fifty steps of a convolutional network
// on images that are moved and mirrored. It kills itself when `killAt.event` has happened `killAt.count` times; one that lives to
// its end writes what it has come to.
import { fileURLToPath } from 'node:url'
import {
  alternatingFlip,
  batchNorm,
  checkpoint,
  conv2d,
  dense,
  globalAveragePool,
  maxPool2d,
  randomCrop,
  relu,
  sequential,
  sgd,
  softmaxCrossEntropy,
} from 'gradus'
import { resultOf } from './mortal-run.js'

/** Bytes without a pattern that a class could be read from but by its mean. */
export function imagesOf(rows, side) {
  const data = new Uint8Array(rows * side * side * 3)
  for (let i = 0, state = 1; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    data[i] = state >>> 24
  }
  const y = Int32Array.from({ length: rows }, (_, row) => (7 * row + (row >> 2)) % 10)
  return { x: { data, shape: [rows, side, side, 3] }, y }
}

/** `filters` of the first convolution; the others have two and four times as many. */
export const network = ({ filters = 32, side = 32, seed = 1 }) =>
  sequential({ input: [side, side, 3], seed }, [
    ...[conv2d(filters, 3, { padding: 'same', bias: false }), batchNorm(), relu()],
    ...[conv2d(2 * filters, 3, { padding: 'same', bias: false }), maxPool2d(2), batchNorm(), relu()],
    ...[conv2d(4 * filters, 3, { padding: 'same', bias: false }), maxPool2d(2), batchNorm(), relu()],
    ...[globalAveragePool(), dense(10)],
  ]).compile({
    loss: softmaxCrossEntropy({ labelSmoothing: 0.1 }),
    optimizer: sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
    metrics: ['accuracy'],
  })

/** Ten steps an epoch, the last of them shorter than the others. */
export async function mortalImages({ dir, resume, threads, every = { steps: 7 }, killAt = null, ...options }) {
  const { side = 32, batchSize = 128, seed } = options
  const counts = {}
  const tell = (event) => {
    counts[event] = (counts[event] ?? 0) + 1
    if (killAt?.event === event && killAt.count === counts[event]) process.kill(process.pid, 'SIGKILL')
  }
  const model = network({ ...options, side, seed })
  const run = model.fit(imagesOf(10 * batchSize - 1, side), {
    ...{ dir, resume, threads, epochs: 5, batchSize, stepsPerCall: 3, quiet: true, sanityCheck: false },
    augment: [randomCrop({ padding: 4 }), alternatingFlip()],
    callbacks: [
      { name: 'teller', onStepsEnd: () => tell('steps'), onCheckpoint: () => tell('checkpoint') },
      ...(resume ? [checkpoint({ every })] : []),
    ],
  })
  return await resultOf(model, await run, run.best)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write('begins\n')
  process.stdout.write(`${JSON.stringify(await mortalImages(JSON.parse(process.argv[2])))}\n`)
}
