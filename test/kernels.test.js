// gradus/kernels against plain float64 references: odd sizes, both types, arrays at odd offsets.
import * as all from 'gradus/kernels'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rules } from './support/golden.js'
import { difference, functions, losses, numbers } from './support/reference.js'
import { stepFunctions } from './support/step-functions.js'

const test = suite('kernels')
const kernels = { ...all }
const sizes = [0, 1, 5, 16, 17, 67]
const types = [Float32Array, Float64Array]
const tolerance = (Type) => (Type === Float32Array ? 2e-6 : 1e-13)

/** An array of the type that begins 12 bytes (8 for doubles) into its buffer, with these values. */
function odd(Type, values) {
  const offset = Type === Float32Array ? 12 : 8
  const array = new Type(new ArrayBuffer(offset + values.length * Type.BYTES_PER_ELEMENT), offset, values.length)
  array.set(values)
  return array
}
const zeros = (Type, n) => odd(Type, new Float64Array(n))
const random = (Type, n, seed = 1) => odd(Type, numbers(n, seed))
const near = (Type, actual, expected, what) =>
  assert.ok(difference(actual, expected) <= tolerance(Type), `${what}: off by ${difference(actual, expected)}`)

function forTypesAndSizes(body) {
  for (const Type of types) for (const n of sizes) body(Type, n, `${Type.name} ${n}`)
}

test('matmul in all four transpose combinations, with alpha, beta, bias and activation', () => {
  for (const Type of types) {
    for (const [m, n, k] of [
      [1, 1, 1],
      [5, 17, 3],
      [33, 7, 67],
      [0, 3, 2],
      [3, 0, 2],
      [3, 2, 0],
    ]) {
      for (const [transposeA, transposeB] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ]) {
        const [a, b, bias, before] = [m * k, k * n, n, m * n].map((count, i) => random(Type, count, i + 1))
        const expected = Float64Array.from(before, (c, at) => {
          const [i, j] = [Math.floor(at / n), at % n]
          let sum = 0
          for (let p = 0; p < k; p++)
            sum += a[transposeA ? p * m + i : i * k + p] * b[transposeB ? j * k + p : p * n + j]
          return Math.tanh(0.5 * sum + 2 * c + bias[j])
        })
        const c = odd(Type, before)
        const options = { m, n, k, transposeA, transposeB, alpha: 0.5, beta: 2, bias, activation: 'tanh' }
        assert.is(kernels.matmul(a, b, c, options), c)
        near(Type, c, expected, `${Type.name} ${m}×${n}×${k}`)
      }
    }
  }
})

test('matmul writes over NaN where beta is 0', () => {
  const c = Float32Array.of(NaN)
  assert.is(kernels.matmul(Float32Array.of(3), Float32Array.of(5), c, { m: 1, n: 1, k: 1 })[0], 15)
})

test('columnSums and add', () => {
  forTypesAndSizes((Type, n, what) => {
    const x = random(Type, 3 * n)
    const sums = random(Type, n, 2)
    const expected = Float64Array.from(sums, (sum, j) => x[j] + x[n + j] + x[2 * n + j] + 0.5 * sum)
    near(Type, kernels.columnSums(x, sums, { rows: 3, columns: n, beta: 0.5 }), expected, what)
    const [a, b] = [random(Type, n), random(Type, n, 3)]
    const both = Float64Array.from(a, (value, i) => value + b[i])
    near(Type, kernels.add(a, b, zeros(Type, n)), both, what)
    near(Type, kernels.add(a, b, a), both, `${what} in place`)
  })
})

