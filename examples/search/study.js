// A search on MNIST in three stages: a few epochs in wide ranges, then more where the best were (CS231n, "Hyperparameter
// optimization"). Run: npx gradus search examples/search/study.js --workers 2; then node examples/search/best.js
import { adam, cosine, dense, dropout, relu, sequential, sgd, softmaxCrossEntropy } from 'gradus'
import { choice, defineStudy, integer, logUniform, uniform } from 'gradus/search'
import { readPictures } from '../ensemble/data.js'

/** Read once a worker. */
const { train, validation } = await readPictures('mnist', Number(process.env.SHARE ?? 1))

const optimizers = {
  adam: ({ learningRate, beta1 }) => adam({ learningRate, beta1 }),
  nesterov: ({ learningRate, momentum }) => sgd({ learningRate, momentum, nesterov: true }),
}

function build({ learningRate, l2, hidden, rate, optimizer }, seed) {
  const layers = [dense(hidden, { regularizer: { l2 } }), relu(), dropout(rate), dense(10)]
  return sequential({ input: [784], seed }, layers).compile({
    loss: softmaxCrossEntropy(),
    optimizer: optimizers[optimizer.name]({ learningRate, ...optimizer }),
    metrics: ['accuracy'],
  })
}

export default defineStudy({
  metric: 'valAccuracy',
  direction: 'maximize',
  space: {
    learningRate: logUniform(1e-6, 10),
    l2: logUniform(1e-7, 1e-2),
    hidden: integer(32, 1024, { log: true }),
    rate: uniform(0, 0.7, { most: 0.95 }),
    optimizer: choice({ adam: { beta1: uniform(0.8, 0.99) }, nesterov: { momentum: uniform(0.5, 0.99) } }),
  },
  stages: [
    { trials: 60, epochs: 1 },
    { trials: 30, epochs: 4 },
    { trials: 8, epochs: 30 },
  ],
  trial: ({ params, seed, epochs, fit }) =>
    fit(build(params, seed), train, { validation, batchSize: 128, schedule: cosine({ length: epochs }) }),
})
