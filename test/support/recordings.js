// Recordings drawn by hand: columns as functions of the time from 0 to 1, over so many steps.
import { runInfo } from './run-info.js'

const constant = (value) => (typeof value === 'function' ? value : () => value)

/** A column over `count` entries. */
const column = (count, value) =>
  Float64Array.from({ length: count }, (_, i) => constant(value)(i / (count - 1 || 1), i))

/** A loss that falls as it should, from `from` to `to`. */
export const falling =
  (from, to, speed = 5) =>
  (t) =>
    to + (from - to) * Math.exp(-speed * t)

/** As much to one side as to the other. */
export const wobble = (size) => (_, i) => (i % 2 ? size : -size) * (1 + 0.3 * Math.sin(i))

const defaultTensors = {
  'dense1.weight': { shape: [20, 30] },
  'dense1.bias': { shape: [30], ratio: 0.5 },
  'dense2.weight': { shape: [30, 10] },
}

/**
 * A run of softmax cross-entropy over ten classes that goes well, with what is given in place of that: `loss`, `noise`,
 * `rate`, `refused` and tensors' `ratio`, `gradientNorm` over time; layers' `deviation`, `dead`, `saturated` over looks;
 * `epochs` as functions of time by column name; `info` and its `options` and `descriptor` in part.
 */
export function draw(given = {}) {
  const { count = 400, looks = 20, epochCount = 20, loss = falling(2.3, 0.2), rate = 0.01 } = given
  const { tensors = defaultTensors, layers = {}, epochs = {}, info = {} } = given
  const losses = column(count, loss)
  const base = runInfo()
  const stepOfEpoch = (e) => Math.round(((e + 1) * count) / epochCount)
  return {
    info: {
      ...base,
      ...info,
      options: { ...base.options, batchSize: 64, ...info.options },
      descriptor: { ...base.descriptor, loss: { kind: 'softmax_cross_entropy' }, ...info.descriptor },
      examples: 1280,
      tensors: Object.entries(tensors).map(([name, { shape }]) => ({ name, shape })),
      layers: Object.entries(layers).map(([name, { op }]) => ({ name, op, units: 64 })),
    },
    steps: {
      count,
      lastStep: count - 1,
      step: column(count, (_, i) => i),
      seconds: column(count, (_, i) => i / 100),
      loss: losses,
      lossLeast: losses,
      lossMost: losses,
      lossNoise: column(count, given.noise ?? 0.02),
      regularizationLoss: column(count, 0),
      learningRate: column(count, rate),
      momentum: column(count, given.momentum ?? 0),
      gradientNorm: column(count, 1),
      refused: column(count, given.refused ?? 0),
      tensors: Object.entries(tensors).map(([name, { shape, ratio = 1e-3, gradientNorm = 1 }]) => ({
        name,
        shape,
        ratio: column(count, ratio),
        weightNorm: column(count, 1),
        gradientNorm: column(count, gradientNorm),
        nonfinite: column(count, 0),
      })),
    },
    layers: {
      step: column(looks, (_, i) => (i * count) / looks),
      layers: Object.entries(layers).map(([name, { op, deviation = 1, dead = 0, saturated = 0, nonfinite = 0 }]) => ({
        ...{ name, op, units: 64, mean: column(looks, 0), deviation: column(looks, deviation) },
        ...{ dead: column(looks, dead), saturated: column(looks, saturated), nonfinite: column(looks, nonfinite) },
      })),
    },
    epochs: Array.from({ length: epochCount }, (_, e) => {
      const t = (e + 0.5) / epochCount
      const values = { loss, valLoss: loss, ...epochs }
      const record = Object.entries(values).map(([name, value]) => [name, value && constant(value)(t, e)])
      return { epoch: e + 1, step: stepOfEpoch(e), ...Object.fromEntries(record) }
    }),
    predictions: given.predictions ?? [],
    sharpness: given.sharpness ?? [],
    system: [],
    refusal: given.refusal ?? null,
    end: given.end ?? null,
  }
}

/** A recording with nothing in it. */
export function empty() {
  const { info, ...rest } = draw({ count: 0, looks: 0, epochCount: 0, tensors: {} })
  return { info, ...rest, steps: { ...rest.steps, lastStep: -1 } }
}