test('activations, forward and backward, in place too', () => {
  for (const [name, { value, slope }] of Object.entries(functions)) {
    forTypesAndSizes((Type, n, what) => {
      const [x, dy] = [random(Type, n).map((v) => 4 * v), random(Type, n, 2)]
      const y = kernels.activationForward(name, x, zeros(Type, n))
      near(Type, y, Float64Array.from(x, value), `${name} ${what}`)
      const dx = kernels.activationBackward(name, x, y, dy, dy)
      assert.is(dx, dy)
      near(
        Type,
        dx,
        Float64Array.from(random(Type, n, 2), (d, i) => d * slope(x[i])),
        `${name}′ ${what}`,
      )
      const inPlace = odd(Type, x)
      assert.equal([...kernels.activationForward(name, inPlace, inPlace)], [...y])
    })
  }
  const [slope, alpha] = [Float32Array.of(-2), Float32Array.of(-1)]
  assert.is(kernels.activationForward('leakyRelu', slope, slope, { parameter: 0.5 })[0], -1)
  kernels.activationForward('elu', alpha, alpha, { parameter: 3 })
  near(Float32Array, alpha, [3 * Math.expm1(-1)], 'elu')
})

test('gelu against the error function as a series', () => {
  const erf = (z) => {
    let [term, sum] = [z, z]
    for (let i = 1; i < 60; i++) {
      term *= (-z * z) / i
      sum += term / (2 * i + 1)
    }
    return (2 / Math.sqrt(Math.PI)) * sum
  }
  const x = random(Float64Array, 67).map((v) => 3 * v)
  const y = kernels.activationForward('gelu', x, new Float64Array(67))
  near(
    Float64Array,
    y,
    x.map((v) => (v / 2) * (1 + erf(v / Math.SQRT2))),
    'gelu',
  )
})

test('exp and log', () => {
  forTypesAndSizes((Type, n, what) => {
    const x = random(Type, n).map((v) => 3 * v)
    near(Type, kernels.exp(x, zeros(Type, n)), Float64Array.from(x, Math.exp), what)
    const positive = x.map((v) => Math.abs(v) + 0.01)
    near(Type, kernels.log(positive, zeros(Type, n)), Float64Array.from(positive, Math.log), what)
  })
})

test('maxout takes the first of the largest pieces, and gives it the gradient', () => {
  const x = Float32Array.of(1, 7, 7, -1, -3, -2)
  const winners = new Int32Array(2)
  const options = { rows: 1, units: 2, pieces: 3 }
  assert.equal([...kernels.maxoutForward(x, new Float32Array(2), winners, options)], [7, -1])
  assert.equal([...winners], [1, 0])
  const dx = kernels.maxoutBackward(Float32Array.of(5, 6), winners, new Float32Array(6).fill(9), options)
  assert.equal([...dx], [0, 5, 0, 6, 0, 0])
})

test('softmax of each row', () => {
  forTypesAndSizes((Type, n, what) => {
    if (n === 0) return
    const x = random(Type, 2 * n).map((v) => 5 * v)
    const row = (first) => {
      const powers = [...x.subarray(first, first + n)].map(Math.exp)
      const sum = powers.reduce((a, b) => a + b)
      return powers.map((power) => power / sum)
    }
    near(Type, kernels.softmax(x, zeros(Type, 2 * n), { rows: 2, columns: n }), [...row(0), ...row(n)], what)
  })
})

test('dropout: the share of zeros, the scale, and the same mask again from any place', () => {
  const n = 4096
  const x = new Float32Array(n).fill(1)
  const options = { seed: 3, stream: 2, step: 5, rate: 0.25 }
  const y = kernels.dropout(x, new Float32Array(n), options)
  const left = y.filter((v) => v !== 0)
  assert.ok(left.every((v) => v === Math.fround(1 / 0.75)))
  // Five standard deviations of a binomial count.
  assert.ok(Math.abs(left.length - 0.75 * n) < 5 * Math.sqrt(n * 0.75 * 0.25), `${left.length} left`)
  const part = kernels.dropout(x.subarray(0, 101), new Float32Array(101), { ...options, first: 1000 })
  assert.equal([...part], [...y.subarray(1000, 1101)])
  assert.not.equal([...kernels.dropout(x, new Float32Array(n), { ...options, step: 6 })], [...y])
})

