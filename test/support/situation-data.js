// Data as they are, made by a seed: rare classes, many classes, quantities, sorted and repeated rows.
import { adam, binaryCrossEntropy, dense, meanSquaredError, relu, sequential, softmaxCrossEntropy } from 'gradus'
import { randomUniform } from 'gradus/kernels'

export const features = 8
export const numbers = (count, seed) => randomUniform(new Float64Array(count), { seed, low: -1, high: 1 })

/** Rows of uniform inputs of deviation about 1, and for each a score that a small net can learn. */
export function table(rows, seed, score = (x) => 1.5 * x[0] - x[1] + x[2] * x[3]) {
  const x = Float32Array.from(numbers(rows * features, seed), (v) => 1.7 * v)
  const scores = Float64Array.from({ length: rows }, (_, i) => score(x.subarray(i * features, (i + 1) * features)))
  return { x, scores }
}

/** The largest `share` of the scores are of class 1. */
export function yesNo(rows, seed, share = 0.5) {
  const { x, scores } = table(rows, seed)
  const limit = scores.slice().sort()[Math.floor(rows * (1 - share))]
  return { x, y: Int32Array.from(scores, (score) => (score >= limit ? 1 : 0)) }
}

/** Points about as many centres as there are classes. */
export function clusters(rows, seed, classes, of = (i) => i % classes) {
  const centres = numbers(classes * features, 77)
  const noise = numbers(rows * features, seed)
  const y = Int32Array.from({ length: rows }, (_, i) => of(i))
  const x = Float32Array.from(noise, (v, i) => {
    const [row, feature] = [Math.floor(i / features), i % features]
    return 1.7 * (centres[y[row] * features + feature] + 0.25 * v)
  })
  return { x, y }
}

export function regression(rows, seed, { noise = 0.1, change = (v) => v } = {}) {
  const { x, scores } = table(rows, seed)
  const error = numbers(rows, seed + 1000)
  return { x, y: Float32Array.from(scores, (score, i) => change(score + noise * 1.7 * error[i])) }
}

export const shuffled = (values, seed) => {
  const order = numbers(values.length, seed)
  const rows = [...values.keys()].sort((a, b) => order[a] - order[b])
  return values.map((_, i) => values[rows[i]])
}

/** The rows by their targets, smallest first. */
export function sorted({ x, y }) {
  const rows = [...y.keys()].sort((a, b) => y[a] - y[b])
  const inputs = new Float32Array(x.length)
  rows.forEach((row, i) => {
    inputs.set(x.subarray(row * features, (row + 1) * features), i * features)
  })
  return { x: inputs, y: y.map((_, i) => y[rows[i]]) }
}

export const column = (data, number, change) => ({
  ...data,
  x: data.x.map((v, i) => (i % features === number ? change(v) : v)),
})
export const oneHot = ({ x, y }, classes) => {
  const rows = new Float32Array(y.length * classes)
  y.forEach((label, i) => {
    rows[i * classes + label] = 1
  })
  return { x, y: rows }
}
export const asNumbers = ({ x, y }) => ({ x, y: Float32Array.from(y) })

export function net(seed, outputs, { loss = softmaxCrossEntropy(), rate = 3e-3, hidden = 32, layers } = {}) {
  const stack = layers?.() ?? [dense(hidden), relu(), dense(outputs)]
  return sequential({ input: [features], seed }, stack).compile({ loss, optimizer: adam({ learningRate: rate }) })
}
export const mse = { loss: meanSquaredError() }
export const bce = { loss: binaryCrossEntropy() }

/** Two parts of data made alike. */
export const parts = (make, seed) => ({ data: make(2 * seed + 1), validation: make(2 * seed + 2) })
export const epochs = (count, more) => ({ options: { epochs: count, batchSize: 32, ...more } })
