// Models on a GPU, from JavaScript on: what users call gives there what it gives on the processor.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adam,
  averagedWeights,
  customLayer,
  dense,
  devices,
  ensemble,
  gradientCheck,
  relu,
  sequential,
  softmaxCrossEntropy,
  tanh,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { data, inputs, model, options, place, rows } from './small-model.js'

const test = suite('models on a GPU')
const [, card] = devices()

const double = customLayer({
  name: 'double',
  outputShape: ([n]) => [n],
  forward: (x) => x.map((v) => 2 * v),
  backward: (dy) => ({ dx: dy.map((v) => 2 * v) }),
})
const columns = ({ loss, accuracy, logLoss, regularizationLoss }) => ({ loss, accuracy, logLoss, regularizationLoss })

test('the card is listed, and one that is not there refused', () => {
  assert.equal([card.device, card.reason], ['cuda:0', undefined])
  assert.throws(
    () => model('cuda:999'),
    ({ code, message }) =>
      code === 'GRADUS_INVALID_ARGUMENT' && message.includes(`0 (${card.name})`) && message.includes('received 999'),
  )
})

for (const dtype of ['float32', 'float64']) {
  test(`${dtype}: training, evaluating and predicting give the processor's bits`, async () => {
    const [here, there] = [model('cpu', { dtype }), model('cuda', { dtype })]
    assert.is(there.device, place)
    assert.equal(columns(await there.fit(data, options)), columns(await here.fit(data, options)))
    assert.equal(there.getWeights(), here.getWeights())
    assert.equal(await there.evaluate(data), await here.evaluate(data))
    assert.equal(await there.predict(data.x), await here.predict(data.x))
    assert.equal(there.predictSync(data.x), here.predictSync(data.x))
  })
}

test('a model goes from one device to the other with all that it keeps', async () => {
  const [moved, other] = [model('cpu'), model('cpu')]
  for (const device of ['cuda', 'cpu', 'cuda']) {
    await moved.to(device)
    await moved.fit(data, options)
    await other.fit(data, options)
  }
  assert.equal(moved.getWeights(), other.getWeights())
})

test('a step with numbers that are not finite is refused there as here, and the run says which device it took', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-emulated-'))
  const x = data.x.slice()
  x[17 * inputs + 2] = 1e38
  const histories = []
  for (const device of ['cpu', 'cuda']) {
    const of = model(device, {})
    histories.push(await of.fit({ ...data, x }, { ...options, shuffle: false, dir: folder, name: device }))
  }
  assert.equal(columns(histories[1]), columns(histories[0]))
  assert.equal(histories[1].refusedSteps, histories[0].refusedSteps)
  assert.ok(histories[0].refusedSteps.some((count) => count > 0))
  const run = join(
    folder,
    readdirSync(folder).find((name) => name.startsWith('cuda')),
  )
  assert.is(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')).machine.device, place)
  rmSync(folder, { recursive: true })
})

test('what JavaScript computes is brought to it', async () => {
  const [here, there] = [model('cpu', { middle: double }), model('cuda', { middle: double })]
  await here.fit(data, options)
  await there.fit(data, options)
  assert.equal(there.getWeights(), here.getWeights())
})

test('a run that ends in the middle goes on there and here to the bits of one that was not interrupted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-emulated-'))
  const start = async (device, name, stopAfter) => {
    const of = model(device)
    const run = of.fit(data, { ...options, epochs: 5, dir: join(folder, name), resume: true })
    for await (const { epoch } of run) if (epoch === stopAfter) break
    return [of.getWeights(), columns(run.history)]
  }
  const calm = await start('cpu', 'calm')
  await start('cuda', 'interrupted', 1)
  await start('cpu', 'interrupted', 3)
  assert.equal(await start('cuda', 'interrupted'), calm)
  rmSync(folder, { recursive: true })
})

