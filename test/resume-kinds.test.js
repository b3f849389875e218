// Whatever a run is made of, it goes on to the same bits: optimizers, schedules, parts of one's own, kinds of data and targets.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  add,
  averagedWeights,
  batchNorm,
  customLayer,
  customLoss,
  customOptimizer,
  customRegularizer,
  dataset,
  dense,
  dropout,
  earlyStopping,
  elastic,
  embedding,
  equalAverage,
  flatten,
  graph,
  input,
  l2,
  meanSquaredError,
  normalization,
  powerAverage,
  relu,
  sequential,
  softmaxCrossEntropy,
  tanh,
  window,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as optimizers from '../dist/optimizers/index.js'
import * as schedules from '../dist/schedules/index.js'
import { afterDeaths, uninterrupted } from './support/interrupted.js'
import { numbers } from './support/reference.js'

const test = suite('resume of all kinds')
const folder = mkdtempSync(join(tmpdir(), 'gradus-resume-kinds-'))
test.after(() => rmSync(folder, { recursive: true }))

const { adam, sgd, customOptimizer: _, ...rest } = optimizers
const rows = 30
const regression = { x: numbers(rows * 3, 5), y: numbers(rows * 2, 6) }
const classes = { x: numbers(rows * 3, 7), y: Int32Array.from({ length: rows }, (_, i) => Number(i % 3 === 0)) }

const network = (dtype) => sequential({ input: [3], seed: 3, dtype }, [dense(6), tanh(), dropout(0.1), dense(2)])
const fits = (options, { optimizer = adam(), data = regression, dtype } = {}) => {
  const loss = data === classes ? softmaxCrossEntropy() : meanSquaredError()
  return { model: network(dtype).compile({ loss, optimizer }), data, options }
}

let number = 0
function same(name, make, more) {
  test(`${name}: three interruptions, the same bits`, async () => {
    const { result } = await afterDeaths(make, join(folder, String(++number)), undefined, more)
    assert.equal(result, await uninterrupted(make))
  })
}

const heavyBall = customOptimizer({
  name: 'heavyBall',
  learningRate: 0.05,
  slots: ['velocity'],
  update(gradient, { slots: { velocity }, learningRate }) {
    gradient.forEach((g, i) => {
      velocity[i] = 0.9 * velocity[i] - learningRate * g
    })
    return velocity
  },
})
const kindsOfOptimizer = {
  ...Object.fromEntries(Object.entries({ adam, sgd, ...rest }).map(([name, make]) => [name, () => make()])),
  momentum: () => sgd({ momentum: 0.9 }),
  nesterov: () => sgd({ momentum: 0.9, nesterov: true }),
  'centered rmsprop with momentum': () => rest.rmsprop({ centered: true, momentum: 0.8 }),
  'adam in bfloat16': () => adam({ slots: 'bfloat16' }),
  'adam with a power average': () => adam({ average: powerAverage({ gamma: 2 }) }),
  'adam with equal averages by steps': () => adam({ average: equalAverage({ from: 3, every: 4, unit: 'step' }) }),
  'nesterov with equal averages by epochs': () =>
    sgd({ momentum: 0.9, nesterov: true, average: equalAverage({ from: 1 }) }),
  'adam with an average': () => adam({ average: averagedWeights({ decay: 0.9 }) }),
  'adam without bias correction': () => adam({ biasCorrection: false }),
  customOptimizer: () => heavyBall,
}
for (const [name, make] of Object.entries(kindsOfOptimizer)) {
  same(`optimizer ${name}`, () => fits({}, { optimizer: make() }))
  if (!/custom/.test(name))
    same(`optimizer ${name} in float64`, () => fits({}, { optimizer: make(), dtype: 'float64' }))
}

