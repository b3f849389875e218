// Run directories with plausible numbers in them, written at once or bit by bit as a run under way does.
import { appendFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import {
  files,
  histogramBins,
  histogramEdges,
  layerRowWidth,
  lookColumns,
  Rows,
  setEnd,
  stepRowWidth,
} from '../../dist/watch/recording/files.js'
import { HistogramEncoder } from '../../dist/watch/recording/histogram-bytes.js'

/** From 0 to 1; Lehmer's generator. */
const random = (seed) => () => {
  seed = (seed * 48271) % 2147483647
  return seed / 2147483647
}

const tensors = [
  { name: 'dense1.weight', shape: [784, 128] },
  { name: 'dense1.bias', shape: [128] },
  { name: 'dense2.weight', shape: [128, 64] },
  { name: 'dense2.bias', shape: [64] },
  { name: 'dense3.weight', shape: [64, 10] },
  { name: 'dense3.bias', shape: [10] },
]
const layers = [
  { name: 'dense1', op: 'dense', units: 128 },
  { name: 'relu1', op: 'relu', units: 128 },
  { name: 'dense2', op: 'dense', units: 64 },
  { name: 'tanh1', op: 'tanh', units: 64 },
  { name: 'dense3', op: 'dense', units: 10 },
]
const node = (op, name, inputs, more = {}) => ({ op, name, inputs, ...more })
const descriptor = {
  dtype: 'float32',
  seed: 1,
  inputs: [{ name: 'input', shape: [784], kind: 'real' }],
  nodes: [
    node('dense', 'dense1', [0], { parameters: { weight: 0, bias: 1 } }),
    node('activation', 'relu1', [1], { kind: 'relu' }),
    node('dense', 'dense2', [2], { parameters: { weight: 2, bias: 3 } }),
    node('activation', 'tanh1', [3], { kind: 'tanh' }),
    node('dense', 'dense3', [4], { parameters: { weight: 4, bias: 5 } }),
  ],
  parameters: tensors.map(({ name, shape }) => ({
    name,
    shape,
    trainable: true,
    initializer: { kind: 'constant', value: 0 },
  })),
  output: 5,
  loss: { kind: 'softmax_cross_entropy' },
  metrics: [{ kind: 'accuracy' }],
  optimizer: { kind: 'adam' },
}

export const runInfo = ({ started = new Date().toISOString(), epochs = 30, histograms = 1, ...more } = {}) => ({
  format: 1,
  gradus: '0.1.0',
  started,
  seed: 1,
  descriptor,
  options: {
    epochs,
    batchSize: 128,
    accumulate: 1,
    learningRate: 1e-3,
    momentum: 0.9,
    weightDecay: 0,
    clipNorm: 5,
    maxRefusedSteps: 10,
    threads: 2,
    isScheduled: true,
  },
  examples: 60000,
  validationExamples: 10000,
  monitor: { every: 1, histograms },
  tensors,
  layers,
  machine: {
    cpu: 'A processor',
    cores: 8,
    memory: 2 ** 34,
    node: process.version,
    platform: 'linux x64',
    host: hostname(),
    process: process.pid,
  },
  ...more,
})

/** A run that begins now; what is written of it is up to whoever holds it. */
export class RunWriter {
  constructor(directory, { seed = 1, speed = 1, floor = 0.02, ...info } = {}) {
    Object.assign(this, { directory, speed, floor, step: 0, epoch: 0, random: random(seed) })
    this.info = runInfo(info)
    this.time = Date.parse(this.info.started)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, files.info), JSON.stringify(this.info))
    for (const name of [files.journal, files.steps, files.layers, files.histograms]) {
      writeFileSync(join(directory, name), '')
    }
    this.entry({ type: 'begin', step: 0, time: this.time })
  }

  entry(record) {
    appendFileSync(join(this.directory, files.journal), `${JSON.stringify(record)}\n`)
  }

  noise() {
    return this.random() + this.random() - this.random() - this.random()
  }

  lossAt(step) {
    return this.floor + 2.3 * (1 + (this.speed * step) / 400) ** -0.7
  }

  /** `change` may set columns of each row, by name. */
  steps(count, change = () => ({})) {
    const width = stepRowWidth(tensors.length)
    const rows = Rows.of(count, width)
    for (let row = 0; row < count; row++) {
      const step = ++this.step
      const loss = this.lossAt(step) * Math.exp(0.35 * this.noise())
      const rate = 1e-3 * 0.5 * (1 + Math.cos(Math.PI * ((step % 4000) / 4000)))
      const columns = { loss, regularizationLoss: 0.01 + loss / 50, learningRate: rate, momentum: 0.9 }
      Object.assign(columns, { gradientNorm: 0.4 + loss * Math.exp(0.3 * this.noise()), refused: 0 }, change(step))
      rows.steps[row * width] = step
      const { regularizationLoss, learningRate, momentum, gradientNorm, refused } = columns
      rows.values.set(
        [step * 0.004, columns.loss, regularizationLoss, learningRate, momentum, gradientNorm, refused],
        row * width + 1,
      )
      const each = tensors.flatMap((_, i) => [
        ((1e-3 * (rate / 5e-4)) / (1 + i / 3)) * Math.exp(0.3 * this.noise()),
        3 + i + Math.sqrt(step) / 100,
        (gradientNorm / (2 + i)) * Math.exp(0.3 * this.noise()),
        0,
      ])
      rows.values.set(each, row * width + 8)
    }
    this.append(files.steps, rows)
  }

  append(name, rows) {
    appendFileSync(join(this.directory, name), new Uint8Array(rows.values.buffer))
  }

  look() {
    const cells = layers.flatMap(({ op, units }, i) => [
      op === 'relu' ? 0.4 : 0.05 * i * Math.sin(this.step / 900),
      0.6 + 0.1 * i + this.step / 40000,
      op === 'relu' ? Math.round(units * (1 - Math.exp(-this.step / 20000))) : 0,
      op === 'tanh' ? 0.3 * (1 - Math.exp(-this.step / 9000)) : 0,
      0,
    ])
    const spreads = [
      ...layers.map((_, i) => 0.6 + 0.1 * i),
      ...tensors.map((_, i) => 0.01 / (1 + i) / (1 + this.step / 3000)),
      ...tensors.map((_, i) => 0.05 + 0.02 * i + this.step / 200000),
    ]
    const counts = this.info.monitor.histograms === null ? [] : spreads.flatMap((spread) => this.histogram(spread))
    const histograms = join(this.directory, files.histograms)
    appendFileSync(histograms, new HistogramEncoder().encode(Float32Array.from(counts)))
    const rows = Rows.of(1, layerRowWidth(layers.length))
    rows.steps[0] = this.step
    rows.values.set(cells, lookColumns.length)
    setEnd(rows, 0, statSync(histograms).size)
    this.append(files.layers, rows)
  }

  histogram(deviation) {
    const counts = new Array(histogramBins).fill(0)
    for (let i = 0; i < 400; i++) {
      const value = this.noise() * deviation * 1.2
      const size = Math.abs(value)
      const k = histogramEdges.findLastIndex((edge) => size >= edge)
      counts[k < 0 ? 64 : value > 0 ? 65 + k : 63 - k]++
    }
    return counts
  }

  system() {
    const time = this.time + this.step * 4
    const samplesPerSecond = 32000 + 2000 * this.noise()
    const delay = { eventLoopDelay: 1.2 + 0.1 * this.random(), eventLoopDelayMost: 3 + 4 * this.random() }
    this.entry({ type: 'system', step: this.step, time, samplesPerSecond, ...delay, memory: 3e8 + 4000 * this.step })
  }

  finishEpoch(more = {}) {
    const epoch = ++this.epoch
    const loss = this.lossAt(this.step)
    const valLoss = loss * 1.05 + 0.0004 * epoch ** 1.6
    const scores = { accuracy: 1 - loss / 8, valLoss, valAccuracy: 1 - valLoss / 8 }
    const rest = { regularizationLoss: 0.01, learningRate: 1e-3, updateRatio: 1e-3, gradientNorm: 1, refusedSteps: 0 }
    const pace = { seconds: 1.9, samplesPerSecond: 32000 }
    this.entry({ type: 'epoch', epoch, step: this.step, loss, ...scores, ...rest, ...pace, ...more })
    const classes = Array.from({ length: 10 }, () => 90 + Math.floor(20 * this.random()))
    this.entry({ type: 'predictions', epoch, step: this.step, predicted: classes, actual: classes.map(() => 100) })
    this.entry({
      type: 'sharpness',
      epoch,
      step: this.step,
      eigenvalue: 40 + epoch * 3,
      learningRateLimit: 2 / (40 + epoch * 3),
    })
    this.latest()
  }

  latest() {
    const confusion = Array.from({ length: 10 }, (_, actual) =>
      Array.from({ length: 10 }, (_, said) => (said === actual ? 950 : Math.floor(12 * this.random() ** 3))),
    )
    const shape = { height: 28, width: 28, channels: 1 }
    const picture = (of) =>
      Buffer.from(Array.from({ length: 784 }, (_, i) => of((i % 28) - 14, Math.floor(i / 28) - 14))).toString('base64')
    const ring = (size) => (x, y) => 255 * Math.exp(-((Math.hypot(x, 0.8 * y) - size) ** 2) / 4)
    const misclassified = Array.from({ length: 12 }, (_, i) => ({
      row: 100 + 37 * i,
      predicted: (i * 7 + 1) % 10,
      actual: (i * 3) % 10,
      confidence: 0.99 - i / 50,
      image: picture(ring(3 + (i % 6))),
    }))
    const pixels = Buffer.concat(
      Array.from({ length: 32 }, (_, unit) => {
        const [a, b] = [0.2 + 0.1 * (unit % 5), 0.1 + 0.07 * (unit % 7)]
        const wave = (x, y) => 128 + 110 * Math.sin(a * x + b * y + unit) * Math.exp(-(x * x + y * y) / 120)
        return Buffer.from(picture(wave), 'base64')
      }),
    ).toString('base64')
    const firstLayer = { layer: 'dense1', units: 32, ...shape, least: -0.31, most: 0.29, pixels }
    const latest = { epoch: this.epoch, step: this.step, confusion, misclassified, image: shape, firstLayer }
    writeFileSync(join(this.directory, files.latest), JSON.stringify(latest))
  }

  end(stoppedBy = 'epochs', more = {}) {
    this.entry({ type: 'end', step: this.step, time: this.time + this.step * 4, stoppedBy, ...more })
  }

  /** Whole epochs of so many steps, with a look and a measurement every so often. */
  train(epochs, stepsEach, parts = 10) {
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (let part = 0; part < parts; part++) {
        this.steps(Math.round(stepsEach / parts))
        this.look()
        this.system()
      }
      this.finishEpoch()
    }
    return this
  }
}
