// What members must have in common, what they may do meanwhile, and what becomes of an ensemble without them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  adam,
  binaryCrossEntropy,
  concat,
  customLayer,
  dense,
  embedding,
  ensemble,
  flatten,
  graph,
  input,
  meanSquaredError,
  multiclassHinge,
  normalization,
  relu,
  sequential,
  softmaxCrossEntropy,
} from '../dist/index.js'

const members = suite('members of an ensemble')

const x = Float32Array.from({ length: 24 * 4 }, (_, i) => Math.sin(i) / 2 + (i % 3))
const y = Int32Array.from({ length: 24 }, (_, row) => row % 3)

const compiled = (model, loss = softmaxCrossEntropy()) => model.compile({ loss, optimizer: adam() })
const make = (seed, { size = 4, outputs = 3, dtype = 'float32', loss } = {}) =>
  compiled(sequential({ input: [size], seed, dtype }, [dense(5), relu(), dense(outputs)]), loss)

async function refused(work, code, message) {
  try {
    await work()
  } catch (error) {
    assert.is(error.code, code, error.message)
    assert.match(error.message, message)
    return
  }
  assert.unreachable(`nothing was thrown where ${message} was expected`)
}
const invalid = (work, message) => refused(work, 'GRADUS_INVALID_ARGUMENT', message)

members('what is no list of models that go together is one coded error', async () => {
  const [a, b] = [make(1), make(2)]
  const two = [a, b]
  for (const none of [[], undefined, null, a, 'models', {}])
    await invalid(() => ensemble(none), /^members: expected a list/)
  for (const other of [undefined, 5, {}, ensemble([a])]) {
    await invalid(() => ensemble([a, other]), /^members\[1\]: expected a model, received/)
  }
  await invalid(() => ensemble([a, b, a]), /^members\[2\]: expected each model once, received that of members\[0\]/)
  await refused(
    () => ensemble([a, make(2, { size: 5 })]),
    'GRADUS_SHAPE_MISMATCH',
    /^members\[1\]: expected the inputs \[4\]/,
  )
  await refused(
    () => ensemble([a, make(2, { outputs: 2 })]),
    'GRADUS_SHAPE_MISMATCH',
    /output shape \[3\] as members\[0\], received \[2\]/,
  )
  await invalid(() => ensemble([a, make(2, { dtype: 'float64' })]), /^members\[1\]: expected the dtype float32/)
  await invalid(
    () => ensemble([a, make(2, { loss: multiclassHinge() })]),
    /compiled with softmaxCrossEntropy as members\[0\], received compiled with multiclassHinge/,
  )
  await invalid(() => ensemble([a, sequential({ input: [4], seed: 1 }, [dense(3)])]), /received that is not compiled/)
  for (const weights of [[1], [1, 2, 3], []])
    await invalid(() => ensemble(two, { weights }), /^weights: expected 2 numbers/)
  for (const bad of [Number.NaN, -1, Number.POSITIVE_INFINITY, '1', undefined]) {
    await invalid(() => ensemble(two, { weights: [1, bad] }), /^weights\[1\]: expected a number of at least 0/)
  }
  await invalid(() => ensemble(two, { weights: [0, 0] }), /^weights: expected one above 0, received zeros alone/)
  for (const weights of [5, 'ab', {}])
    await invalid(() => ensemble(two, { weights }), /^weights: expected a list of numbers/)
  await invalid(() => ensemble(two, { combine: 'mean' }), /^combine: expected one of 'probabilities'/)
  for (const temperature of [0, -1, Number.NaN]) await invalid(() => ensemble(two, { temperature }), /^temperature/)
  await invalid(() => ensemble(two, { wieghts: [1, 1] }), /did you mean weights/)
  const values = [make(1, { loss: meanSquaredError() }), make(2, { loss: meanSquaredError() })]
  await invalid(() => ensemble(values, { combine: 'vote' }), /^combine: 'vote' expects members that choose classes/)
  await invalid(() => ensemble(values).predictClasses(x), /meanSquaredError/)
  await invalid(() => ensemble(two).predict(x, { spread: 1 }), /^spread: expected true or false/)
  await invalid(() => ensemble(two).predict(x, { batchsize: 1 }), /did you mean batchSize/)
  assert.equal(ensemble(two, { weights: new Float32Array([1, 3]) }).weights, [0.25, 0.75])
  assert.equal(ensemble(two, { weights: [1e308, 1e308] }).weights, [0.5, 0.5])
})

members('models that are not compiled predict as one: the mean of their values', async () => {
  const plain = [1, 2].map((seed) => sequential({ input: [4], seed }, [dense(2)]))
  const together = ensemble(plain)
  const [a, b] = await Promise.all(plain.map((model) => model.predict(x)))
  assert.equal(
    (await together.predict(x)).data,
    a.data.map((value, i) => Math.fround(0.5 * value + 0.5 * b.data[i])),
  )
  for (const call of ['evaluate', 'predictClasses', 'predictProbabilities']) {
    await refused(() => together[call](x), 'GRADUS_NOT_COMPILED', new RegExp(`^${call}`))
  }
})

