// The optimizers' formulas in plain float64 arithmetic, one weight at a time, and a small network to follow them with.
import {
  adaDelta,
  adagrad,
  adam,
  adamW,
  amsgrad,
  customLayer,
  dense,
  lion,
  meanSquaredError,
  nadam,
  rmsprop,
  sequential,
  sgd,
} from 'gradus'
import { numbers } from './reference.js'

export const rate = 0.01
export const steps = 1000

/** The textbook formulas, one weight at a time: (g, t, state) → the change of w; `w` where decay needs it. */
export const rules = {
  sgd: [sgd({ learningRate: rate }), (g) => -rate * g],
  momentum: [
    sgd({ learningRate: rate, momentum: 0.9 }),
    (g, _, s) => {
      s.v = 0.9 * (s.v ?? 0) - rate * g
      return s.v
    },
  ],
  nesterov: [
    sgd({ learningRate: rate, momentum: 0.9, nesterov: true }),
    (g, _, s) => {
      const before = s.v ?? 0
      s.v = 0.9 * before - rate * g
      return -0.9 * before + 1.9 * s.v
    },
  ],
  adagrad: [
    adagrad({ learningRate: rate }),
    (g, _, s) => {
      s.c = (s.c ?? 0) + g * g
      return (-rate * g) / (Math.sqrt(s.c) + 1e-8)
    },
  ],
  rmsprop: [rmsprop({ learningRate: rate }), rmspropRule({})],
  'rmsprop with momentum': [rmsprop({ learningRate: rate, momentum: 0.8 }), rmspropRule({ momentum: 0.8 })],
  'centred rmsprop': [
    rmsprop({ learningRate: rate, centered: true, epsilon: 0.01 }),
    rmspropRule({ centered: true, epsilon: 0.01 }),
  ],
  'centred rmsprop with momentum': [
    rmsprop({ learningRate: rate, centered: true, momentum: 0.5, epsilon: 0.01 }),
    rmspropRule({ centered: true, momentum: 0.5, epsilon: 0.01 }),
  ],
  adaDelta: [
    adaDelta({ learningRate: 0.5 }),
    (g, _, s) => {
      s.c = 0.9 * (s.c ?? 0) + 0.1 * g * g
      const change = (Math.sqrt((s.d ?? 0) + 1e-6) / Math.sqrt(s.c + 1e-6)) * g
      s.d = 0.9 * (s.d ?? 0) + 0.1 * change * change
      return -0.5 * change
    },
  ],
  adam: [adam({ learningRate: rate }), adamRule({})],
  'simplified adam': [adam({ learningRate: rate, biasCorrection: false }), adamRule({ corrects: false })],
  adamW: [adamW({ learningRate: rate, weightDecay: 0.1 }), adamRule({ decay: 0.1 })],
  amsgrad: [amsgrad({ learningRate: rate }), adamRule({ largest: true })],
  nadam: [
    nadam({ learningRate: rate }),
    (g, t, s) => {
      const momentum = (k) => 0.9 * (1 - 0.5 * 0.96 ** (0.004 * k))
      s.product = (s.product ?? 1) * momentum(t)
      s.m = 0.9 * (s.m ?? 0) + 0.1 * g
      s.v = 0.999 * (s.v ?? 0) + 0.001 * g * g
      const first =
        (momentum(t + 1) * s.m) / (1 - s.product * momentum(t + 1)) + ((1 - momentum(t)) * g) / (1 - s.product)
      return (-rate * first) / (Math.sqrt(s.v / (1 - 0.999 ** t)) + 1e-8)
    },
  ],
  lion: [
    lion({ learningRate: rate, weightDecay: 0.05 }),
    (g, _, s, w) => {
      const direction = Math.sign(0.9 * (s.v ?? 0) + 0.1 * g)
      s.v = 0.99 * (s.v ?? 0) + 0.01 * g
      return -rate * direction - rate * 0.05 * w
    },
  ],
}

function rmspropRule({ centered = false, momentum = 0, epsilon = 1e-8 }) {
  return (g, _, s) => {
    s.c = 0.9 * (s.c ?? 0) + 0.1 * g * g
    s.m = 0.9 * (s.m ?? 0) + 0.1 * g
    s.v = momentum * (s.v ?? 0) - (rate * g) / (Math.sqrt(centered ? s.c - s.m * s.m : s.c) + epsilon)
    return s.v
  }
}

