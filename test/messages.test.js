// A hundred mistakes and what Gradus says to them, to be read in one go. `network` is not compiled, `model` classifies three
// classes by four numbers, `binary` answers yes or no; x and y are four examples. Where a code stands before the sentence it is another
// than GRADUS_INVALID_ARGUMENT.

import * as gradus from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const { adam, binaryCrossEntropy, dense, relu, sequential, softmaxCrossEntropy } = gradus

const mistakes = String.raw`
# Options
> adam({ lr: 0.1 })
adam: there is no option "lr"; did you mean learningRate?
> adam(0.01)
adam: expected an options object, received 0.01; did you mean { learningRate: 0.01 }?
> adam({ learningRate: cosine({ length: 10 }) })
learningRate: expected a number of at least 0, received a function; fit takes a schedule, as its option schedule
> adam({ learningRate: '0.1' })
learningRate: expected a number of at least 0, received "0.1"
> adam({ learningRate: Number.NaN })
learningRate: expected a number of at least 0, received NaN
> adam({ weight_decay: 0.1 })
adam: there is no option "weight_decay"; did you mean weightDecay?
> adam({ learningRate: 0.01 }, { weightDecay: 0.1 })
adam: expected no more than 1 argument, received 2; options stand in one object: { learningRate, weightDecay }
> dense(3, { activation: 'relu' }, { bias: false })
dense: expected no more than 2 arguments, received 3; options stand in one object: { activation, bias }
> softmaxCrossEntropy({ fromLogits: true })
softmaxCrossEntropy: there is no option "fromLogits"; known are labelSmoothing, temperature
> l2(0.1, 0.2)
l2: expected no more than 1 argument, received 2
> adam({ betas: [0.9, 0.99] })
adam: there is no option "betas"; did you mean beta1?
> sgd({ momentum: 1.5 })
momentum: expected a number of at least 0 and less than 1, received 1.5
> sgd({ nesterov: true })
nesterov: expected a positive momentum with it, received 0
> dense(3, 'relu')
dense: expected an options object, received "relu"; did you mean { activation: "relu" }?
> dense(3, 8)
dense: expected an options object, received 8; dense(units, { … }) takes no more numbers
> dense({ units: 3 })
dense: units: expected a positive integer before the options, as in dense(10, { … }); received it among them
> dense(3, { activaton: 'relu' })
dense: there is no option "activaton"; did you mean activation?
> dense(3, { activation: 'swish' })
dense: activation: expected one of 'relu', 'leakyRelu', 'elu', 'gelu', 'silu', 'tanh', 'sigmoid', 'softplus', 'softmax', received "swish"; did you mean "silu"?
> dense(3, { kernel_initializer: 'he' })
dense: there is no option "kernel_initializer"; did you mean init?
> dense(3, { init: 'glorot_uniform' })
dense: init: expected 'he', 'xavier', 'lecun', 'zeros', 'ones', 'identity', a number, randomNormal(…) or randomUniform(…), received "glorot_uniform"; did you mean "xavier"?
> dense(3, { regularizer: 1e-4 })
dense: regularizer: expected a regularizer, such as l2(0.0001), received 0.0001
> dense(3, { regularizer: l2 })
dense: regularizer: expected a regularizer, such as l2(0.0001), received function l2
> dense(3.5)
dense: units: expected a positive integer, received 3.5
> dropout(50)
dropout: rate: expected a number of at least 0 and less than 1, received 50
> dropout({ rate: 0.5 })
dropout: rate: expected a number of at least 0 and less than 1, received an object with rate
> batchNorm({ momentum: 2 })
batchNorm: momentum: expected a number of at least 0 and less than 1, received 2
> embedding(1000)
embedding: dimension: expected a positive integer, received undefined
> l2('0.1')
strength: expected a number of at least 0, received "0.1"
> randomNormal({ stddev: 0.1 })
randomNormal: there is no option "stddev"; did you mean deviation?
> cosine(10)
cosine: expected an options object, received 10; did you mean { length: 10 }?
> cosine({ tMax: 10 })
cosine: there is no option "tMax"; did you mean length?
> stepDecay({ stepSize: 10, gamma: 0.1 })
stepDecay: there is no option "stepSize"; did you mean every?
> warmup({ length: 5 }).followedBy(0.1)
followedBy: expected a function, received 0.1
> reduceOnPlateau({ patience: 0 })
patience: expected a positive integer, received 0
> earlyStopping({ minDelta: 0.1 })
earlyStopping: there is no option "minDelta"; did you mean minimumDelta?
> earlyStopping({ patience: '5' })
patience: expected a positive integer, received "5"

# Building a model
> sequential([dense(10)])
sequential: expected options before the layers, as in sequential({ input: [784] }, [dense(10)])
> sequential({ inputShape: [4] }, [dense(10)])
sequential: there is no option "inputShape"; did you mean input?
> sequential({ input: 4 }, [dense(3), relu])
layers[1]: expected a layer, received function relu; did you mean relu()?
> sequential({ input: 4 }, dense(3))
layers: expected an array of layers, received function dense
> sequential({ input: 4 }, [dense(3), 'relu'])
layers[1]: expected a layer, received "relu"
> sequential({ input: 4 }, [])
layers: expected at least one layer, received an array of length 0
> sequential({ input: 4 }, [dense(3, { name: 'a' }), dense(3, { name: 'a' })])
name: two layers are called "a"
> sequential({ input: [10] }, [embedding(100, 8), maxPool2d(2)])
GRADUS_SHAPE_MISMATCH maxPool2d1: expected height, width and channels, received an input of shape [10, 8]; put reshape([10, 8, 1]) before it
> graph({ inputs: [input([4])], outputs: dense(3)(input([4])) })
graph: there is no option "outputs"; did you mean output?
> graph({ inputs: [input(4)], output: dense(3)(input(4)) })
inputs: the output also depends on an input of shape [4]; add it
> add(input([4]), input([5]))
GRADUS_SHAPE_MISMATCH add: expected equal shapes, all as the first, [4], received an input of shape [5]

# Compiling
> network.compile({ loss: 'mse', optimizer: adam() })
loss: expected a loss such as softmaxCrossEntropy(), received "mse"; did you mean meanSquaredError()?
> network.compile({ loss: softmaxCrossEntropy, optimizer: adam() })
loss: expected a loss such as softmaxCrossEntropy(), received function softmaxCrossEntropy; did you mean softmaxCrossEntropy()?
> network.compile({ loss: softmaxCrossEntropy(), optimizer: 'adam' })
optimizer: expected an optimizer such as adam(), received "adam"; did you mean adam()?
> network.compile({ loss: softmaxCrossEntropy(), optimizer: adam })
optimizer: expected an optimizer such as adam(), received function adam; did you mean adam()?
> network.compile({ optimizer: adam() })
loss: expected a loss such as softmaxCrossEntropy(), received undefined
> model.compile({ optimizer: adam() })
loss: expected a loss such as softmaxCrossEntropy(), received undefined; compile says everything anew: loss, optimizer and metrics
> model.compile({ loss: softmaxCrossEntropy() })
optimizer: expected an optimizer such as adam(), received undefined; compile says everything anew: loss, optimizer and metrics
> model.optimizer.learningRate = 0.1
learningRate: cannot be changed in place; compile() with another optimizer takes another rate, and fit's option schedule changes it while it trains
> adam().learningRate = 0.1
learningRate: cannot be changed in place; compile() with another optimizer takes another rate, and fit's option schedule changes it while it trains
> model.optimizer = adam()
optimizer: cannot be changed in place; compile({ loss, optimizer, metrics }) says it
> model.loss = meanSquaredError()
loss: cannot be changed in place; compile({ loss, optimizer, metrics }) says it
> model.metrics = ['accuracy']
metrics: cannot be changed in place; compile({ loss, optimizer, metrics }) says it
> model.layer('dense1').trainable = false
trainable: cannot be changed in place; say it where the layer is made; model.freeze('dense1') keeps the weights of a layer
> model.trainable = false
trainable: cannot be changed in place; freeze() keeps weights as they are
> network.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['acc'] })
metrics[0]: there is no metric "acc"; did you mean "accuracy"?
> network.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: 'accuracy' })
metrics: expected an array, received "accuracy"
> network.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: [topKAccuracy(5)] })
metrics[0]: expected a k of at most 3, the number of outputs, received 5
> network.compile({ loss: meanSquaredError(), optimizer: adam(), metrics: ['accuracy'] })
metrics[0]: accuracy is for scores of classes and yes-or-no answers, and the outputs of meanSquaredError are plain numbers; what fits: 'r2', 'meanAbsoluteError', 'meanSquaredError', 'rootMeanSquaredError'
> network.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['r2'] })
metrics[0]: r2 is for plain numbers, and the outputs of softmaxCrossEntropy are scores of classes; what fits: 'accuracy', 'balancedAccuracy', 'precision', 'recall', 'f1', 'specificity', 'logLoss', 'confusionMatrix'
> network.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), learningRate: 0.1 })
compile: there is no option "learningRate", which sgd, adagrad, rmsprop or another takes; known are device, loss, metrics, optimizer
> sequential({ input: 4 }, [dense(3), softmax()]).compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
loss: softmaxCrossEntropy expects plain scores, received those of softmax; take softmax away from the model's end; the loss does it
> sequential({ input: 4 }, [dense(1, { activation: 'sigmoid' })]).compile({ loss: binaryCrossEntropy(), optimizer: adam() })
loss: binaryCrossEntropy expects plain scores, received those of sigmoid; take sigmoid away from the model's end; the loss does it
> sequential({ input: 4 }, [dense(1)]).compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
GRADUS_SHAPE_MISMATCH loss: softmaxCrossEntropy expects two scores or more, received the output shape [1]
> sequential({ input: [28, 28] }, [dense(10)]).compile({ loss: softmaxCrossEntropy(), optimizer: adam() })
GRADUS_SHAPE_MISMATCH loss: softmaxCrossEntropy expects two scores or more, received the output shape [28, 10]; put flatten() before it
> network.compile({ loss: softmaxCrossEntropy(), optimizer: adam({ groups: [{ parameters: '*.kernel', weightDecay: 0 }] }) })
groups[0].parameters: "*.kernel" names none of dense1.weight, dense1.bias

# Fitting
> network.fit({ x, y })
GRADUS_NOT_COMPILED fit: call compile({ loss, optimizer }) first
> model.fit({ x, y }, { quiet: true }).loss.at(-1)
loss: expected a history, received a run: await it, as in const history = await model.fit(…)
> model.fit(x, y, { epochs: 3 })
fit: expected the data as { x, y } and then the options, received an array of length 4 and an Int32Array of length 4; write fit({ x, y }, { … })
> model.fit(x, y)
fit: expected the data as { x, y } and then the options, received an array of length 4 and an Int32Array of length 4; write fit({ x, y }, { … })
> model.fit(x)
data: expected examples as { x, y }, received an array of length 4
> model.fit({ x })
y: expected the targets, received undefined
> model.fit({ x, labels: y })
y: expected the targets, received undefined
> model.fit({ x: [[1, 2, 3], [4, 5, 6]], y: [0, 1] })
x[0]: expected 4 numbers, received 3
> model.fit({ x: [[1, 2, 3, 4], [5, 6, 7]], y: [0, 1] })
x[1]: expected 4 numbers, received 3
> model.fit({ x: y, y: x })
y: expected 1 class number or 3 numbers an example, received 4; were x and y mixed up?
> model.fit({ x: [1, 2, 3, 4], y: [0] })
x: expected an array of 4 numbers for each example (a single one is [[1,2,3,4]]), received an array of length 4
> model.fit({ x: [[1, 2, Number.NaN, 4], [5, 6, 7, 8]], y: [0, 1] })
GRADUS_INVALID_DATA x, row 0, column 2: expected a finite float32 number, received NaN
> model.fit({ x: [[1, 2, '3', 4], [5, 6, 7, 8]], y: [0, 1] })
x[0]: expected numbers (names of classes stand in y, one an example; readCsv reads files), received "3"
> model.fit({ x, y: [0, 1] })
y: expected 4 rows, as many as the first input has, received 2
> model.fit({ x, y: [1, 2, 3, 3] })
GRADUS_INVALID_DATA y, row 2: expected a class number from 0 to 2, received 3; the labels begin at 1: subtract 1
> model.fit({ x, y: [0, 1, -1, 2] })
GRADUS_INVALID_DATA y, row 2: expected a class number from 0 to 2, received -1
> model.fit({ x, y: [0, 0.5, 1, 2] })
GRADUS_INVALID_DATA y, row 1: expected a class number from 0 to 2, received 0.5
> model.fit({ x, y: [[1, 0, 0], [0, 50, 50], [0, 0, 100], [100, 0, 0]] })
GRADUS_INVALID_DATA y, row 1: expected the probabilities of the classes, from 0 to 1 and 1 in all, received 100 in all; percent: divide by 100
> binary.fit({ x, y: [1, 2, 2, 1] })
GRADUS_INVALID_DATA y, row 1: expected 0 for no, 1 for yes or a probability between them, received 2; the labels begin at 1: subtract 1
> model.fit({ x, y }, { epoch: 3 })
fit: there is no option "epoch"; did you mean epochs?
> model.fit({ x, y }, { batch_size: 32 })
fit: there is no option "batch_size"; did you mean batchSize?
> model.fit({ x, y }, { validation_data: { x, y } })
fit: there is no option "validation_data"; did you mean validation?
> model.fit({ x, y }, { validation: [x, y] })
validation: expected examples as { x, y }, received an array of length 2
> model.fit({ x, y }, { validation: { x: [[1, 2, 3]], y: [0] } })
validation.x[0]: expected 4 numbers, received 3
> model.fit({ x, y }, { validation: () => [] })
validation: expected at least one example, received none
> model.fit({ x, y }, { validation: { x, y, sampleWeights: [0, 0, 0, 0] } })
GRADUS_INVALID_DATA validation.sampleWeights: expected some above 0 (with the class weights), received weights that sum to 0
> model.fit({ x, y }, { validationSplit: 20 })
validationSplit: expected a number between 0 and 1, received 20
> model.fit({ x, y }, { epochs: 0 })
epochs: expected a positive integer, received 0
> model.fit({ x, y }, { batchSize: '32' })
batchSize: expected a positive integer, received "32"
> model.fit({ x, y }, { verbose: 0 })
fit: there is no option "verbose"; did you mean quiet?
> model.fit({ x, y }, { shuffle: 'batch' })
shuffle: expected true or false, received "batch"
> model.fit({ x, y }, { schedule: 0.1 })
schedule: expected a function, received 0.1
> model.fit({ x, y }, { schedule: cosine })
schedule: expected a schedule, received function cosine; did you mean cosine({ … })?
> model.fit({ x, y }, { learningRate: 0.1 })
fit: there is no option "learningRate", which sgd, adagrad, rmsprop or another takes; known are accumulate, augment, batchSize, callbacks, classWeights, clipNorm, clipValue, dir, epochs, initialEpoch, maxRefusedSteps, maxSeconds, momentumSchedule, name, quiet, resume, sanityCheck, schedule, shuffle, signal, stepsPerCall, threads, validateAverage, validation, validationSplit, weightDecaySchedule
> model.fit({ x, y }, { callbacks: earlyStopping() })
callbacks: expected an array, received an object with name, monitor, best, …
> model.fit({ x, y }, { callbacks: [earlyStopping] })
callbacks[0]: received the function earlyStopping; did you mean earlyStopping()?
> model.fit({ x, y }, { callbacks: [checkpoint] })
callbacks[0]: received the function checkpoint; did you mean checkpoint()?
> checkpoint({ every: 5 })
every: expected 'epoch', { epochs }, { steps } or { minutes }, received 5
> checkpoint({ every: { steps: 0 } })
every.steps: expected a positive integer, received 0
> checkpoint({ keep: -1 })
keep: expected a positive integer or 'all', received -1
> model.fit({ x, y }, { callbacks: [checkpoint({ monitor: 'val_loss' })] })
callbacks[0].monitor: there is no column "val_loss"; the columns are loss, accuracy, regularizationLoss, learningRate, updateRatio, gradientNorm, refusedSteps, seconds, samplesPerSecond
> model.fit({ x, y }, { resume: true })
resume: expected dir beside it, the run's directory, received true
> model.fit({ x, y }, { resume: 3, dir: 'runs/a' })
resume: expected true, 'must' or the path of a checkpoint, received 3
> model.fit({ x, y }, { callbacks: [reduceOnPlateau()] })
callbacks[0]: expected a callback, received a schedule; give it to fit as schedule: { schedule: … }
> model.fit({ x, y }, { callbacks: [{ onBatchEnd() {} }] })
callbacks[0]: there is no event "onBatchEnd"; onStepsEnd tells of steps
> model.fit({ x, y }, { callbacks: [earlyStopping({ monitor: 'val_loss' })] })
callbacks[0].monitor: there is no column "val_loss"; the columns are loss, accuracy, regularizationLoss, learningRate, updateRatio, gradientNorm, refusedSteps, seconds, samplesPerSecond
> model.fit({ x, y }, { classWeights: new Map([[0, 1]]) })
classWeights: expected 'balanced', an array with a weight for each class, or a record such as { 2: 10 } or { cat: 10 }, received a Map object; Object.fromEntries(map) makes a record of it
> model.fit({ x, y }, { classWeights: 'balance' })
classWeights: expected 'balanced', an array with a weight for each class, or a record such as { 2: 10 } or { cat: 10 }, received "balance"; did you mean "balanced"?
> model.fit({ x, y }, { classWeights: { 7: 1 } })
classWeights: expected class numbers from 0 to 2, received 7
> model.fit({ x, y }, { signal: new AbortController() })
signal: expected an AbortSignal, received an AbortController object
> model.fit({ x, y }, { clipnorm: -1 })
fit: there is no option "clipnorm"; did you mean clipNorm?
> model.fit({ x, y }, { sanityCheck: 'yes' })
sanityCheck: expected true or false, received "yes"
> model.fit({ x: [], y: [] })
data: expected at least one example, received none

# After training
> model.predict()
x: expected one column of numbers, received undefined
> model.predict([[1, 2, 3]])
x[0]: expected 4 numbers, received 3
> model.predict([['a', 'b', 'c', 'd']])
x[0]: expected numbers (names of classes stand in y, one an example; readCsv reads files), received "a"
> model.predict(x, { batch_size: 3 })
predict: there is no option "batch_size"; did you mean batchSize?
> model.predictProbabilities(null)
x: expected one column of numbers, received null
> model.evaluate(x, y)
evaluate: expected the data as { x, y } and then the options, received an array of length 4 and an Int32Array of length 4; write evaluate({ x, y }, { … })
> model.fit({ x, y: [true, 'no', 1, 0] })
y[1]: expected numbers (names of classes stand in y, one an example; readCsv reads files), received "no"
> model.fit({ x, y: [{ name: 'cat' }, { name: 'dog' }, { name: 'cat' }, { name: 'dog' }] })
y[0]: expected numbers, received an object with name
> model.evaluate(class Images {})
data: expected an iterable of { x, y } or a function that gives one, received the class Images
> network.evaluate({ x, y })
GRADUS_NOT_COMPILED evaluate: call compile({ loss, optimizer }) first
> model.setWeights({ 'dense1.weight': [1, 2, 3] })
weights["dense1.weight"].data: expected a Float32Array or Float64Array, received undefined
> model.setWeights({ 'dense1.kernel': { shape: [4, 3], data: new Float32Array(12) } })
weights: the model has no "dense1.kernel"
> model.getWeights({ averaged: true })
getWeights: there is no option "averaged"; did you mean average?
> model.save()
file: expected a path or a file URL, received undefined
> model.save('model.h5')
file: expected a name such as "model.safetensors", received "model.h5"; a safetensors file is written, which no reader of .h5 files takes
> model.save('out/model.v2.ONNX')
file: expected a name such as "model.v2.safetensors", received "out/model.v2.ONNX"; a safetensors file is written, which no reader of .onnx files takes
> model.save('no/such/folder/model.safetensors')
GRADUS_BAD_FILE no/such/folder/model.safetensors: there is no folder no/such/folder
> loadModel('no-such-model.safetensors')
GRADUS_BAD_FILE no-such-model.safetensors: no such file
> loadModel('package.json')
GRADUS_BAD_FILE package.json: not a safetensors file: its header does not begin with "{"
> loadModel(3)
file: expected a path, a file URL or the bytes of a file, received 3

# Data
> split({ x, y }, { test_size: 0.2 })
split: there is no option "test_size"; did you mean fraction?
> split({ x, y }, { fraction: 20 })
fraction: expected a number between 0 and 1, received 20
> split({ x: x.slice(0, 1), y: y.slice(0, 1) }, { fraction: 0.1 })
fraction: expected at least one row on each side, received 0.1 of 1 rows
> standardize('x')
x: expected a typed array, nested arrays of numbers or { data, shape }, received "x"
> standardization({ means: [1] })
statistics: expected { mean, deviation }, arrays of as many finite means as positive deviations, received an object with means
> oneHot([0, 1, 3], 3)
GRADUS_INVALID_DATA labels, row 2: expected a class number from 0 to 2, received 3
> readCsv('no-such.csv')
GRADUS_BAD_FILE no-such.csv: no such file
> readCsv('a,b\n1,2', { target: 'b' })
file: expected a path or bytes, received text; write readCsv(Buffer.from(text))
> readCsv(Buffer.from('5.1,3.5,setosa\n4.9,3.0,setosa'), { target: 2 })
GRADUS_BAD_FILE the buffer: line 1: its names are numbers; say header: false where no line of names comes first, else header: true
> readCsv(Buffer.from('a;b\n1;2'), { target: 'b' })
target: expected a column of the buffer (a;b), received "b"; delimiter: ";" if that is what stands between the cells
> readIdx('package.json')
GRADUS_BAD_FILE package.json: not an IDX file: the first two bytes must be zero
> readNpy(new Uint8Array(8))
GRADUS_BAD_FILE the buffer: not a readable .npy file: its first bytes are others

# Checks
> gradientCheck(network, { x, y })
GRADUS_NOT_COMPILED model: call compile({ loss, optimizer }) first
> gradientCheck(model, { x, y }, { samples: 10 })
gradientCheck: there is no option "samples"; did you mean samplesPerParameter?
> sanityCheck(model)
data: expected examples as { x, y }, received undefined
> sanityCheck(model, { x, y }, { skip: ['gradient'] })
skip[0]: expected one of finiteData, dataScale, targets, targetScale, classes, validationOverlap, initialLoss, zeroedInputs, regularization, gradients, deadUnits, activationSpread, learningRate, overfit, shuffledLabels, received "gradient"; did you mean "gradients"?
> findLearningRate(model, { x, y }, { from: 1, to: 0.1 })
to: expected a rate over from, which is 1, received 0.1
> minimize(3, Float64Array.of(1))
f: expected a function, received 3
> minimize((x) => x, [1])
x0: expected a Float64Array, received an array of length 1
> sharpness(model, { x, y }, { iterations: 3 })
sharpness: there is no option "iterations"; did you mean maxIterations?`