const { reduceOnPlateau, constant, linearRamp, warmup, cosine, ...others } = schedules
/** By steps some 40, by epochs 5. */
const made = {
  constant: (unit, n) => constant(0.01, { length: n, unit }),
  cosine: (unit, n) => cosine({ length: n, cycles: 2, unit }),
  exponentialDecay: (unit, n) => others.exponentialDecay({ rate: 2 / n, unit }),
  inverseDecay: (unit, n) => others.inverseDecay({ rate: 2 / n, unit }),
  linearRamp: (unit, n) => linearRamp({ from: 0.1, to: 0.01, length: n, unit }),
  oneCycle: (unit, n) => others.oneCycle({ length: n, unit }),
  piecewise: (unit, n) => others.piecewise({ boundaries: [n / 4, n / 2], values: [0.01, 0.02, 0.001], unit }),
  polynomial: (unit, n) => others.polynomial({ length: n, power: 2, unit }),
  stepDecay: (unit, n) => others.stepDecay({ every: n / 4, unit }),
  warmup: (unit, n) => warmup({ length: n, unit }),
}
test('every schedule that there is has its turn', () => {
  assert.equal(Object.keys(made).sort(), Object.keys({ ...others, constant, linearRamp, warmup, cosine }).sort())
})
for (const [name, schedule] of Object.entries(made)) {
  for (const [unit, n] of [
    ['step', 40],
    ['epoch', 4],
  ]) {
    same(`schedule ${name} by ${unit}`, () => fits({ schedule: schedule(unit, n) }))
    const followed = () => warmup({ length: n / 2, unit }).followedBy(schedule(unit, n))
    same(`schedule warmup followed by ${name} by ${unit}`, () => fits({ schedule: followed() }))
  }
}
const plateau = () => reduceOnPlateau({ patience: 1, threshold: 0.2 })
same('schedule reduceOnPlateau', () => fits({ schedule: plateau(), validation: regression }))
for (const [unit, length] of [
  ['step', 7],
  ['epoch', 1],
]) {
  const schedule = () => warmup({ length, unit }).followedBy(plateau())
  same(`schedule warmup by ${unit} followed by reduceOnPlateau`, () => fits({ schedule: schedule() }))
}
same('schedules of momentum and weight decay', () =>
  fits({
    schedule: cosine({ length: 40, unit: 'step' }),
    momentumSchedule: linearRamp({ from: 0.5, to: 0.95, length: 30, unit: 'step' }),
    weightDecaySchedule: plateau(),
    validation: regression,
  }),
)
for (const [name, average] of Object.entries({
  running: () => averagedWeights({ decay: 0.9 }),
  'equal by epochs': () => equalAverage({ from: 2, every: 2 }),
})) {
  same(`${name} average with batch norm, validated, and the best of it put back`, () => ({
    model: sequential({ input: [3], seed: 3 }, [dense(6), batchNorm(), tanh(), dense(2)]).compile({
      loss: meanSquaredError(),
      optimizer: adam({ average: average() }),
    }),
    data: regression,
    options: {
      validationSplit: 0.2,
      validateAverage: true,
      callbacks: [earlyStopping({ monitor: 'averageValLoss', patience: 3, restoreBest: true })],
    },
  }))
}
same('a schedule of the user’s own, with a memory', () => fits({ schedule: halvingSchedule() }))

function halvingSchedule() {
  const begin = () => {
    let share = 1
    const schedule = (_, initial) => initial * share
    return Object.assign(schedule, {
      observe: () => {
        share *= 0.7
      },
      state: () => share,
      restore: (state) => {
        share = state
      },
    })
  }
  return Object.assign((_, initial) => initial, { begin, kind: 'halving' })
}

same('float64 data and model', () => fits({ clipNorm: 0.5 }, { dtype: 'float64' }))
same('clipped elements and an accumulated update', () => fits({ epochs: 9, clipValue: 0.1, accumulate: 3 }))
same('balanced classes', () => fits({ classWeights: 'balanced' }, { data: classes }))
same('given class weights', () => fits({ classWeights: [1, 3] }, { data: classes }))
const weights = Float32Array.from({ length: rows }, (_, i) => (i % 4) / 2)
same('weighted examples', () => fits({ validationSplit: 0.2 }, { data: { ...regression, sampleWeights: weights } }))
same('a part held back', () => fits({ validationSplit: 0.3, shuffle: false }))
same('a dataset in native memory', () => fits({}, { data: dataset(regression) }))

