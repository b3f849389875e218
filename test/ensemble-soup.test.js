// Means of weights: of one run's late checkpoints, held against plain float64, and refused where they are worse than their parts.
import {
  accuracy,
  batchNorm,
  dense,
  ensemble,
  loadModel,
  recomputeStatistics,
  relu,
  sequential,
  sgd,
  softmaxCrossEntropy,
  soup,
  tanh,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const test = suite('ensemble soup')

const features = 6
/** Of three directions the one that a row points along most, but for noise. */
const examples = (seed, count) => {
  const x = Array.from({ length: count }, (_, row) => [...numbers(features, 10_000 * seed + row)])
  const scores = ([a, b, c, d, e, f]) =>
    [a + 0.5 * b, c * Math.abs(d) + d, 1.2 * e * f + e].map((v, k) => v + 0.4 * Math.sin(1e3 * (a + k)))
  return { x, y: x.map((row) => scores(row).indexOf(Math.max(...scores(row)))) }
}
const [training, held] = [examples(1, 1500), examples(2, 1000)]
const options = {
  loss: softmaxCrossEntropy(),
  optimizer: sgd({ learningRate: 1 }),
  metrics: [accuracy(), 'confusionMatrix'],
}
const make = (seed, { dtype = 'float32', norm = false } = {}) =>
  sequential({ input: [features], seed, dtype }, [dense(24), ...(norm ? [batchNorm()] : []), relu(), dense(3)]).compile(
    options,
  )

/** The model after each of the last epochs of a run whose learning rate stays high. */
async function lateModels(model, count, epochs = 8) {
  const late = []
  const keep = async ({ epoch, model }) => {
    if (epoch > epochs - count) late.push(await model.toBuffer())
  }
  await model.fit(training, { epochs, batchSize: 8, callbacks: [keep] })
  return Promise.all(late.map((bytes) => loadModel(bytes)))
}
const lossOf = async (model, data = held) => (await model.evaluate(data)).loss

/** By name the means, summed in float64. */
function plainMeans(models) {
  const all = models.map((model) => model.getWeights())
  return Object.fromEntries(
    Object.entries(all[0]).map(([name, { data }]) => [
      name,
      Array.from(data, (_, i) => all.reduce((sum, weights) => sum + weights[name].data[i], 0) / all.length),
    ]),
  )
}
const weightsOf = (model) =>
  Object.fromEntries(Object.entries(model.getWeights()).map(([name, { data }]) => [name, [...data]]))

for (const dtype of ['float32', 'float64']) {
  test(`the weights of a uniform soup are the means of its parts, in ${dtype}, and it is better than each`, async () => {
    const late = await lateModels(make(1, { dtype }), 4)
    const mixed = await soup(late, held, { kind: 'uniform' })
    const round = dtype === 'float32' ? Math.fround : (value) => value
    const expected = plainMeans(late)
    for (const name of Object.keys(expected)) expected[name] = expected[name].map(round)
    assert.equal(weightsOf(mixed), expected)
    const losses = await Promise.all(late.map((model) => lossOf(model)))
    assert.ok((await lossOf(mixed)) < Math.min(...losses))
    // A model like any other, of its own.
    for (const model of late) model.dispose()
    assert.is(await lossOf(await loadModel(await mixed.toBuffer())), await lossOf(mixed))
    await mixed.fit(training, { epochs: 1 })
  })
}

/** Wortsman's recipe in words of its own. */
async function plainGreedy(models) {
  const tried = make(1)
  const lossOfMean = async (parts) => {
    const means = plainMeans(parts.map((part) => models[part]))
    const weights = models[0].getWeights()
    for (const name of Object.keys(means)) weights[name].data.set(means[name])
    tried.setWeights(weights)
    return { loss: await lossOf(tried), weights: weightsOf(tried) }
  }
  const alone = await Promise.all(models.map((model) => lossOf(model)))
  const order = models.map((_, part) => part).sort((a, b) => alone[a] - alone[b])
  let parts = [order[0]]
  let best = await lossOfMean(parts)
  for (const part of order.slice(1)) {
    const next = await lossOfMean([...parts, part].sort((a, b) => a - b))
    if (next.loss <= best.loss) [parts, best] = [[...parts, part].sort((a, b) => a - b), next]
  }
  return { parts, ...best }
}

test('a greedy soup has the parts of a plain one, and leaves out what makes it worse', async () => {
  const late = await lateModels(make(1), 7)
  const spoilt = make(5)
  const models = [late[0], spoilt, ...late.slice(1)]
  const expected = await plainGreedy(models)
  const mixed = await soup(models, held)
  assert.equal(weightsOf(mixed), expected.weights)
  assert.is(await lossOf(mixed), expected.loss)
  assert.ok(expected.parts.length > 1 && expected.parts.length < models.length, String(expected.parts))
  assert.not(expected.parts.includes(1))
})

async function refusal(act) {
  try {
    await act()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'nothing was thrown'
}
const short = (value) => String(Number(value.toPrecision(4)))

test('a soup of two seeds is refused with the numbers of the mean and of its best part; their ensemble is not', async () => {
  const two = [make(1), make(2)]
  for (const model of two) await model.fit(training, { epochs: 8, batchSize: 8 })
  const losses = await Promise.all(two.map((model) => lossOf(model)))
  const [best, other] = losses[0] <= losses[1] ? [0, 1] : [1, 0]
  const mean = make(1)
  const weights = mean.getWeights()
  for (const [name, data] of Object.entries(plainMeans(two))) weights[name].data.set(data)
  mean.setWeights(weights)
  const meanLoss = await lossOf(mean)
  assert.ok(meanLoss > losses[best])
  const uniform = await refusal(() => soup(two, held, { kind: 'uniform' }))
  assert.ok(
    uniform.startsWith(
      `GRADUS_WORSE_SOUP soup: the mean of the weights of 2 members has loss ${short(meanLoss)} on the data, and its best part, members[${best}], ${short(losses[best])};`,
    ),
    uniform,
  )
  const greedy = await refusal(() => soup(two, held))
  assert.ok(
    greedy.startsWith(
      `GRADUS_WORSE_SOUP soup: members[${best}] alone has loss ${short(losses[best])} on the data, and its mean with members[${other}], the best there is, ${short(meanLoss)};`,
    ),
    greedy,
  )
  assert.match(
    await refusal(() => soup(two, held, { metric: 'accuracy', kind: 'uniform' })),
    /WORSE_SOUP soup: .* has accuracy 0\./,
  )
  assert.ok((await ensemble(two).evaluate(held)).loss < losses[best])
})

test('batch norm has its statistics made anew over the training data', async () => {
  const slow = { ...options, optimizer: sgd({ learningRate: 0.1 }) }
  const late = await lateModels(make(1, { norm: true }).compile(slow), 4)
  const data = { x: training.x }
  const mixed = await soup(late, held, { kind: 'uniform', statistics: data, batchSize: 64 })
  const plain = make(1, { norm: true })
  const weights = plain.getWeights()
  for (const [name, means] of Object.entries(plainMeans(late))) weights[name].data.set(means)
  plain.setWeights(weights)
  const before = weightsOf(plain)
  Object.assign(plain.conventions, late[0].conventions)
  await recomputeStatistics(plain, data, { batchSize: 64 })
  assert.equal(weightsOf(mixed), weightsOf(plain))
  assert.not.equal(weightsOf(mixed), before)
  assert.match(
    await refusal(() => soup(late, held)),
    /INVALID_ARGUMENT statistics: expected the data that the members were trained on, over which batchNorm1\.\w+ is made anew/,
  )
})

test('one member is its own soup', async () => {
  for (const kind of ['uniform', 'greedy']) {
    const [one] = await lateModels(make(3), 1, 2)
    const mixed = await soup([one], held, { kind })
    assert.equal(weightsOf(mixed), weightsOf(one))
    assert.is.not(mixed, one)
  }
})

test('what makes no soup: one error each', async () => {
  const one = make(1)
  const of = (members, options, data = held) => refusal(() => soup(members, data, options))
  const other = (...layers) => sequential({ input: [features], seed: 1 }, layers).compile(options)
  assert.match(await of([]), /INVALID_ARGUMENT members: expected a list of one model or more/)
  assert.match(await of([one, one]), /INVALID_ARGUMENT members\[1\]: expected each model once/)
  assert.match(
    await of([one, other(dense(8), relu(), dense(3))]),
    /SHAPE_MISMATCH members\[1\]: expected the network of members\[0\], .*received one with dense1\.weight of \[6, 8\]/,
  )
  assert.match(await of([one, other(dense(3))]), /SHAPE_MISMATCH members\[1\]: .*dense1\.weight of \[6, 3\]/)
  assert.match(
    await of([one, other(dense(24), tanh(), dense(3))]),
    /INVALID_ARGUMENT members\[1\]: expected the network of members\[0\], received one with other layers/,
  )
  assert.match(await of([one], { kind: 'mean' }), /INVALID_ARGUMENT kind: expected one of 'greedy', 'uniform'/)
  assert.match(
    await of([one], { kinds: 'greedy' }),
    /INVALID_ARGUMENT soup: there is no option "kinds"; did you mean kind/,
  )
  assert.match(
    await of([one], { metric: 'acuracy' }),
    /INVALID_ARGUMENT metric: expected one of 'loss', 'accuracy', received "acuracy"/,
  )
  assert.match(await of([one], { metric: 'confusionMatrix' }), /INVALID_ARGUMENT metric/)
  assert.match(await of([one], {}, { x: held.x }), /^GRADUS_INVALID_ARGUMENT/)
  assert.match(await of([one], { signal: AbortSignal.abort(new Error('enough')) }), /^undefined enough/)
  const gone = make(2)
  gone.dispose()
  assert.match(await of([one, gone]), /GRADUS_DISPOSED members\[1\]/)
  const bare = sequential({ input: [features], seed: 1 }, [dense(24), relu(), dense(3)])
  assert.match(await of([bare]), /NOT_COMPILED/)
  const busy = make(4)
  const run = busy.fit(training, { epochs: 1e6 })
  const message = await of([one, busy])
  run.stop()
  await run
  assert.match(message, /GRADUS_BUSY members\[1\] is being fitted/)
})

test('members that were tuned from one beginning make a soup', async () => {
  const begin = make(1)
  await begin.fit(training, { epochs: 8, batchSize: 8 })
  const tuned = []
  for (const seed of [1, 2, 3]) {
    const model = make(seed)
    model.setWeights(begin.getWeights())
    await model.fit(training, { epochs: 1, batchSize: 8 })
    tuned.push(model)
  }
  const mixed = await soup(tuned, held, { kind: 'uniform' })
  const losses = await Promise.all(tuned.map((model) => lossOf(model)))
  assert.ok((await lossOf(mixed)) <= Math.min(...losses))
})

test.run()