test("the gradient check holds a GPU's gradient against the processor's first", async () => {
  const asIs = await gradientCheck(model('cuda', { middle: tanh() }), data)
  assert.is(asIs.verdict, 'satisfied')
  assert.equal(asIs.toJSON(), (await gradientCheck(model('cpu', { middle: tanh() }), data)).toJSON())
  // In float32 its second pass of a kind is another one; the check's twin has float64.
  const passes = { backward: 0 }
  const unlike = customLayer({
    name: 'unlike',
    outputShape: ([n]) => [n],
    forward: (x) => x.slice(),
    backward: (dy) => ({ dx: dy.map((v) => (dy instanceof Float32Array && passes.backward++ > 0 ? 2 * v : v)) }),
  })
  const error = await gradientCheck(model('cuda', { middle: unlike }), data).catch((thrown) => thrown)
  assert.is(error.code, 'GRADUS_WRONG_GRADIENT')
  assert.match(
    error.message,
    /^model: the gradient of \S+\[\d+\] is \S+ on (emulated|cuda):0 and \S+ on the processor, which/,
  )
})

test('targets that are smoothed', async () => {
  const loss = softmaxCrossEntropy({ labelSmoothing: 0.1, temperature: 2 })
  const [here, there] = [model('cpu', { loss }), model('cuda', { loss })]
  assert.equal(columns(await there.fit(data, options)), columns(await here.fit(data, options)))
  assert.equal(there.getWeights(), here.getWeights())
})

test('by the average of the weights, and as a model of its own', async () => {
  const optimizer = () => adam({ learningRate: 0.01, average: averagedWeights() })
  const [here, there] = [model('cpu', { optimizer: optimizer() }), model('cuda', { optimizer: optimizer() })]
  const results = []
  for (const of of [here, there]) {
    await of.fit(data, options)
    const averaged = await of.averaged(data)
    results.push([
      await of.predict(data.x, { weights: 'average' }),
      await of.evaluate(data, { weights: 'average' }),
      of.getWeights({ average: true }),
      averaged.getWeights(),
      averaged.predictSync(data.x),
    ])
  }
  assert.equal(results[1], results[0])
  assert.not.equal(results[1][0], await there.predict(data.x))
})

// The weights are written last: what is still queued for a member comes before what the ensemble reads.
for (const combine of ['probabilities', 'geometric', 'scores', 'vote']) {
  test(`an ensemble of a GPU's models combines ${combine} as on the processor`, async () => {
    const results = []
    for (const device of ['cpu', 'cuda']) {
      const middles = [relu(), double, relu()]
      const members = middles.map((middle, i) => model(device, { middle, seed: i, dtype: 'float64' }))
      await members[0].fit(data, options)
      const together = ensemble(members, { combine, weights: [3, 1, 2] })
      members[2].setWeights(members[0].getWeights())
      const { predictions, spread } = await together.predict(data.x, { spread: true, batchSize: 16 })
      members[1].setWeights(members[0].getWeights())
      results.push([predictions, spread, together.predictSync(data.x), await together.evaluate(data)])
      await members[0].fit(data, options)
      results.at(-1).push(await together.predictProbabilities(data.x), members[0].getWeights())
      together.dispose()
    }
    assert.equal(results[1], results[0])
  })
}

test('what has no room is refused, nothing has changed, and a smaller batch then works', async () => {
  const units = 8192
  const of = sequential({ input: [1], seed: 1 }, [dense(units), dense(2)])
  of.compile({ loss: softmaxCrossEntropy(), optimizer: adam(), device: 'cuda' })
  const many = Math.floor(card.memory / (4 * units)) + 1
  const wide = { x: new Float32Array(many).fill(0.5), y: new Int32Array(many) }
  const before = of.getWeights()
  const error = await of.fit(wide, { epochs: 1, batchSize: many, quiet: true }).then(
    () => undefined,
    (thrown) => thrown,
  )
  assert.is(error.code, 'GRADUS_OUT_OF_MEMORY')
  assert.match(
    error.message,
    /has no memory for \d+ bytes: of its \d+ bytes \d+ are free, .*: a step of .* there is room for a batchSize of \d+$/,
  )
  assert.equal(of.getWeights(), before)
  const few = { x: wide.x.slice(0, 4), y: wide.y.slice(0, 4) }
  assert.is((await of.fit(few, { epochs: 1, batchSize: 2, quiet: true })).loss.length, 1)
})

test('members of two devices are no ensemble', async () => {
  const both = ensemble([model('cuda'), model('cpu')])
  const error = await Promise.resolve()
    .then(() => both.predict(data.x))
    .catch((thrown) => thrown)
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(error.message, `members[1]: expected the device ${place} as members[0], received cpu`)
  await both.members[1].to('cuda')
  assert.is((await both.predict(data.x)).shape[0], rows)
})

test.run()