members('members are live: trained, compiled anew and disposed of', async () => {
  const [a, b] = [make(1), make(2)]
  const together = ensemble([a, b])
  const before = await together.predict(x)
  await a.fit({ x, y }, { epochs: 2, quiet: true })
  const trained = await together.predict(x)
  assert.not.equal(trained.data, before.data)
  assert.equal(trained.data, (await ensemble([a, b]).predict(x)).data)
  compiled(a)
  assert.equal((await together.predict(x)).data, trained.data)
  compiled(b, multiclassHinge())
  await invalid(() => together.predict(x), /^members\[1\]: expected a model compiled with softmaxCrossEntropy/)
  compiled(b)
  const pending = together.predict(x)
  await refused(() => compiled(b), 'GRADUS_BUSY', /at work/)
  await pending
  b.dispose()
  for (const call of ['predict', 'predictSync', 'predictClasses', 'predictProbabilities']) {
    await refused(async () => together[call](x), 'GRADUS_DISPOSED', /^members\[1\]: the model has been disposed/)
  }
  await refused(() => together.evaluate({ x, y }), 'GRADUS_DISPOSED', /^members\[1\]/)
  await refused(() => together.toBuffer(), 'GRADUS_DISPOSED', /^members\[1\]/)
})

members('an ensemble that was disposed of leaves its members', async () => {
  const [a, b] = [make(1), make(2)]
  const together = ensemble([a, b])
  await together.predict(x)
  together.dispose()
  together[Symbol.dispose]()
  for (const call of ['predict', 'predictSync', 'predictClasses', 'predictProbabilities', 'evaluate']) {
    await refused(async () => together[call]({ x, y }), 'GRADUS_DISPOSED', /the ensemble has been disposed/)
  }
  await refused(() => together.toBuffer(), 'GRADUS_DISPOSED', /the ensemble has been disposed/)
  assert.is((await a.predict(x)).length, 24)
  assert.is(b.predictSync(x).length, 24)
  const running = ensemble([a, b])
  const pending = running.predict(x)
  running.dispose()
  await refused(() => pending, 'GRADUS_DISPOSED', /disposed/)
  const last = ensemble([a, b])
  const late = last.predict(x)
  a.dispose()
  await refused(() => late, 'GRADUS_DISPOSED', /disposed/)
})

members('a call waits for what was asked of a member before, and holds what is asked after', async () => {
  const [a, b, c] = [make(1), make(2), make(3)]
  const [first, second] = [ensemble([a, b]), ensemble([b, c])]
  const alone = [await first.predict(x), await second.predict(x)]
  const evaluations = [await a.evaluate({ x, y }), await first.evaluate({ x, y })]
  const both = await Promise.all([first.predict(x), a.evaluate({ x, y }), second.predict(x), first.evaluate({ x, y })])
  assert.equal([both[0], both[2]], alone)
  assert.equal([both[1], both[3]], evaluations)
  const run = a.fit({ x, y }, { epochs: 3, quiet: true })
  const beside = await first.predict(x)
  assert.is(beside.length, 24)
  await run
})

members('members are busy during a call, and so are other ensembles of them', async () => {
  const found = []
  const asking = customLayer({
    name: 'asking',
    forward(values) {
      for (const call of [() => a.predictSync(x), () => other.predictSync(x), () => together.predictSync(x)]) {
        try {
          found.push(call().length)
        } catch (error) {
          found.push(error.code)
        }
      }
      return values
    },
    backward: (dy) => ({ dx: dy }),
    outputShape: (shape) => shape,
  })
  const [a, b] = [make(1), compiled(sequential({ input: [4], seed: 1 }, [dense(3), asking]))]
  const [together, other] = [ensemble([a, b]), ensemble([a, make(3)])]
  together.predictSync(x)
  await together.predict(x)
  assert.equal(found, Array(6).fill('GRADUS_BUSY'))
  assert.is(a.predictSync(x).length + other.predictSync(x).length, 48)
})

members('predictions in callbacks of a fit leave its steps as they are', async () => {
  const trained = async (callbacks) => {
    const [a, b] = [make(1), make(2)]
    const together = ensemble([a, b])
    await a.fit({ x, y }, { epochs: 3, batchSize: 5, quiet: true, callbacks: callbacks(together) })
    return a.getWeights()
  }
  const seen = []
  const asking = (together) => [
    { onEpochEnd: async () => seen.push(together.predictSync(x), await together.predict(x)) },
  ]
  assert.equal(await trained(asking), await trained(() => []))
  assert.is(seen.length, 6)
  assert.equal(seen[4].data, seen[5].data)
})

members('a signal ends a call', async () => {
  const together = ensemble([make(1), make(2)])
  const reason = new Error('enough')
  await assertRejects(together.predict(x, { signal: AbortSignal.abort(reason) }), reason)
  const controller = new AbortController()
  const pending = together.evaluate({ x, y }, { signal: controller.signal, batchSize: 1 })
  controller.abort(reason)
  await assertRejects(pending, reason)
  assert.is((await together.predict(x)).length, 24)
})