export function adamRule({ corrects = true, decay = 0, largest = false }) {
  return (g, t, s, w) => {
    s.m = 0.9 * (s.m ?? 0) + 0.1 * g
    s.v = 0.999 * (s.v ?? 0) + 0.001 * g * g
    s.top = largest ? Math.max(s.top ?? 0, s.v) : s.v
    const [first, second] = corrects ? [1 - 0.9 ** t, 1 - 0.999 ** t] : [1, 1]
    return (-rate * (s.m / first)) / (Math.sqrt(s.top / second) + 1e-8) - rate * decay * w
  }
}

// Two dense layers, the first frozen, and between them a layer whose parameter receives no gradient. One example a step:
// gradients are simple, and change with every example.
export const [inputs, outputs, examples] = [3, 2, 7]
export const data = { x: numbers(examples * inputs, 3), y: numbers(examples * outputs, 8) }
const idle = () =>
  customLayer({
    name: 'idle',
    parameters: () => ({ gain: { shape: [2], init: 1.5 } }),
    forward: (x) => x,
    backward: (dy) => ({ dx: dy }),
  })
export const network = (optimizer, dtype = 'float64', middle = [idle()]) => {
  const layers = [dense(inputs, { trainable: false, init: 'he' }), ...middle, dense(outputs)]
  return sequential({ input: [inputs], seed: 9, dtype }, layers).compile({ loss: meanSquaredError(), optimizer })
}

/** What the second layer is given for each example. */
export function hidden(start) {
  const { data: weight } = start['dense1.weight']
  return Array.from({ length: examples }, (_, example) =>
    Array.from({ length: inputs }, (_, j) => {
      let sum = start['dense1.bias'].data[j]
      for (let i = 0; i < inputs; i++) sum += data.x[example * inputs + i] * weight[i * inputs + j]
      return sum
    }),
  )
}

/** The gradient of one example's loss by the second layer's weight and bias. */
export function gradientOf(h, example, weight, bias) {
  const slopes = Array.from({ length: outputs }, (_, j) => {
    let y = bias[j]
    for (let i = 0; i < inputs; i++) y += h[i] * weight[i * outputs + j]
    return (2 * (y - data.y[example * outputs + j])) / outputs
  })
  return { weight: weight.map((_, at) => h[Math.floor(at / outputs)] * slopes[at % outputs]), bias: slopes }
}

/** The trained tensors after so many steps, in plain arithmetic; biases may follow a rule of their own. */
export function reference(start, rule, count, biasRule = rule) {
  const h = hidden(start)
  const tensors = {
    weight: Float64Array.from(start['dense2.weight'].data),
    bias: Float64Array.from(start['dense2.bias'].data),
    gain: Float64Array.of(1.5, 1.5),
  }
  const rulesOf = { weight: rule, bias: biasRule, gain: rule }
  const states = Object.fromEntries(Object.entries(tensors).map(([name, w]) => [name, Array.from(w, () => ({}))]))
  for (let t = 1; t <= count; t++) {
    const example = (t - 1) % examples
    const gradients = { ...gradientOf(h[example], example, tensors.weight, tensors.bias), gain: [0, 0] }
    for (const [name, w] of Object.entries(tensors)) {
      for (let i = 0; i < w.length; i++) w[i] += rulesOf[name](gradients[name][i], t, states[name][i], w[i])
    }
  }
  return tensors
}

/** The largest difference, relative to the largest weight of each tensor. */
export function distance(trained, { gain, ...expected }) {
  const pairs = Object.entries(expected).map(([name, values]) => [values, trained[`dense2.${name}`].data])
  if (trained['idle.gain']) pairs.push([gain, trained['idle.gain'].data])
  return Math.max(
    ...pairs.map(([values, found]) => {
      const scale = Math.max(...values.map(Math.abs))
      return Math.max(...values.map((value, i) => Math.abs(found[i] - value) / scale))
    }),
  )
}

export const plan = { batchSize: 1, shuffle: false, quiet: true }
