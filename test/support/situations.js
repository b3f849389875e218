// Data as they are: what must be found in each situation, and what must not. `sound` ones are runs that go as they should.
import {
  adam,
  batchNorm,
  binaryCrossEntropy,
  dense,
  dropout,
  huber,
  meanSquaredError,
  relu,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'
import { randomUniform } from 'gradus/kernels'

const features = 8
const numbers = (count, seed) => randomUniform(new Float64Array(count), { seed, low: -1, high: 1 })

/** Rows of uniform inputs of deviation about 1, and for each a score that a small net can learn. */
function table(rows, seed, score = (x) => 1.5 * x[0] - x[1] + x[2] * x[3]) {
  const x = Float32Array.from(numbers(rows * features, seed), (v) => 1.7 * v)
  const scores = Float64Array.from({ length: rows }, (_, i) => score(x.subarray(i * features, (i + 1) * features)))
  return { x, scores }
}

/** The largest `share` of the scores are of class 1. */
function yesNo(rows, seed, share = 0.5) {
  const { x, scores } = table(rows, seed)
  const limit = scores.slice().sort()[Math.floor(rows * (1 - share))]
  return { x, y: Int32Array.from(scores, (score) => (score >= limit ? 1 : 0)) }
}

/** Points about as many centres as there are classes. */
function clusters(rows, seed, classes, of = (i) => i % classes) {
  const centres = numbers(classes * features, 77)
  const noise = numbers(rows * features, seed)
  const y = Int32Array.from({ length: rows }, (_, i) => of(i))
  const x = Float32Array.from(noise, (v, i) => {
    const [row, feature] = [Math.floor(i / features), i % features]
    return 1.7 * (centres[y[row] * features + feature] + 0.25 * v)
  })
  return { x, y }
}

function regression(rows, seed, { noise = 0.1, change = (v) => v } = {}) {
  const { x, scores } = table(rows, seed)
  const error = numbers(rows, seed + 1000)
  return { x, y: Float32Array.from(scores, (score, i) => change(score + noise * 1.7 * error[i])) }
}

const shuffled = (values, seed) => {
  const order = numbers(values.length, seed)
  const rows = [...values.keys()].sort((a, b) => order[a] - order[b])
  return values.map((_, i) => values[rows[i]])
}

/** The rows by their targets, smallest first. */
function sorted({ x, y }) {
  const rows = [...y.keys()].sort((a, b) => y[a] - y[b])
  const inputs = new Float32Array(x.length)
  rows.forEach((row, i) => {
    inputs.set(x.subarray(row * features, (row + 1) * features), i * features)
  })
  return { x: inputs, y: y.map((_, i) => y[rows[i]]) }
}

const column = (data, number, change) => ({
  ...data,
  x: data.x.map((v, i) => (i % features === number ? change(v) : v)),
})
const oneHot = ({ x, y }, classes) => {
  const rows = new Float32Array(y.length * classes)
  y.forEach((label, i) => {
    rows[i * classes + label] = 1
  })
  return { x, y: rows }
}
const asNumbers = ({ x, y }) => ({ x, y: Float32Array.from(y) })

function net(seed, outputs, { loss = softmaxCrossEntropy(), rate = 3e-3, hidden = 32, layers } = {}) {
  const stack = layers?.() ?? [dense(hidden), relu(), dense(outputs)]
  return sequential({ input: [features], seed }, stack).compile({ loss, optimizer: adam({ learningRate: rate }) })
}
const mse = { loss: meanSquaredError() }
const bce = { loss: binaryCrossEntropy() }

/** Two parts of data made alike. */
const parts = (make, seed) => ({ data: make(2 * seed + 1), validation: make(2 * seed + 2) })
const epochs = (count, more) => ({ options: { epochs: count, batchSize: 32, ...more } })

export const sound = {
  'two classes': (seed) => ({ model: net(seed, 2), ...parts((s) => yesNo(1500, s), seed), ...epochs(10) }),
  'a class of 5 %': (seed) => ({ model: net(seed, 2), ...parts((s) => yesNo(3000, s, 0.05), seed), ...epochs(8) }),
  'a class of 1 %': (seed) => ({ model: net(seed, 2), ...parts((s) => yesNo(5000, s, 0.01), seed), ...epochs(6) }),
  'a class of 0.1 %': (seed) => ({ model: net(seed, 2), ...parts((s) => yesNo(10000, s, 0.001), seed), ...epochs(5) }),
  'a rare answer': (seed) => ({
    model: net(seed, 1, bce),
    ...parts((s) => asNumbers(yesNo(5000, s, 0.01)), seed),
    ...epochs(6),
  }),
  'three answers, each rarely yes': (seed) => ({
    model: net(seed, 3, bce),
    ...parts((s) => {
      const { x, scores } = table(4000, s)
      return { x, y: Float32Array.from([...scores].flatMap((v) => [v > 3.6, v > 3.9, v < -3.6].map(Number))) }
    }, seed),
    ...epochs(6),
  }),
  'ten classes': (seed) => ({ model: net(seed, 10), ...parts((s) => clusters(2000, s, 10), seed), ...epochs(8) }),
  'a hundred classes': (seed) => ({
    model: net(seed, 100, { hidden: 64 }),
    ...parts((s) => clusters(3000, s, 100), seed),
    ...epochs(8),
  }),
  'a thousand classes': (seed) => ({
    model: net(seed, 1000, { hidden: 64 }),
    data: clusters(8000, 2 * seed + 1, 1000),
    validation: clusters(1000, 2 * seed + 2, 1000),
    ...epochs(4),
  }),
  'ten classes, one-hot': (seed) => ({
    model: net(seed, 10),
    ...parts((s) => oneHot(clusters(2000, s, 10), 10), seed),
    ...epochs(6),
  }),
  'ten classes of very unequal size': (seed) => ({
    model: net(seed, 10),
    ...parts((s) => clusters(3000, s, 10, (i) => Math.min(9, Math.floor(Math.log2(1 + (i % 1000))))), seed),
    ...epochs(8),
  }),
  regression: (seed) => ({ model: net(seed, 1, mse), ...parts((s) => regression(2000, s), seed), ...epochs(15) }),
  'regression with much noise': (seed) => ({
    model: net(seed, 1, mse),
    ...parts((s) => regression(3000, s, { noise: 2 }), seed),
    ...epochs(8),
  }),
  'regression with Huber’s loss': (seed) => ({
    model: net(seed, 1, { loss: huber() }),
    ...parts((s) => regression(2000, s), seed),
    ...epochs(10),
  }),
  'regression of two numbers': (seed) => ({
    model: net(seed, 2, mse),
    ...parts((s) => {
      const { x, scores } = table(2000, s)
      return { x, y: Float32Array.from([...scores].flatMap((v, i) => [v, x[i * features] ** 2])) }
    }, seed),
    ...epochs(15),
  }),
  'class weights': (seed) => ({
    model: net(seed, 2),
    ...parts((s) => yesNo(3000, s, 0.03), seed),
    ...epochs(8, { classWeights: [1, 30] }),
  }),
  'class weights, ten classes': (seed) => ({
    model: net(seed, 10),
    ...parts((s) => clusters(2000, s, 10), seed),
    ...epochs(8, { classWeights: { 0: 5, 3: 0.2 } }),
  }),
  'weights of the examples': (seed) => {
    const { data, validation } = parts((s) => yesNo(2000, s, 0.1), seed)
    return {
      model: net(seed, 2),
      data: { ...data, sampleWeights: Float32Array.from(data.y, (label) => (label ? 9 : 1)) },
      validation,
      ...epochs(8),
    }
  },
  'sorted data, which fit() shuffles': (seed) => ({
    model: net(seed, 4),
    data: sorted(clusters(1500, 2 * seed + 1, 4)),
    validation: clusters(500, 2 * seed + 2, 4),
    ...epochs(6),
  }),
  'few distinct rows': (seed) => ({
    model: net(seed, 2),
    ...parts((s) => {
      const { x } = table(800, s)
      const bits = x.map((v, i) => (i % features < 3 ? Math.sign(v) : 1))
      const y = Int32Array.from({ length: 800 }, (_, i) => (bits[i * features] * bits[i * features + 1] > 0 ? 1 : 0))
      return { x: bits, y }
    }, seed),
    ...epochs(8),
  }),
  'thirty rows': (seed) => ({
    model: net(seed, 2),
    data: yesNo(30, 2 * seed + 1),
    validation: yesNo(6, 2 * seed + 2),
    ...epochs(10, { batchSize: 8 }),
  }),
  'many rows': (seed) => ({
    model: net(seed, 4),
    data: clusters(50000, 2 * seed + 1, 4),
    validation: clusters(2000, 2 * seed + 2, 4),
    ...epochs(1, { batchSize: 128 }),
  }),
  'a stream': (seed) => {
    const pieces = Array.from({ length: 20 }, (_, i) => clusters(64, 100 * seed + i, 4))
    return {
      model: net(seed, 4),
      data: async function* () {
        yield* pieces
      },
      validation: clusters(500, 100 * seed + 50, 4),
      ...epochs(10, { batchSize: undefined }),
      isStream: true,
    }
  },
  'a bias before batch norm, and a last batch of one': (seed) => ({
    model: net(seed, 4, { layers: () => [dense(32), batchNorm(), relu(), dense(4)] }),
    data: clusters(1025, 2 * seed + 1, 4),
    validation: clusters(500, 2 * seed + 2, 4),
    ...epochs(6),
  }),
  dropout: (seed) => ({
    model: net(seed, 2, { layers: () => [dense(64), relu(), dropout(0.5), dense(2)] }),
    ...parts((s) => yesNo(1500, s), seed),
    ...epochs(8),
  }),
}

/** `fails`: the checks that must; `finds`: of these rules one must be told first. */
export const ill = {
  'sorted by class, the last fifth for validation': {
    fails: ['classes'],
    finds: ['badSplit'],
    make: (seed) => ({
      model: net(seed, 5),
      data: sorted(clusters(2000, seed, 5)),
      ...epochs(6, { validationSplit: 0.2 }),
    }),
  },
  'a series whose last fifth is another time': {
    fails: [],
    finds: ['badSplit'],
    make: (seed) => {
      const { x, y } = regression(2000, seed)
      return {
        model: net(seed, 1, mse),
        data: { x, y: y.map((v, i) => 0.5 * v + (i < 1600 ? 0 : 4)) },
        ...epochs(15, { validationSplit: 0.2 }),
      }
    },
  },
  'the same rows on both sides': {
    fails: ['validationOverlap'],
    finds: null,
    make: (seed) => {
      const { x, y } = clusters(1000, seed, 4)
      x.copyWithin(800 * features, 0, 200 * features)
      y.copyWithin(800, 0, 200)
      return { model: net(seed, 4), data: { x, y }, ...epochs(3, { validationSplit: 0.2 }) }
    },
  },
  'a third of few distinct rows copied into validation': {
    fails: ['validationOverlap'],
    finds: null,
    make: (seed) => {
      const data = clusters(900, 2 * seed + 1, 4)
      const validation = clusters(300, 2 * seed + 2, 4)
      // Fifty rows occur twice by themselves.
      data.x.copyWithin(0, 850 * features)
      data.y.copyWithin(0, 850)
      validation.x.set(data.x.subarray(200 * features, 300 * features))
      validation.y.set(data.y.subarray(200, 300))
      return { model: net(seed, 4), data, validation, ...epochs(3) }
    },
  },
  'labels of a class of 5 % shuffled': {
    fails: ['shuffledLabels'],
    finds: ['classCollapse', 'underfitting', 'overfitting'],
    make: (seed) => {
      const mixed = (s) => {
        const { x, y } = yesNo(3000, s, 0.05)
        return { x, y: shuffled(y, s + 500) }
      }
      return { model: net(seed, 2), ...parts(mixed, seed), ...epochs(10) }
    },
  },
  'labels of a hundred classes shuffled': {
    fails: ['shuffledLabels'],
    finds: ['underfitting', 'overfitting'],
    make: (seed) => {
      const mixed = (s) => {
        const { x, y } = clusters(3000, s, 100)
        return { x, y: shuffled(y, s + 500) }
      }
      return { model: net(seed, 100), ...parts(mixed, seed), ...epochs(10) }
    },
  },
  'targets of a regression shuffled': {
    fails: ['shuffledLabels'],
    finds: ['underfitting', 'overfitting'],
    make: (seed) => {
      const mixed = (s) => {
        const { x, y } = regression(2000, s)
        return { x, y: shuffled(y, s + 500) }
      }
      return { model: net(seed, 1, mse), ...parts(mixed, seed), ...epochs(10) }
    },
  },
  'targets in dollars': {
    fails: ['targetScale'],
    finds: ['unscaledTargets'],
    make: (seed) => ({
      model: net(seed, 1, { ...mse, rate: 0.01 }),
      ...parts((s) => regression(2000, s, { change: (v) => 2e5 + 5e4 * v }), seed),
      ...epochs(15),
    }),
  },
  'targets far from 0': {
    fails: ['targetScale'],
    finds: null,
    make: (seed) => ({
      model: net(seed, 1, mse),
      ...parts((s) => regression(1000, s, { change: (v) => 20 + 0.05 * v }), seed),
      ...epochs(5),
    }),
  },
  'a last relu where targets are negative': {
    fails: ['overfit'],
    finds: ['underfitting', 'deadRelus'],
    make: (seed) => ({
      model: net(seed, 1, { ...mse, layers: () => [dense(32), relu(), dense(1), relu()] }),
      ...parts((s) => regression(2000, s, { change: (v) => v - 8 }), seed),
      ...epochs(10),
    }),
  },
  'one column in thousands': {
    fails: ['dataScale'],
    finds: null,
    make: (seed) => ({
      model: net(seed, 2),
      ...parts((s) => column(yesNo(1500, s), 5, (v) => 3000 * v), seed),
      ...epochs(5),
    }),
  },
  'one column in hundred-thousandths': {
    fails: ['dataScale'],
    finds: null,
    make: (seed) => ({
      model: net(seed, 2),
      ...parts((s) => column(yesNo(1500, s), 0, (v) => 1e-5 * v), seed),
      ...epochs(5),
    }),
  },
  'a large network on few rows': {
    fails: [],
    finds: ['overfitting'],
    make: (seed) => ({
      model: net(seed, 2, { hidden: 128, rate: 0.01 }),
      data: yesNo(100, 2 * seed + 1),
      validation: yesNo(500, 2 * seed + 2),
      ...epochs(80),
    }),
  },
  'the same, with class weights': {
    fails: [],
    finds: ['overfitting'],
    make: (seed) => ({
      model: net(seed, 2, { hidden: 128, rate: 0.01 }),
      data: yesNo(100, 2 * seed + 1),
      validation: yesNo(500, 2 * seed + 2),
      ...epochs(80, { classWeights: [1, 3] }),
    }),
  },
  'a class of 1 %, about which the inputs tell nothing': {
    fails: ['shuffledLabels'],
    finds: ['classCollapse', 'underfitting', 'overfitting'],
    make: (seed) => {
      const mixed = (s) => {
        const { x, y } = yesNo(6000, s, 0.01)
        return { x, y: shuffled(y, s + 500) }
      }
      return { model: net(seed, 2), ...parts(mixed, seed), ...epochs(6) }
    },
  },
  'a class of 5 % at a rate that is too low': {
    fails: ['overfit'],
    finds: ['learningRateTooLow', 'classCollapse'],
    make: (seed) => ({
      model: net(seed, 2, { rate: 1e-6 }),
      ...parts((s) => yesNo(3000, s, 0.05), seed),
      ...epochs(6),
    }),
  },
  'validation that lacks classes': {
    fails: [],
    finds: ['validationEasier'],
    make: (seed) => {
      const apart = ({ x, y }) => ({ x: x.map((v, i) => (y[Math.floor(i / features)] === 0 ? v + 2 : v)), y })
      return {
        model: net(seed, 10, { rate: 1e-3 }),
        data: apart(clusters(2000, 2 * seed + 1, 10)),
        validation: apart(clusters(500, 2 * seed + 2, 10, () => 0)),
        ...epochs(6),
      }
    },
  },
  'a rate that is a thousand times too high, from a stream': {
    fails: null,
    finds: ['learningRateMuchTooHigh', 'learningRateTooHigh'],
    make: (seed) => {
      const pieces = Array.from({ length: 20 }, (_, i) => clusters(64, 100 * seed + i, 4))
      return {
        model: net(seed, 4, { rate: 3 }),
        data: async function* () {
          yield* pieces
        },
        validation: clusters(500, 100 * seed + 50, 4),
        ...epochs(10, { batchSize: undefined }),
      }
    },
  },
}
