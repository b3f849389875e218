// Training runs made ill in one way each, by mistakes that people make: which finding must come first.
import {
  adam,
  customLoss,
  dense,
  dropout,
  lion,
  meanSquaredError,
  randomNormal,
  relu,
  sequential,
  sgd,
  sigmoid,
  softmaxCrossEntropy,
  tanh,
} from 'gradus'
import { digits, spirals, surface } from './run-data.js'

function compile(input, seed, layers, optimizer, loss = softmaxCrossEntropy(), metrics = ['accuracy']) {
  return sequential({ input: [input], seed }, layers).compile({ loss, optimizer, metrics })
}
const digitModel = (...rest) => compile(784, ...rest)
const spiralModel = (...rest) => compile(2, ...rest)
const surfaceModel = (...rest) => compile(2, ...rest, meanSquaredError(), ['r2'])

const twoHidden = (options) => [dense(64, options), relu(), dense(64, options), relu(), dense(10)]
const stack = (depth, units, options, activation) =>
  Array.from({ length: depth }, () => [dense(units, options), activation()]).flat()

/** Each gives a model, data and options of `fit`, by a seed. */
export const illRuns = {
  'a learning rate of 1e-6': {
    rule: 'learningRateTooLow',
    make: async (seed) => ({
      model: digitModel(seed, twoHidden(), adam({ learningRate: 1e-6 })),
      ...(await digits(seed)),
      options: { epochs: 6, batchSize: 64 },
    }),
  },
  'gradient descent at 1e-4': {
    rule: 'learningRateTooLow',
    make: async (seed) => ({
      model: digitModel(seed, twoHidden(), sgd({ learningRate: 1e-4 })),
      ...(await digits(seed)),
      options: { epochs: 6, batchSize: 64 },
    }),
  },
  'Adam at 0.1': {
    rule: 'learningRateTooHigh',
    make: async (seed) => ({
      model: digitModel(seed, [...stack(2, 64, { init: 'xavier' }, tanh), dense(10)], adam({ learningRate: 0.1 })),
      ...(await digits(seed)),
      options: { epochs: 6, batchSize: 64 },
    }),
  },
  'Lion at the learning rate of gradient descent': {
    rule: 'learningRateTooHigh',
    make: async (seed) => ({
      model: digitModel(seed, [...stack(2, 64, { init: 'xavier' }, tanh), dense(10)], lion({ learningRate: 0.01 })),
      ...(await digits(seed)),
      options: { epochs: 6, batchSize: 64 },
    }),
  },
  'a learning rate a thousand times too high': {
    rule: 'learningRateMuchTooHigh',
    make: async (seed) => ({
      model: digitModel(seed, twoHidden(), adam({ learningRate: 1 })),
      ...(await digits(seed)),
      options: { epochs: 4, batchSize: 64 },
    }),
  },
  'gradient descent at 30': {
    rule: 'learningRateMuchTooHigh',
    make: async (seed) => ({
      model: digitModel(seed, [dense(10)], sgd({ learningRate: 30 })),
      ...(await digits(seed)),
      options: { epochs: 4, batchSize: 64 },
    }),
  },
  'batches of two': {
    rule: 'lossTooNoisy',
    make: async (seed) => ({
      model: digitModel(seed, twoHidden(), adam({ learningRate: 1e-4 })),
      ...(await digits(seed, { train: 2000 })),
      options: { epochs: 3, batchSize: 2 },
    }),
  },
  'a large network on 200 digits': {
    rule: 'overfitting',
    make: async (seed) => ({
      model: digitModel(seed, [...stack(2, 256, {}, relu), dense(10)], adam({ learningRate: 1e-3 })),
      ...(await digits(seed, { train: 200, validation: 500 })),
      options: { epochs: 60, batchSize: 32 },
    }),
  },
  'a line through spirals': {
    rule: 'underfitting',
    make: (seed) => ({
      model: spiralModel(seed, [dense(3)], adam({ learningRate: 0.01 })),
      ...spirals(seed),
      options: { epochs: 60, batchSize: 50 },
    }),
  },
  'a plane through a curved surface': {
    rule: 'underfitting',
    make: (seed) => ({
      model: surfaceModel(seed, [dense(1)], adam({ learningRate: 0.01 })),
      ...surface(seed),
      options: { epochs: 30, batchSize: 32 },
    }),
  },
  'one learning rate to the end': {
    rule: 'plateau',
    make: (seed) => ({
      model: surfaceModel(seed, [dense(10), tanh(), dense(1)], sgd({ learningRate: 0.03, momentum: 0.9 })),
      ...surface(seed, { noise: 0.5, rows: 1600 }),
      options: { epochs: 60, batchSize: 32 },
    }),
  },
  'initial weights of 1e-3 in six layers of tanh': {
    rule: 'badInitialization',
    make: async (seed) => ({
      model: digitModel(
        seed,
        [...stack(6, 64, { init: randomNormal({ deviation: 1e-3 }) }, tanh), dense(10)],
        sgd({ learningRate: 0.1 }),
      ),
      ...(await digits(seed)),
      options: { epochs: 4, batchSize: 64 },
    }),
  },
  'initial weights of 1 in six layers of relu': {
    rule: 'badInitialization',
    make: async (seed) => ({
      model: digitModel(
        seed,
        [...stack(6, 64, { init: randomNormal({ deviation: 1 }) }, relu), dense(10)],
        adam({ learningRate: 1e-3 }),
      ),
      ...(await digits(seed)),
      options: { epochs: 4, batchSize: 64 },
    }),
  },
  'relus with biases of -3': {
    rule: 'deadRelus',
    make: async (seed) => ({
      model: digitModel(seed, [...stack(3, 64, { biasInit: -3 }, relu), dense(10)], sgd({ learningRate: 0.1 })),
      ...(await digits(seed)),
      options: { epochs: 4, batchSize: 64 },
    }),
  },
  'relus killed by large steps': {
    rule: 'deadRelus',
    make: (seed) => ({
      model: spiralModel(seed, [...stack(2, 20, {}, relu), dense(3)], sgd({ learningRate: 2, momentum: 0.9 })),
      ...spirals(seed),
      options: { epochs: 60, batchSize: 50 },
    }),
  },
  'initial weights of 2 before tanh': {
    rule: 'saturatedUnits',
    make: async (seed) => ({
      model: digitModel(
        seed,
        [...stack(3, 64, { init: randomNormal({ deviation: 2 }) }, tanh), dense(10)],
        sgd({ learningRate: 0.05 }),
      ),
      ...(await digits(seed)),
      options: { epochs: 4, batchSize: 64 },
    }),
  },
  'twelve layers of sigmoid': {
    rule: 'gradients',
    make: async (seed) => ({
      model: digitModel(
        seed,
        [...stack(12, 32, { init: 'xavier' }, sigmoid), dense(10)],
        sgd({ learningRate: 0.1, momentum: 0.9 }),
      ),
      ...(await digits(seed)),
      options: { epochs: 4, batchSize: 64 },
    }),
  },
  'a multiplier of 1e-4 left in a group': {
    rule: 'slowLayer',
    make: async (seed) => ({
      model: digitModel(
        seed,
        twoHidden(),
        adam({ groups: [{ parameters: 'dense2.*', learningRateMultiplier: 1e-4 }] }),
      ),
      ...(await digits(seed)),
      options: { epochs: 6, batchSize: 64 },
    }),
  },
  'one nine among thirty fours': {
    rule: 'classCollapse',
    make: async (seed) => ({
      model: digitModel(seed, [dense(32), relu(), dense(10)], sgd({ learningRate: 0.01 })),
      ...(await digits(seed, {
        train: 1500,
        validation: 500,
        keep: (digit, i) => digit === 4 || (digit === 9 && i % 30 === 0),
      })),
      options: { epochs: 4, batchSize: 64 },
    }),
  },
  'the logarithm of a negative number': {
    rule: 'nonFinite',
    make: (seed) => {
      const { data, validation } = surface(seed)
      // Counts: an average of 2, none below 0.
      const count = ({ x, y }) => ({ x, y: y.map((value) => Math.max(0, Math.round(2 + 2 * value))) })
      const layers = [dense(30), tanh(), dense(1, { init: randomNormal({ deviation: 0.01 }), biasInit: 2 })]
      const model = sequential({ input: [2], seed }, layers).compile({
        loss: poisson,
        optimizer: adam({ learningRate: 0.02 }),
      })
      return { model, data: count(data), validation: count(validation), options: { epochs: 20, batchSize: 50 } }
    },
  },
  'strong dropout': {
    rule: 'validationEasier',
    make: async (seed) => ({
      model: digitModel(
        seed,
        [dense(64), relu(), dropout(0.7), dense(64), relu(), dropout(0.7), dense(10)],
        adam({ learningRate: 1e-3 }),
      ),
      ...(await digits(seed)),
      options: { epochs: 10, batchSize: 64 },
    }),
  },
  'validation with zeros and ones only': {
    rule: 'validationEasier',
    make: async (seed) => ({
      model: digitModel(seed, twoHidden(), adam({ learningRate: 3e-4 })),
      ...(await digits(seed, { keepValidation: (digit) => digit < 2, validation: 500 })),
      options: { epochs: 8, batchSize: 64 },
    }),
  },
  'digits sorted by class, the last fifth for validation': {
    rule: 'badSplit',
    make: async (seed) => {
      const { data } = await digits(seed, { train: 2500 })
      const order = [...data.y.keys()].sort((a, b) => data.y[a] - data.y[b])
      const x = new Uint8Array(data.x.length)
      for (const [i, row] of order.entries()) x.set(data.x.subarray(row * 784, (row + 1) * 784), i * 784)
      return {
        model: digitModel(seed, twoHidden(), adam()),
        data: { x, y: Int32Array.from(order, (row) => data.y[row]) },
        options: { epochs: 6, batchSize: 64, validationSplit: 0.2 },
      }
    },
  },
  'targets in dollars': {
    rule: 'unscaledTargets',
    make: (seed) => {
      const { data, validation } = surface(seed)
      const inDollars = ({ x, y }) => ({ x, y: y.map((value) => 2e5 + 1e5 * value) })
      return {
        model: surfaceModel(seed, [dense(40), relu(), dense(1)], adam({ learningRate: 0.01 })),
        data: inDollars(data),
        validation: inDollars(validation),
        options: { epochs: 30, batchSize: 32 },
      }
    },
  },
  'gradient descent at 1.9 / λ': {
    rule: 'nearStabilityLimit',
    sharpness: { every: 15, examples: 600 },
    make: (seed) => ({
      model: spiralModel(seed, [dense(30), tanh(), dense(3)], sgd({ learningRate: 1.5 })),
      ...spirals(seed),
      options: { epochs: 150, batchSize: 600 },
    }),
  },
}

/** The loss of counts, of a mean that nothing keeps above 0. */
const poisson = customLoss({
  name: 'poisson',
  forward: (mean, counts) => mean.map((value, i) => value - counts[i] * Math.log(value)),
  backward: (mean, counts) => mean.map((value, i) => 1 - counts[i] / value),
})
