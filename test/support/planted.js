// Custom layers written twice at once: right, and with one mistake planted. Each entry: the mistake's name, the model with
// it or without, and the tensors that must be found wrong, all others right.
import { adam, customLayer, customLoss, customRegularizer, dense, sequential, softmaxCrossEntropy } from 'gradus'

const size = 6
const classes = 3
const below = ['dense1.weight', 'dense1.bias']

const zeros = (n) => new Float64Array(n)
const rowsOf = (x) => Array.from({ length: x.length / size }, (_, i) => x.subarray(i * size, (i + 1) * size))
const fromRows = (rows) => Float64Array.from(rows.flatMap((row) => [...row]))
const sum = (values) => values.reduce((a, b) => a + b, 0)
const mean = (values) => sum(values) / values.length

/** dense1 → the layer → dense2. */
const around = (layer, options = {}) => {
  const model = sequential({ input: [4], seed: 3 }, [
    dense(size, { init: 'xavier', biasInit: 0.1 }),
    layer,
    dense(classes, { regularizer: options.regularizer }),
  ])
  return model.compile({ loss: options.loss ?? softmaxCrossEntropy(), optimizer: adam() })
}

/** y = x · gain + bias, element by element; `spoil` changes what backward gives. */
const affine = (spoil = (result) => result) => {
  const kept = {}
  return customLayer({
    name: 'affine',
    parameters: ([n]) => ({ gain: { shape: [n], init: 1.5 }, bias: { shape: [n], init: 0.2 } }),
    forward(x, { gain, bias }, { cache }) {
      cache.x = x
      kept.first ??= x
      return x.map((v, i) => v * gain[i % size] + bias[i % size])
    },
    backward(dy, { gain }, { cache }) {
      const [dGain, dBias] = [zeros(size), zeros(size)]
      dy.forEach((v, i) => {
        dGain[i % size] += v * cache.x[i]
        dBias[i % size] += v
      })
      const right = { dx: dy.map((v, i) => v * gain[i % size]), gradients: { gain: dGain, bias: dBias } }
      return spoil(right, { dy, gain, x: cache.x, kept })
    },
  })
}

/** y = x · W with a square W. */
const linear = (spoil = (result) => result) =>
  customLayer({
    name: 'linear',
    parameters: ([n]) => ({ weight: { shape: [n, n], init: 'xavier' } }),
    forward(x, { weight }, { cache }) {
      cache.x = x
      return product(x, weight)
    },
    backward(dy, { weight }, { cache }) {
      const dWeight = zeros(size * size)
      rowsOf(dy).forEach((row, r) => {
        for (let i = 0; i < size; i++)
          for (let j = 0; j < size; j++) dWeight[i * size + j] += cache.x[r * size + i] * row[j]
      })
      return spoil({ dx: product(dy, transposed(weight)), gradients: { weight: dWeight } }, { dy, weight })
    },
  })
const product = (x, w) =>
  fromRows(
    rowsOf(x).map((row) => Array.from({ length: size }, (_, j) => sum([...row].map((v, i) => v * w[i * size + j])))),
  )
const transposed = (w) => w.map((_, at) => w[(at % size) * size + Math.floor(at / size)])

/** A function of each element: value(x) and slope(x, y). */
const pointwise = (value, slope, kink) =>
  customLayer({
    name: 'pointwise',
    forward(x, _, { cache, decide }) {
      cache.x = x
      cache.y = x.map(value)
      if (kink) decide(x)
      return cache.y
    },
    backward: (dy, _, { cache }) => ({ dx: dy.map((v, i) => v * slope(cache.x[i], cache.y[i])) }),
  })
const sigmoid = (v) => 1 / (1 + Math.exp(-v))

/** Each row to mean 0 and variance 1; rowGradient(z, dz, deviation) is its backward. */
const norm = (rowGradient) =>
  customLayer({
    name: 'norm',
    forward(x, _, { cache }) {
      cache.deviations = rowsOf(x).map((row) => Math.sqrt(mean(row.map((v) => (v - mean(row)) ** 2)) + 1e-5))
      cache.z = rowsOf(x).map((row, r) => row.map((v) => (v - mean(row)) / cache.deviations[r]))
      return fromRows(cache.z)
    },
    backward: (dy, _, { cache }) => ({
      dx: fromRows(rowsOf(dy).map((row, r) => rowGradient(cache.z[r], row, cache.deviations[r], rowsOf(dy), cache.z))),
    }),
  })
