// An independent reference for tests: small dense networks in plain float64 JavaScript, one number at a time.

/** Reproducible numbers from −1 to 1: a linear congruential generator, unrelated to the one of the core. */
export function numbers(count, seed = 1) {
  let state = seed
  return Float64Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2147483648
    return state / 1073741824 - 1
  })
}

export const functions = {
  relu: { value: (x) => Math.max(0, x), slope: (x) => (x > 0 ? 1 : 0) },
  leakyRelu: { value: (x) => (x >= 0 ? x : 0.01 * x), slope: (x) => (x >= 0 ? 1 : 0.01) },
  elu: { value: (x) => (x >= 0 ? x : Math.expm1(x)), slope: (x) => (x >= 0 ? 1 : Math.exp(x)) },
  silu: { value: (x) => x / (1 + Math.exp(-x)), slope: (x) => ((s) => s + x * s * (1 - s))(1 / (1 + Math.exp(-x))) },
  tanh: { value: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2 },
  sigmoid: { value: (x) => 1 / (1 + Math.exp(-x)), slope: (x) => ((s) => s * (1 - s))(1 / (1 + Math.exp(-x))) },
  softplus: { value: (x) => Math.log1p(Math.exp(x)), slope: (x) => 1 / (1 + Math.exp(-x)) },
}

/**
 * The outputs of a chain of layers for one example, with all values on the way. A layer is the name of a function above,
 * or `{ weight, bias }` as in `getWeights`.
 */
export function forward(layers, x) {
  const values = [Array.from(x)]
  for (const layer of layers) {
    const input = values.at(-1)
    if (typeof layer === 'string') {
      values.push(input.map(functions[layer].value))
      continue
    }
    const [rows, columns] = layer.weight.shape
    const output = Array.from({ length: columns }, (_, j) => layer.bias?.data[j] ?? 0)
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) output[j] += input[i] * layer.weight.data[i * columns + j]
    }
    values.push(output)
  }
  return values
}

/** For scores and a target: the loss, and its derivative by the scores. */
export const losses = {
  softmaxCrossEntropy(scores, label) {
    const top = Math.max(...scores)
    const powers = scores.map((score) => Math.exp(score - top))
    const sum = powers.reduce((a, b) => a + b)
    return [Math.log(sum) + top - scores[label], powers.map((power, j) => power / sum - (j === label ? 1 : 0))]
  },
  meanSquaredError(scores, target) {
    const n = scores.length
    const errors = scores.map((score, j) => score - target[j])
    return [errors.reduce((sum, error) => sum + (error * error) / n, 0), errors.map((error) => (2 * error) / n)]
  },
}

/** Mean loss over examples, and its gradient by every weight, in the layers' own shape. */
export function gradient(layers, loss, xs, targets) {
  const gradients = layers.map((layer) =>
    typeof layer === 'string'
      ? null
      : { weight: new Float64Array(layer.weight.data.length), bias: new Float64Array(layer.bias?.data.length ?? 0) },
  )
  let mean = 0
  xs.forEach((x, row) => {
    const values = forward(layers, x)
    const [value, slopes] = loss(values.at(-1), targets[row])
    mean += value / xs.length
    let error = slopes.map((slope) => slope / xs.length)
    for (let l = layers.length - 1; l >= 0; l--) error = backward(layers[l], values[l], error, gradients[l])
  })
  return { loss: mean, gradients }
}

function backward(layer, input, error, into) {
  if (typeof layer === 'string') return error.map((e, i) => e * functions[layer].slope(input[i]))
  const columns = layer.weight.shape[1]
  error.forEach((e, j) => {
    if (layer.bias) into.bias[j] += e
    for (let i = 0; i < input.length; i++) into.weight[i * columns + j] += input[i] * e
  })
  return input.map((_, i) => error.reduce((sum, e, j) => sum + e * layer.weight.data[i * columns + j], 0))
}

/** One step of each optimizer on one array of weights; `state` is an object of its own for each array, `t` counts from 1. */
export const steps = {
  sgd(w, g, rate) {
    for (const i of w.keys()) w[i] -= rate * g[i]
  },
  momentum(w, g, rate, _, state) {
    state.v ??= new Float64Array(w.length)
    for (const i of w.keys()) {
      state.v[i] = 0.9 * state.v[i] - rate * g[i]
      w[i] += state.v[i]
    }
  },
  nesterov(w, g, rate, _, state) {
    state.v ??= new Float64Array(w.length)
    for (const i of w.keys()) {
      const before = state.v[i]
      state.v[i] = 0.9 * before - rate * g[i]
      w[i] += -0.9 * before + 1.9 * state.v[i]
    }
  },
  adagrad(w, g, rate, _, state) {
    state.sum ??= new Float64Array(w.length)
    for (const i of w.keys()) {
      state.sum[i] += g[i] ** 2
      w[i] -= (rate * g[i]) / (Math.sqrt(state.sum[i]) + 1e-8)
    }
  },
  rmsprop(w, g, rate, _, state) {
    state.mean ??= new Float64Array(w.length)
    for (const i of w.keys()) {
      state.mean[i] = 0.9 * state.mean[i] + 0.1 * g[i] ** 2
      w[i] -= (rate * g[i]) / (Math.sqrt(state.mean[i]) + 1e-8)
    }
  },
  adam(w, g, rate, t, state, decay = 0) {
    state.m ??= new Float64Array(w.length)
    state.v ??= new Float64Array(w.length)
    for (const i of w.keys()) {
      state.m[i] = 0.9 * state.m[i] + 0.1 * g[i]
      state.v[i] = 0.999 * state.v[i] + 0.001 * g[i] ** 2
      const [m, v] = [state.m[i] / (1 - 0.9 ** t), state.v[i] / (1 - 0.999 ** t)]
      w[i] -= (rate * m) / (Math.sqrt(v) + 1e-8) + rate * decay * w[i]
    }
  },
  adamW: (w, g, rate, t, state) => steps.adam(w, g, rate, t, state, 0.1),
}

/** Copies the weights of dense layers out of `getWeights()`, float64, ready for `forward`. */
export function denseOf(weights, name) {
  const copy = (weight) => weight && { shape: weight.shape, data: Float64Array.from(weight.data) }
  return { weight: copy(weights[`${name}.weight`]), bias: copy(weights[`${name}.bias`]) }
}

/** Largest difference of two sequences, relative to the larger of 1 and the largest element. */
export function difference(a, b) {
  if (a.length !== b.length) return Infinity
  let difference = 0
  let size = 1
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Math.abs(a[i] - b[i]))
    size = Math.max(size, Math.abs(b[i]))
  }
  return Number.isNaN(difference) ? Infinity : difference / size
}

/** Runs `work`, which must throw or reject, and gives the error. */
export async function failure(work) {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new Error('expected an error, but there was none')
}