test('random numbers: range, moments, and pieces that make the whole', () => {
  for (const Type of types) {
    const n = 10000
    const uniform = kernels.randomUniform(new Type(n), { seed: 1, low: -1, high: 3 })
    assert.ok(uniform.every((v) => v >= -1 && v < 3))
    const mean = (values) => values.reduce((a, b) => a + b, 0) / n
    assert.ok(Math.abs(mean(uniform) - 1) < (5 * 4) / Math.sqrt(12 * n))
    const normal = kernels.randomNormal(new Type(n), { seed: 1, mean: 2, deviation: 0.5 })
    assert.ok(Math.abs(mean(normal) - 2) < (5 * 0.5) / Math.sqrt(n))
    assert.ok(Math.abs(mean(normal.map((v) => (v - 2) ** 2)) - 0.25) < 5 * 0.25 * Math.sqrt(2 / n))
    const tail = kernels.randomNormal(new Type(9), { seed: 1, mean: 2, deviation: 0.5, first: 77 })
    assert.equal([...tail], [...normal.subarray(77, 86)])
  }
})

const sigmoid = (x) => 1 / (1 + Math.exp(-x))
const mean = (terms) => terms.reduce((a, b) => a + b, 0) / terms.length
const average = (value, slope) => (scores, targets) => [
  mean(scores.map((s, j) => value(s, targets[j]))),
  scores.map((s, j) => slope(s, targets[j]) / scores.length),
]
const references = {
  softmaxCrossEntropy: { of: losses.softmaxCrossEntropy, labels: true },
  multiclassHinge: {
    labels: true,
    of: (scores, label) => {
      const margins = scores.map((s, j) => (j === label ? 0 : Math.max(0, s - scores[label] + 1)))
      const slopes = margins.map((margin) => (margin > 0 ? 1 : 0))
      slopes[label] = -slopes.reduce((a, b) => a + b)
      return [margins.reduce((a, b) => a + b), slopes]
    },
  },
  oneVsAllHinge: {
    labels: true,
    of: (scores, label) => {
      const signs = scores.map((_, j) => (j === label ? 1 : -1))
      const margins = scores.map((s, j) => Math.max(0, 1 - signs[j] * s))
      return [margins.reduce((a, b) => a + b), margins.map((margin, j) => (margin > 0 ? -signs[j] : 0))]
    },
  },
  meanSquaredError: {
    of: average(
      (s, t) => (s - t) ** 2,
      (s, t) => 2 * (s - t),
    ),
  },
  meanAbsoluteError: {
    of: average(
      (s, t) => Math.abs(s - t),
      (s, t) => Math.sign(s - t),
    ),
  },
  binaryCrossEntropy: {
    of: average(
      (s, t) => -t * Math.log(sigmoid(s)) - (1 - t) * Math.log(1 - sigmoid(s)),
      (s, t) => sigmoid(s) - t,
    ),
  },
  huber: {
    of: average(
      (s, t) => (Math.abs(s - t) <= 1 ? (s - t) ** 2 / 2 : Math.abs(s - t) - 0.5),
      (s, t) => Math.max(-1, Math.min(1, s - t)),
    ),
  },
}