const rightNorm = (z, dz, deviation) => {
  const [a, b] = [mean(dz), mean(dz.map((v, i) => v * z[i]))]
  return dz.map((v, i) => (v - a - z[i] * b) / deviation)
}

const softmaxRow = (row) => {
  const e = row.map(Math.exp)
  return e.map((v) => v / sum(e))
}
const softmax = (rowGradient) =>
  customLayer({
    name: 'softmax',
    forward(x, _, { cache }) {
      cache.y = rowsOf(x).map(softmaxRow)
      return fromRows(cache.y)
    },
    backward: (dy, _, { cache }) => ({ dx: fromRows(rowsOf(dy).map((row, r) => rowGradient(cache.y[r], row))) }),
  })

/** Half of the elements, chosen by the pass's seed; `other` takes another mask on the way back. */
const dropout = (other) => {
  const mask = (seed, i) => (Math.imul((seed % 65521) + i * 31, 2654435761) >>> 28) % 2
  return customLayer({
    name: 'drop',
    forward: (x, _, { seed, training }) => (training ? x.map((v, i) => v * 2 * mask(seed, i)) : x),
    backward: (dy, _, { seed, training }) => ({
      dx: training ? dy.map((v, i) => v * 2 * mask(seed, i + (other ? 1 : 0))) : dy,
    }),
  })
}

/** The larger of two halves, and back to where it came from; twice side by side to keep the size. */
const maxout = (routes) =>
  customLayer({
    name: 'max',
    forward(x, _, { cache, decide }) {
      const half = size / 2
      cache.x = x
      const first = rowsOf(x).flatMap((row) => Array.from({ length: half }, (_, i) => row[i] - row[i + half]))
      decide(first)
      return fromRows(
        rowsOf(x).map((row) => Array.from({ length: size }, (_, i) => Math.max(row[i % half], row[(i % half) + half]))),
      )
    },
    backward(dy, _, { cache }) {
      const half = size / 2
      const dx = zeros(dy.length)
      rowsOf(dy).forEach((row, r) => {
        row.forEach((v, i) => {
          const [a, b] = [cache.x[r * size + (i % half)], cache.x[r * size + (i % half) + half]]
          dx[r * size + (i % half) + (routes(a, b) ? 0 : half)] += v
        })
      })
      return { dx }
    },
  })

/** Weston and Watkins's hinge. */
const hinge = (labelSlope) =>
  customLoss({
    name: 'hinge',
    targets: 'labels',
    forward(scores, labels, { batch, decide }) {
      const excess = (i) =>
        Array.from({ length: classes }, (_, j) =>
          j === labels[i] ? 0 : Math.max(0, scores[i * classes + j] - scores[i * classes + labels[i]] + 1),
        )
      const all = Array.from({ length: batch }, (_, i) => excess(i))
      decide(all.flat())
      return Float64Array.from(all, sum)
    },
    backward(scores, labels, { batch }) {
      const slopes = zeros(scores.length)
      for (let i = 0; i < batch; i++) {
        for (let j = 0; j < classes; j++) {
          if (j === labels[i]) continue
          if (scores[i * classes + j] - scores[i * classes + labels[i]] + 1 <= 0) continue
          slopes[i * classes + j] += 1
          slopes[i * classes + labels[i]] += labelSlope
        }
      }
      return slopes
    },
  })

const strength = 0.3
const squares = (factor) =>
  customRegularizer({
    loss: (w) => (strength / 2) * sum(w.map((v) => v * v)),
    gradient: (w) => w.map((v) => factor * strength * v),
  })

const of = (make, right, wrong) => (planted) => around(make(planted ? wrong : right))
const gradients = (change) => (result, context) => ({
  ...result,
  gradients: { ...result.gradients, ...change(result.gradients, context) },
})
const same = (result) => result

/** Of a spoilt backward that keeps arrays of its own from call to call. */
const accumulating = () => {
  const total = zeros(size)
  return gradients(({ gain }) => {
    gain.forEach((v, i) => {
      total[i] += v
    })
    return { gain: total }
  })
}