function makeWorld() {
  const network = sequential({ input: 4, seed: 1 }, [dense(3)])
  const model = sequential({ input: 4, seed: 1 }, [dense(8), relu(), dense(3)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), metrics: ['accuracy'] })
  const binary = sequential({ input: 4, seed: 1 }, [dense(1)])
  binary.compile({ loss: binaryCrossEntropy(), optimizer: adam() })
  // biome-ignore format: a table
  const x = [[1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 6], [4, 5, 6, 8]]
  return { ...gradus, network, model, binary, x, y: Int32Array.of(0, 1, 2, 0) }
}

/** The error that code ends in, in whatever way it does. */
async function errorOf(code) {
  const world = makeWorld()
  try {
    const result = new Function(...Object.keys(world), `return ${code}`)(...Object.values(world))
    await result
  } catch (error) {
    return error
  }
  return assert.unreachable(`nobody objects to ${code}`)
}

const test = suite('messages')
const blocks = mistakes.split('\n\n').flatMap((section) => {
  const lines = section
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
  return lines.flatMap((line, i) => (line.startsWith('> ') ? [[line.slice(2), lines[i + 1]]] : []))
})

test('there are a hundred of them', () => assert.ok(blocks.length >= 100, String(blocks.length)))

for (const [code, message] of blocks) {
  test(code, async () => {
    const error = await errorOf(code)
    assert.instance(error, gradus.GradusError, error.stack)
    const said = error.code === 'GRADUS_INVALID_ARGUMENT' ? error.message : `${error.code} ${error.message}`
    assert.is(said, message)
  })
}

test.run()