const withRegularizers = () => {
  const layers = [normalization(), dense(6, { regularizer: l2(0.01) }), batchNorm(), relu()]
  const last = dense(2, { regularizer: elastic({ l1: 0.01, l2: 0.02 }) })
  return sequential({ input: [3], seed: 4 }, [...layers, last])
}
same('normalization() and regularizers', () => {
  const data = { ...regression, x: regression.x.map((value) => 5 + 3 * value) }
  return { model: withRegularizers().compile({ loss: meanSquaredError(), optimizer: adam() }), data, options: {} }
})

same('a graph with two inputs', () => {
  const [words, size] = [input([2], { name: 'words' }), input([3], { name: 'size' })]
  const joined = add(dense(4)(flatten()(embedding(5, 3)(words))), dense(4)(size))
  const model = graph({ inputs: [words, size], output: dense(2)(tanh()(joined)), seed: 6 })
  const x = { words: Int32Array.from({ length: rows * 2 }, (_, i) => (i * 3) % 5), size: regression.x }
  return {
    model: model.compile({ loss: meanSquaredError(), optimizer: adam() }),
    data: { x, y: regression.y },
    options: {},
  }
})

same('windows over a series', () => {
  const series = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i / 3) + 0.1 * Math.sin(i * i))
  const model = sequential({ input: [6], seed: 3 }, [dense(5), tanh(), dense(1)])
  const data = window(series, { length: 6 })
  return { model: model.compile({ loss: meanSquaredError(), optimizer: adam() }), data, options: {} }
})

const scaled = customLayer({
  name: 'scaled',
  outputShape: (shape) => shape,
  parameters: ([size]) => ({ gain: { shape: [size], init: 'ones' } }),
  forward(x, { gain }, { cache }) {
    cache.x = x
    return x.map((value, i) => value * gain[i % gain.length])
  },
  backward(dy, { gain }, { cache }) {
    const slopes = gain.map(() => 0)
    dy.forEach((slope, i) => {
      slopes[i % gain.length] += slope * cache.x[i]
    })
    return { dx: dy.map((slope, i) => slope * gain[i % gain.length]), gradients: { gain: slopes } }
  },
})
const quartic = customRegularizer({
  name: 'quartic',
  loss: (w) => w.reduce((sum, v) => sum + 0.05 * v ** 4, 0),
  gradient: (w) => w.map((v) => 0.2 * v ** 3),
})
const absolute = customLoss({
  name: 'absolute',
  forward: (output, targets, { batch }) =>
    output.constructor.from({ length: batch }, (_, row) => Math.abs(output[2 * row] - targets[2 * row])),
  backward: (output, targets) => output.map((value, i) => (i % 2 === 0 ? Math.sign(value - targets[i]) : 0)),
})
same('layer, regularizer, loss and optimizer of the user’s own', () => {
  const model = sequential({ input: [3], seed: 3 }, [dense(4, { regularizer: quartic }), scaled, tanh(), dense(2)])
  return { model: model.compile({ loss: absolute, optimizer: heavyBall }), data: regression, options: {} }
})

const piecesOf = (sizes) =>
  async function* ({ epoch, skip }) {
    let first = sizes.slice(0, skip).reduce((sum, size) => sum + size, 0)
    for (const size of sizes.slice(skip)) {
      const x = regression.x.slice(3 * first, 3 * (first + size)).map((value, i) => value + 0.1 * Math.sin(epoch + i))
      yield { x, y: regression.y.slice(2 * first, 2 * (first + size)) }
      first += size
    }
  }
const uneven = [7, 1, 9, 2, 11]
same('a stream', () => fits({ accumulate: 2 }, { data: piecesOf(uneven) }))
same('a stream whose pieces are the batches', () =>
  fits(
    { batchSize: undefined, accumulate: 2 },
    { data: piecesOf([...uneven, ...uneven].map((size) => Math.ceil(size / 2))) },
  ),
)
same('a stream that does not look at where it is to begin', () =>
  fits({}, { data: () => piecesOf(uneven)({ epoch: 1, skip: 0 }) }),
)

test.run()