test('losses and their gradients, weighted and scaled', () => {
  const rows = 5
  for (const [name, { of, labels }] of Object.entries(references)) {
    forTypesAndSizes((Type, columns, what) => {
      if (columns === 0) return
      const scores = random(Type, rows * columns).map((v) => 3 * v)
      const dense = random(Type, rows * columns, 2).map(Math.abs)
      const targets = labels ? Int32Array.from({ length: rows }, (_, i) => (7 * i) % columns) : dense
      const weights = random(Type, rows, 3).map(Math.abs)
      const [found, gradient] = [zeros(Type, rows), zeros(Type, rows * columns)]
      const sum = kernels[name](scores, targets, found, { rows, columns, weights, gradient, scale: 0.5 })
      const expected = { losses: [], gradient: [] }
      for (let i = 0; i < rows; i++) {
        const part = (array) => [...array.subarray(i * columns, (i + 1) * columns)]
        const [loss, slopes] = of(part(scores), labels ? targets[i] : part(targets))
        expected.losses.push(weights[i] * loss)
        expected.gradient.push(...slopes.map((slope) => 0.5 * weights[i] * slope))
      }
      near(Type, found, expected.losses, `${name} ${what}`)
      near(Type, gradient, expected.gradient, `${name}′ ${what}`)
      assert.is(
        sum,
        found.reduce((a, b) => a + b, 0),
      )
      const alone = zeros(Type, rows)
      kernels[name](scores, targets, alone, { rows, columns, weights })
      assert.equal([...alone], [...found])
    })
  }
})

test('layer norm and batch norm: forward, and backward against differences', () => {
  const [rows, columns] = [7, 5]
  const norms = {
    layer(x, gain, bias, y, statistics) {
      return kernels.layerNormForward(x, gain, bias, y, statistics, { rows, columns, epsilon: 1e-3 })
    },
    batch(x, gain, bias, y, statistics) {
      kernels.batchNormStatistics(x, statistics, { rows, columns, epsilon: 1e-3 })
      return kernels.batchNormForward(x, gain, bias, statistics, y, { rows, columns })
    },
  }
  for (const [kind, forward] of Object.entries(norms)) {
    const size = kind === 'layer' ? rows : columns
    const doubles = (n) => new Float64Array(n)
    const statistics = { mean: doubles(size), inverseDeviation: doubles(size) }
    if (kind === 'batch') statistics.variance = doubles(size)
    const [x, dy] = [random(Float64Array, rows * columns), random(Float64Array, rows * columns, 2)]
    const [gain, bias] = [random(Float64Array, columns, 3), random(Float64Array, columns, 4)]
    const y = forward(x, gain, bias, doubles(rows * columns), statistics)
    for (let group = 0; group < size; group++) {
      const indices = [...x.keys()].filter(
        (at) => (kind === 'layer' ? Math.floor(at / columns) : at % columns) === group,
      )
      const center = mean(indices.map((at) => x[at]))
      const variance = mean(indices.map((at) => (x[at] - center) ** 2))
      const expected = indices.map(
        (at) => ((x[at] - center) / Math.sqrt(variance + 1e-3)) * gain[at % columns] + bias[at % columns],
      )
      near(
        Float64Array,
        indices.map((at) => y[at]),
        expected,
        `${kind} norm`,
      )
    }
    const gradients = { dx: doubles(rows * columns), dgain: doubles(columns).fill(1), dbias: doubles(columns).fill(2) }
    const backward = kind === 'layer' ? kernels.layerNormBackward : kernels.batchNormBackward
    backward(x, gain, statistics, dy, gradients, { rows, columns })
    const spare = { ...statistics, mean: doubles(size), inverseDeviation: doubles(size) }
    const value = () => forward(x, gain, bias, doubles(rows * columns), spare).reduce((sum, v, i) => sum + v * dy[i], 0)
    for (const [array, found, start] of [
      [x, gradients.dx, 0],
      [gain, gradients.dgain, 1],
      [bias, gradients.dbias, 2],
    ]) {
      for (const i of array.keys()) {
        const [kept, h] = [array[i], 1e-5]
        array[i] = kept + h
        const above = value()
        array[i] = kept - h
        const slope = (above - value()) / (2 * h)
        array[i] = kept
        assert.ok(Math.abs(found[i] - start - slope) < 1e-7, `${kind} norm: ${found[i] - start}, expected ${slope}`)
      }
    }
  }
})