async function assertRejects(promise, reason) {
  assert.is(await promise.then(assert.unreachable, (error) => error), reason)
}

members('names of classes: members that know none learn them, other numberings are refused', async () => {
  const [a, b, c, d] = [make(1), make(2), make(3), make(4)]
  const names = Array.from(y, (label) => ['cat', 'dog', 'owl'][label])
  const other = names.map((name) => (name === 'owl' ? 'ape' : name))
  const fit = { epochs: 1, quiet: true }
  await a.fit({ x, y: names }, fit)
  const together = ensemble([b, a])
  assert.equal(together.classes, ['cat', 'dog', 'owl'])
  assert.ok((await together.predictClasses(x)).every((name) => ['cat', 'dog', 'owl'].includes(name)))
  assert.equal(await together.evaluate({ x, y: names }), await together.evaluate({ x, y }))
  await c.fit({ x, y: names, classes: ['owl', 'dog', 'cat'] }, fit)
  const turned = ensemble([a, b, c])
  await invalid(
    () => turned.predict(x),
    /^members\[2\]: expected the classes numbered as those of the members before, where class 0 is "cat", received one where it is "owl"/,
  )
  await invalid(() => turned.classes, /^members\[2\]/)
  await d.fit({ x, y: other }, fit)
  await invalid(() => ensemble([a, d]).evaluate({ x, y }), /^members\[1\]: expected the classes of the members before/)
})

members('bytes mean to all what they meant in training', async () => {
  const bytes = Uint8Array.from({ length: 24 * 4 }, (_, i) => (i * 37) % 256)
  const [a, b, c] = [make(1), make(2), make(3)]
  await a.fit({ x: bytes, y }, { epochs: 1, quiet: true })
  const together = ensemble([b, a])
  const expected = await together.predict(Float32Array.from(bytes, (value) => value * Math.fround(1 / 255)))
  assert.equal((await together.predict(bytes)).data, expected.data)
  assert.equal(together.predictSync(bytes).data, expected.data)
  await c.fit({ x, y }, { epochs: 1, quiet: true })
  await invalid(() => ensemble([a, c]).predict(bytes), /^members\[1\]: expected a model trained on bytes/)
})

members('normalization, row numbers, several inputs and layers of different kinds', async () => {
  const numbers = Int32Array.from({ length: 24 * 2 }, (_, i) => (i * 5) % 7)
  const [left, right] = [input([4], { name: 'left' }), input([2], { name: 'right' })]
  const makeGraph = (seed, hidden) => {
    const words = flatten()(embedding(7, 3 + seed)(right))
    const together = concat(dense(hidden)(normalization()(left)), words)
    return compiled(graph({ seed, inputs: [left, right], output: dense(3)(together) }))
  }
  const two = [makeGraph(1, 3), makeGraph(2, 8)]
  const data = { x: { left: x, right: numbers }, y }
  for (const model of two) await model.fit(data, { epochs: 1, quiet: true })
  const together = ensemble(two, { combine: 'scores' })
  const [a, b] = await Promise.all(two.map((model) => model.predict(data.x)))
  const expected = a.data.map((value, i) => Math.fround(value / 2 + b.data[i] / 2))
  const found = await together.predict(data.x)
  assert.equal(found.data, expected)
  assert.equal(together.predictSync(data.x).data, expected)
  const outside = { left: x, right: numbers.fill(9) }
  await refused(() => together.predict(outside), 'GRADUS_INVALID_DATA', /from 0 to 6, received 9/)
})

members('what a custom layer throws comes out of the call, and the members are free again', async () => {
  const problem = new Error('no answer')
  let isBroken = true
  const answering = customLayer({
    name: 'answering',
    forward(values) {
      if (isBroken) throw problem
      return values
    },
    backward: (dy) => ({ dx: dy }),
    outputShape: (shape) => shape,
  })
  const custom = compiled(sequential({ input: [4], seed: 1 }, [dense(3), answering]))
  const together = ensemble([make(2), custom, make(3)])
  assert.is(await together.predict(x).then(assert.unreachable, (error) => error), problem)
  assert.throws(
    () => together.predictSync(x),
    (error) => error === problem,
  )
  isBroken = false
  assert.equal((await together.predict(x)).data, together.predictSync(x).data)
})

members('yes-or-no outputs by name', async () => {
  const one = { outputs: 1, loss: binaryCrossEntropy() }
  const together = ensemble([make(1, one), make(2, one)], { combine: 'vote', weights: [2, 1] })
  const first = await together.members[0].predictClasses(x)
  assert.equal(await together.predictClasses(x), first)
  const shares = Array.from((await together.predictProbabilities(x)).data)
  assert.ok(shares.every((share) => [0, 1 / 3, 2 / 3, 1].some((third) => Math.abs(share - third) < 1e-6)))
})

members.run()
