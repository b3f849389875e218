// Small models that between them have each op, loss and metric, and most optimizers, as plain data.
import {
  adam,
  add,
  averagedWeights,
  averagePool2d,
  batchNorm,
  binaryCrossEntropy,
  concat,
  conv2d,
  conv2dTranspose,
  cropping2d,
  customLayer,
  customLoss,
  customOptimizer,
  customRegularizer,
  dense,
  dropout,
  embedding,
  flatten,
  graph,
  groupNorm,
  huber,
  input,
  l2,
  layerNorm,
  lion,
  maxout,
  maxPool2d,
  meanSquaredError,
  multiclassHinge,
  muon,
  nadam,
  oneVsAllHinge,
  relu,
  reshape,
  rmsprop,
  sequential,
  sgd,
  sigmoid,
  softmax,
  softmaxCrossEntropy,
  spatialDropout,
  tanh,
  topKAccuracy,
  upsample2d,
  zeroPadding2d,
} from 'gradus'

const never = () => {
  throw new Error('the fuzz answers in its place')
}

function branches() {
  const x = input([4])
  const left = tanh()(dense(4)(x))
  return graph({ inputs: [x], output: dense(3)(concat(add(left, x), relu()(x))), seed: 2, dtype: 'float64' })
}

const words = () => sequential({ input: [3], seed: 3 }, [embedding(7, 2), flatten(), dense(3)])
const compile = (model, loss, optimizer, metrics = []) => model.compile({ loss, optimizer, metrics })
const real = (layers, size = 4, dtype = 'float32') => sequential({ input: [size], seed: 1, dtype }, layers)
const custom = customLayer({
  name: 'own',
  parameters: () => ({ gain: { shape: [2], init: 'ones' } }),
  forward: never,
  backward: never,
})
const ownLoss = customLoss({ name: 'ownLoss', forward: never, backward: never })
const ownOptimizer = customOptimizer({ name: 'own', slots: ['memory'], update: never })
const ownRegularizer = customRegularizer({ loss: never, gradient: never })

const models = [
  compile(real([dense(5, { regularizer: l2(0.1) }), relu(), dropout(0.5), dense(3)]), softmaxCrossEntropy(), adam(), [
    'accuracy',
    'confusionMatrix',
    topKAccuracy(2),
  ]),
  compile(branches(), multiclassHinge(), sgd({ momentum: 0.9, average: averagedWeights({ decay: 0.9 }) }), [
    'accuracy',
  ]),
  compile(words(), oneVsAllHinge(), rmsprop({ momentum: 0.5 }), ['accuracy']),
  compile(real([dense(6), batchNorm(), sigmoid(), layerNorm(), dense(2)]), meanSquaredError(), nadam(), ['r2']),
  compile(
    real([reshape([2, 2, 1]), conv2d(4, 2, { padding: 1, stride: 2, groups: 1 }), flatten(), dense(2)]),
    huber(),
    adam(),
  ),
  compile(
    real([
      ...[reshape([2, 2, 1]), conv2dTranspose(4, 2), groupNorm(2), spatialDropout(0.2), maxPool2d(2), zeroPadding2d(1)],
      ...[upsample2d(2, { interpolation: 'bilinear' }), averagePool2d(2), cropping2d(1), batchNorm({ gain: false })],
      ...[flatten(), dense(2)],
    ]),
    meanSquaredError(),
    sgd(),
  ),
  compile(real([maxout(2), reshape([2]), dense(1)]), binaryCrossEntropy(), lion(), ['confusionMatrix']),
  compile(real([dense(4), softmax()], 4, 'float64'), huber(), muon(), ['meanAbsoluteError', 'r2']),
  compile(real([dense(3), custom, dense(2, { regularizer: ownRegularizer })]), ownLoss, ownOptimizer),
]

/** { descriptor, inputs, target }: the columns are what a dataset for it has. */
export const bases = models.map(({ descriptor, outputShape }) => ({
  descriptor,
  ...columnsFor(descriptor, outputShape),
}))

export function columnsFor(descriptor, outputShape) {
  const inputs = descriptor.inputs.map(({ name, shape, kind }) => ({
    name,
    shape,
    type: kind === 'index' ? 'int32' : descriptor.dtype,
  }))
  const isLabelled = ['softmax_cross_entropy', 'multiclass_hinge', 'one_vs_all_hinge'].includes(descriptor.loss?.kind)
  const target = isLabelled
    ? { name: 'y', type: 'int32', shape: [] }
    : { name: 'y', type: descriptor.dtype, shape: outputShape }
  return { inputs, target }
}

/** Answers for all that is custom, with numbers of the right type and length. */
export function hostFor({ dtype }) {
  const Float = dtype === 'float64' ? Float64Array : Float32Array
  const output = (length) => (length === null ? null : new Float(length).fill(0.1))
  return (_kind, _number, _info, _inputs, wanted) => ({ outputs: wanted.map(output), fingerprint: 0 })
}
