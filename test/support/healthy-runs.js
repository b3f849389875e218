// Training runs as they should be: no finding may be severe.
import {
  adam,
  adamW,
  batchNorm,
  binaryCrossEntropy,
  cosine,
  dense,
  dropout,
  elu,
  exponentialDecay,
  huber,
  l2,
  layerNorm,
  lion,
  maxout,
  meanSquaredError,
  multiclassHinge,
  oneCycle,
  reduceOnPlateau,
  relu,
  rmsprop,
  sequential,
  sgd,
  sigmoid,
  softmaxCrossEntropy,
  stepDecay,
  tanh,
} from 'gradus'
import { digits, spirals, surface } from './run-data.js'

function compile(input, seed, layers, optimizer, loss = softmaxCrossEntropy(), metrics = ['accuracy']) {
  return sequential({ input: [input], seed }, layers).compile({ loss, optimizer, metrics })
}

const digitRun = (layers, optimizer, options, loss) => async (seed) => ({
  model: compile(784, seed, layers(), optimizer(), loss),
  ...(await digits(seed)),
  options: { epochs: 6, batchSize: 64, ...options },
})
const spiralRun = (layers, optimizer, options, loss) => (seed) => ({
  model: compile(2, seed, layers(), optimizer(), loss),
  ...spirals(seed),
  options: { epochs: 80, batchSize: 50, ...options },
})
const surfaceRun = (layers, optimizer, options, loss) => (seed) => ({
  model: compile(2, seed, layers(), optimizer(), loss, ['r2']),
  ...surface(seed),
  options: { epochs: 60, batchSize: 32, ...options },
})

const twoHidden = (options) => [dense(64, options), relu(), dense(64, options), relu(), dense(10)]

/** Each gives a model, data and options of `fit`, by a seed. */
export const healthyRuns = {
  'digits, Adam': { make: digitRun(twoHidden, () => adam(), { schedule: exponentialDecay({ rate: 0.1 }) }) },
  'digits, gradient descent with momentum and step decay': {
    make: digitRun(twoHidden, () => sgd({ learningRate: 0.05, momentum: 0.9 }), {
      schedule: stepDecay({ every: 2, factor: 0.5 }),
    }),
  },
  'digits, plain gradient descent': { make: digitRun(twoHidden, () => sgd({ learningRate: 0.1 })) },
  'digits, tanh, AdamW and cosine': {
    make: digitRun(
      () => [dense(64, { init: 'xavier' }), tanh(), dense(64, { init: 'xavier' }), tanh(), dense(10)],
      () => adamW({ learningRate: 2e-3, weightDecay: 0.01 }),
      { schedule: cosine({ length: 6 }) },
    ),
  },
  'digits, dropout and L2': {
    make: digitRun(
      () => [dense(128, { regularizer: l2(1e-4) }), relu(), dropout(0.3), dense(10)],
      () => adam({ learningRate: 2e-3 }),
      { epochs: 8 },
    ),
  },
  'digits, six layers with batch norm': {
    make: digitRun(
      () => [...Array.from({ length: 5 }, () => [dense(48, { bias: false }), batchNorm(), relu()]).flat(), dense(10)],
      () => adam({ learningRate: 3e-3 }),
      { schedule: cosine({ length: 6 }) },
    ),
  },
  'digits, six layers of relu': {
    make: digitRun(
      () => [...Array.from({ length: 5 }, () => [dense(64), relu()]).flat(), dense(10)],
      () => adam(),
    ),
  },
  'digits, a linear classifier': {
    make: digitRun(
      () => [dense(10)],
      () => sgd({ learningRate: 0.1 }),
    ),
  },
  'digits, RMSprop and layer norm': {
    make: digitRun(
      () => [dense(64), layerNorm(), elu(), dense(10)],
      () => rmsprop(),
    ),
  },
  'digits, hinge loss and Nesterov': {
    make: digitRun(twoHidden, () => sgd({ learningRate: 0.01, momentum: 0.9, nesterov: true }), {}, multiclassHinge()),
  },
  'digits, one epoch': { make: digitRun(twoHidden, () => adam(), { epochs: 1, batchSize: 32 }) },
  'digits, Lion in batches of 16': {
    make: digitRun(twoHidden, () => lion({ learningRate: 1e-4 }), { epochs: 3, batchSize: 16 }),
  },
  'spirals, Adam': {
    make: spiralRun(
      () => [dense(100, { regularizer: l2(1e-4) }), relu(), dense(3)],
      () => adam({ learningRate: 0.01 }),
    ),
  },
  'spirals, one cycle': {
    make: spiralRun(
      () => [dense(50), tanh(), dense(50), tanh(), dense(3)],
      () => adam(),
      { schedule: oneCycle({ length: 80 }) },
    ),
  },
  'spirals, maxout': {
    make: spiralRun(
      () => [dense(60), maxout(20), dense(3)],
      () => adam({ learningRate: 0.01 }),
    ),
  },
  'spirals, momentum': {
    make: spiralRun(
      () => [dense(100), relu(), dense(3)],
      () => sgd({ learningRate: 0.3, momentum: 0.9 }),
      {
        epochs: 150,
        schedule: reduceOnPlateau({ patience: 10 }),
      },
    ),
  },
  'spirals, sigmoid': {
    make: spiralRun(
      () => [dense(60, { init: 'xavier' }), sigmoid(), dense(3)],
      () => adam({ learningRate: 0.05 }),
      { epochs: 150 },
    ),
  },
  'surface, squared error': {
    make: surfaceRun(
      () => [dense(40), tanh(), dense(1)],
      () => adam({ learningRate: 0.01 }),
      {},
      meanSquaredError(),
    ),
  },
  'surface, Huber loss and momentum': {
    make: surfaceRun(
      () => [dense(40), relu(), dense(40), relu(), dense(1)],
      () => sgd({ learningRate: 0.05, momentum: 0.9 }),
      {},
      huber(),
    ),
  },
  'zero or one, binary cross-entropy': {
    make: async (seed) => {
      const { data, validation } = await digits(seed, {
        train: 1500,
        validation: 500,
        keep: (digit) => digit === 4 || digit === 9,
      })
      const asNumbers = ({ x, y }) => ({ x, y: Float32Array.from(y, (digit) => (digit === 9 ? 1 : 0)) })
      return {
        model: compile(784, seed, [dense(32), relu(), dense(1)], adam(), binaryCrossEntropy()),
        data: asNumbers(data),
        validation: asNumbers(validation),
        options: { epochs: 8, batchSize: 32 },
      }
    },
  },
}
