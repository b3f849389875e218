// Twelve setups, each sound and broken in one way: which check must fail, and how its message names the cause.
import {
  adam,
  batchNorm,
  binaryCrossEntropy,
  dense,
  dropout,
  huber,
  l2,
  layerNorm,
  leakyRelu,
  meanSquaredError,
  multiclassHinge,
  relu,
  sequential,
  sgd,
  softmaxCrossEntropy,
  tanh,
} from 'gradus'
import { numbers } from './reference.js'

const features = 8
const classes = 4
const rows = 600

/** Inputs of deviation about 0.6, and the class by which of four directions they point along most. */
export function clusters(seed, count = rows) {
  const x = Float32Array.from(numbers(count * features, seed))
  const y = Int32Array.from({ length: count }, (_, i) => {
    const row = x.subarray(i * features, (i + 1) * features)
    const scores = Array.from({ length: classes }, (_, c) => row[c] + 0.5 * row[(c + 4) % features])
    return scores.indexOf(Math.max(...scores))
  })
  return { x, y }
}
const smooth = (seed) => {
  const { x } = clusters(seed)
  const y = Float32Array.from({ length: rows }, (_, i) => Math.sin(3 * x[i * features]) + x[i * features + 1])
  return { x, y }
}
const yesNo = (seed) => {
  const { x } = clusters(seed)
  return { x, y: Float32Array.from({ length: rows }, (_, i) => (x[i * features] > x[i * features + 1] ? 1 : 0)) }
}

function build(layers, loss = softmaxCrossEntropy(), optimizer = adam()) {
  const model = sequential({ input: [features], seed: 5 }, layers)
  return model.compile({ loss, optimizer })
}
const network = (options = {}, loss, optimizer) =>
  build([dense(32, options), relu(), dense(16, options), relu(), dense(classes, options)], loss, optimizer)

/** The data with every number of one column changed. */
const changed = (data, column, change) => ({ ...data, [column]: data[column].map(change) })

export const setups = {
  'unscaled inputs': {
    check: 'dataScale',
    message: /not scaled: x lies between -?\d+ and \d+/,
    healthy: () => [network(), clusters(1)],
    broken: () => [network(), changed(clusters(1), 'x', (v) => Math.round(127.5 * (v + 1)))],
  },
  'labels off by one': {
    check: 'targets',
    message: /off by one/,
    healthy: () => [build([dense(24), batchNorm(), relu(), dropout(0.2), dense(classes)]), clusters(2)],
    broken: () => [network(), changed(clusters(2), 'y', (v) => v + 1)],
  },
  'initial weights a hundred times too large': {
    check: 'initialLoss',
    message: /weights too large\? dense1.weight deviates/,
    healthy: () => [network({ init: 'xavier' }), clusters(3)],
    broken() {
      const model = network()
      const weights = model.getWeights()
      for (const [name, { data }] of Object.entries(weights)) {
        if (name.endsWith('weight')) data.set(data.map((w) => 100 * w))
      }
      model.setWeights(weights)
      return [model, clusters(3)]
    },
  },
  'initial weights of zero': {
    check: 'gradients',
    message: /receive no gradient; dense1.weight, dense2.weight, dense3.weight are initialised to zero/,
    healthy: () => [build([dense(classes, { init: 'zeros' })]), clusters(4)], // nothing lies below it
    broken: () => [network({ init: 'zeros' }), clusters(4)],
  },
  'a learning rate of 0': {
    check: 'learningRate',
    message: /learning rate is 0/,
    healthy: () => [network({}, undefined, sgd({ learningRate: 0.1, momentum: 0.9 })), clusters(5)],
    broken: () => [network({}, undefined, sgd({ learningRate: 0 })), clusters(5)],
  },
  'a loss for another form of targets': {
    check: 'targets',
    message: /binaryCrossEntropy takes probabilities from 0 to 1, and y goes from 0 to 3/,
    healthy: () => [build([dense(16), tanh(), dense(1)], binaryCrossEntropy()), yesNo(6)],
    broken: () => [build([dense(16), tanh(), dense(1)], binaryCrossEntropy()), clusters(6)],
  },
  'shuffled labels': {
    check: 'shuffledLabels',
    message: /labels seem to be shuffled/,
    healthy: () => [network({ regularizer: l2(1e-3) }), clusters(7)],
    broken: () => [network(), { x: clusters(7).x, y: clusters(99).y }],
  },
  'a frozen layer': {
    check: 'gradients',
    message: /dense1.weight, dense1.bias are frozen/,
    healthy: () => [build([dense(16), layerNorm(), leakyRelu(), dense(classes)], multiclassHinge()), clusters(8)],
    broken: () => [build([dense(16, { trainable: false }), relu(), dense(classes)]), clusters(8)],
  },
  'relus dead from a bias of −10': {
    check: 'deadUnits',
    message: /32 of the 32 units of relu1 \(100 %\) are dead/,
    healthy: () => [network({ biasInit: 0.1 }), clusters(9)],
    broken: () => [build([dense(32, { biasInit: -10 }), relu(), dense(classes)]), clusters(9)],
  },
  'validation data that are in the training data': {
    check: 'validationOverlap',
    message: /40 of 100 validation examples \(40 %\) are in the training data too: row 60 is row 100 there/,
    healthy: () => [network(), clusters(10), { validation: clusters(11, 100) }],
    broken() {
      const validation = clusters(11, 100)
      const { x } = clusters(10)
      validation.x.set(x.subarray(100 * features, 140 * features), 60 * features)
      return [network(), clusters(10), { validation }]
    },
  },
  'a NaN in one row': {
    check: 'finiteData',
    message: /x has NaN in row 77$/,
    healthy: () => [build([dense(32), tanh(), dense(1)], meanSquaredError()), smooth(12)],
    broken: () => [network(), changed(clusters(12), 'x', (v, i) => (i === 77 * features + 3 ? Number.NaN : v))],
  },
  'a missing class': {
    check: 'classes',
    message: /no example of class 2/,
    healthy: () => [
      build([dense(32), tanh(), dense(1)], huber(), sgd({ learningRate: 0.05, momentum: 0.9 })),
      smooth(13),
    ],
    broken: () => [network(), changed(clusters(13), 'y', (v) => (v === 2 ? 1 : v))],
  },
}