test('rows of a table, and bytes', () => {
  const table = Float32Array.of(1, 2, 3, 4, 5, 6)
  const rows = Int32Array.of(2, 0, 2)
  const options = { columns: 2, tableRows: 3 }
  assert.equal([...kernels.gatherRows(table, rows, new Float32Array(6), options)], [5, 6, 1, 2, 5, 6])
  const dy = Float32Array.of(1, 1, 10, 10, 100, 100)
  assert.equal([...kernels.scatterAddRows(dy, rows, new Float32Array(6).fill(1), options)], [11, 11, 1, 1, 102, 102])
  forTypesAndSizes((Type, n, what) => {
    const bytes = Uint8Array.from({ length: n }, (_, i) => (37 * i) % 256)
    near(
      Type,
      kernels.convertBytes(bytes, zeros(Type, n)),
      Float64Array.from(bytes, (v) => v / 255),
      what,
    )
  })
})

test('the optimizers over several steps, and the sums they leave', () => {
  for (const [name, { slots, step }] of Object.entries(stepFunctions)) {
    forTypesAndSizes((Type, n, what) => {
      const [, rule] = rules[name]
      const w = random(Type, n)
      const expected = Float64Array.from(w)
      const own = Object.fromEntries(slots.map((slot) => [slot, zeros(Type, n)]))
      const states = Array.from(w, () => ({}))
      for (let t = 1; t <= 5; t++) {
        const g = random(Type, n, 10 + t)
        const before = Float64Array.from(w)
        const sums = step(g, w, own, t)
        expected.forEach((value, i) => {
          expected[i] += rule(g[i], t, states[i], value)
        })
        const squares = (values) => values.reduce((sum, v) => sum + v * v, 0)
        near(Type, [sums.weightSquares], [squares(before)], `${name} ${what}`)
        near(Type, [sums.weightAbsolutes], [before.reduce((sum, v) => sum + Math.abs(v), 0)], `${name} ${what}`)
        near(Type, [sums.gradientSquares], [squares(Float64Array.from(g))], `${name} ${what}`)
        near(Type, [sums.changeSquares], [squares(before.map((v, i) => w[i] - v))], `${name} ${what}`)
        assert.is(sums.nonfinite, 0)
      }
      near(Type, w, expected, `${name} ${what}`)
    })
  }
})

test('clipping, regularisation, decay and the running average of a step', () => {
  const [w, g, average] = [Float64Array.of(1, -2), Float64Array.of(3, 0.25), Float64Array.of(1, -2)]
  const options = { learningRate: 0.1, gradientScale: 0.5, l1: 0.1, l2: 0.2, clipValue: 1, weightDecay: 0.01 }
  kernels.sgdStep(g, w, { ...options, average, averageDecay: 0.75 })
  const expected = [1 - 0.1 * 1 - 0.1 * 0.01 * 1, -2 - 0.1 * 0.5 * (0.25 - 0.4 - 0.1) + 0.1 * 0.01 * 2]
  near(Float64Array, w, expected, 'weights')
  near(Float64Array, average, [0.75 * 1 + 0.25 * expected[0], 0.75 * -2 + 0.25 * expected[1]], 'average')
})

test('gradientNorm changes nothing and counts what is not finite; limitColumnNorms limits', () => {
  const [g, w] = [Float32Array.of(3, NaN, 4, Infinity), Float32Array.of(1, 2, 3, 4)]
  assert.is(kernels.gradientNorm(g, w).nonfinite, 2)
  assert.is(kernels.gradientNorm(Float32Array.of(3, 4), Float32Array.of(0, 0)).gradientSquares, 25)
  assert.equal([...w], [1, 2, 3, 4])
  const limited = kernels.limitColumnNorms(Float64Array.of(3, 0.1, 4, 0.2), { rows: 2, columns: 2, limit: 1 })
  near(Float64Array, limited, [0.6, 0.1, 0.8, 0.2], 'columns')
})

test('the instruction set', () => {
  assert.ok(kernels.availableIsas.includes(kernels.isa))
  assert.is(kernels.availableIsas.at(-1), 'scalar')
})

test.run()