export const planted = {
  'a factor': [
    of(
      affine,
      same,
      gradients(({ gain }) => ({ gain: gain.map((v) => 1.05 * v) })),
    ),
    ['affine.gain'],
  ],
  'a sign': [
    of(
      affine,
      same,
      gradients(({ bias }) => ({ bias: bias.map((v) => -v) })),
    ),
    ['affine.bias'],
  ],
  'a missing bias gradient': [
    of(
      affine,
      same,
      gradients(() => ({ bias: undefined })),
    ),
    ['affine.bias'],
  ],
  'a mean in place of the sum over the batch': [
    of(
      affine,
      same,
      gradients(({ gain, bias }, { dy }) => ({ gain, bias: bias.map((v) => v / (dy.length / size)) })),
    ),
    ['affine.bias'],
  ],
  'the last example left out': [
    of(
      affine,
      same,
      gradients(({ bias }, { dy }) => ({ bias: bias.map((v, i) => v - dy[dy.length - size + i]) })),
    ),
    ['affine.bias'],
  ],
  'two gradients in each other’s place': [
    of(
      affine,
      same,
      gradients(({ gain, bias }) => ({ gain: bias, bias: gain })),
    ),
    ['affine.gain', 'affine.bias'],
  ],
  'a stale input': [
    of(
      affine,
      same,
      gradients((_, { dy, kept }) => {
        const gain = zeros(size)
        dy.forEach((v, i) => {
          gain[i % size] += v * kept.first[i]
        })
        return { gain }
      }),
    ),
    ['affine.gain'],
  ],
  'a gradient that is not set to zero': [(planted) => around(affine(planted ? accumulating() : same)), ['affine.gain']],
  'a gradient by the input without the gain': [of(affine, same, (result, { dy }) => ({ ...result, dx: dy })), below],
  'a transposed weight gradient': [
    of(
      linear,
      same,
      gradients(({ weight }) => ({ weight: transposed(weight) })),
    ),
    ['linear.weight'],
  ],
  'a weight that is not transposed on the way back': [
    of(linear, same, (result, { dy, weight }) => ({ ...result, dx: product(dy, weight) })),
    below,
  ],
  'a forgotten activation derivative': [
    (planted) => around(pointwise(Math.tanh, planted ? () => 1 : (_, y) => 1 - y * y)),
    below,
  ],
  'a derivative of the input where the output is meant': [
    (planted) => around(pointwise(sigmoid, planted ? (x) => x * (1 - x) : (_, y) => y * (1 - y))),
    below,
  ],
  'a leaky slope forgotten': [
    (planted) =>
      around(
        pointwise(
          (x) => (x > 0 ? x : 0.3 * x),
          (x) => (x > 0 ? 1 : planted ? 0 : 0.3),
          true,
        ),
      ),
    below,
  ],
  'the regularizer’s factor 2': [
    (planted) => around(affine(), { regularizer: squares(planted ? 2 : 1) }),
    ['dense2.weight'],
  ],
  'a wrong mask in dropout': [(planted) => around(dropout(planted)), below, { randomness: 'fixed' }],
  'the wrong axis in a norm layer': [
    (planted) =>
      around(
        norm(
          planted
            ? (z, dz, deviation, rows) =>
                dz.map((v, i) => (v - mean(rows.map((row) => row[i])) - z[i] * mean(dz)) / deviation)
            : rightNorm,
        ),
      ),
    below,
  ],
  'the deviation taken for a constant in a norm layer': [
    (planted) => around(norm(planted ? (_, dz, deviation) => dz.map((v) => (v - mean(dz)) / deviation) : rightNorm)),
    below,
  ],
  'only the diagonal of softmax’s derivative': [
    (planted) =>
      around(
        softmax((y, dy) => {
          const shared = planted ? null : sum(dy.map((v, i) => v * y[i]))
          return dy.map((v, i) => y[i] * (v - (shared ?? v * y[i])))
        }),
      ),
    below,
  ],
  'a gradient that goes to the loser of a max': [
    (planted) => around(maxout((a, b) => (planted ? a < b : a > b))),
    below,
  ],
  'the label’s share left out of a hinge': [
    (planted) => around(affine(), { loss: hinge(planted ? 0 : -1) }),
    [...below, 'affine.gain', 'affine.bias', 'dense2.weight', 'dense2.bias'],
  ],
}
