// Models on the emulated GPU, from JavaScript on: what users call gives there what it gives on the processor.
// `npm run test:emulated` builds it and runs this; `node test/gpu/models.js` alone does the latter.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  adam,
  batchNorm,
  customLayer,
  dense,
  devices,
  dropout,
  ensemble,
  l2,
  relu,
  sequential,
  softmaxCrossEntropy,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from '../support/reference.js'

const emulated = fileURLToPath(new URL('../../build-emulated/gradus_emulated.so', import.meta.url))
process.env.GRADUS_CUDA_LIBRARY ??= emulated
const test = suite('models on the emulated GPU')
const [rows, inputs, classes] = [40, 6, 3]
const data = { x: numbers(rows * inputs, 3), y: Int32Array.from({ length: rows }, (_, i) => (i * 7) % classes) }

const double = customLayer({
  name: 'double',
  outputShape: ([n]) => [n],
  forward: (x) => x.map((v) => 2 * v),
  backward: (dy) => ({ dx: dy.map((v) => 2 * v) }),
})
const model = (device, { middle = relu(), dtype = 'float32', ...options } = {}) =>
  sequential({ input: [inputs], seed: 3, dtype }, [
    dense(9, { regularizer: l2(1e-3) }),
    batchNorm(),
    middle,
    dropout(0.3),
    dense(classes),
  ]).compile({
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.01 }),
    metrics: ['accuracy', 'logLoss'],
    device,
    ...options,
  })
const options = { epochs: 2, batchSize: 16, quiet: true, clipNorm: 0.5 }
const columns = ({ loss, accuracy, logLoss, regularizationLoss }) => ({ loss, accuracy, logLoss, regularizationLoss })

test('the emulated card is listed, and a second one refused', () => {
  const [, card] = devices()
  assert.equal([card.device, card.name, card.reason], ['cuda:0', 'Emulated', undefined])
  assert.throws(
    () => model('cuda:3'),
    ({ code, message }) => code === 'GRADUS_INVALID_ARGUMENT' && /0 \(Emulated\), received 3/.test(message),
  )
})

for (const dtype of ['float32', 'float64']) {
  test(`${dtype}: training, evaluating and predicting give the processor's bits`, async () => {
    const [here, there] = [model('cpu', { dtype }), model('cuda', { dtype })]
    assert.is(there.device, 'emulated:0')
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
  assert.match(readFileSync(join(run, 'run.json'), 'utf8'), /"device": ?"emulated:0"/)
  rmSync(folder, { recursive: true })
})

test('what JavaScript computes is brought to it', async () => {
  const [here, there] = [model('cpu', { middle: double }), model('cuda', { middle: double })]
  await here.fit(data, options)
  await there.fit(data, options)
  assert.equal(there.getWeights(), here.getWeights())
})

test('an ensemble takes no member of a GPU', async () => {
  const both = ensemble([model('cuda'), model('cpu')])
  const error = await Promise.resolve()
    .then(() => both.predict(data.x))
    .catch((thrown) => thrown)
  assert.is(error.code, 'GRADUS_INVALID_ARGUMENT')
  assert.match(error.message, /expected one of the device cpu, received one of emulated:0/)
})

test.run()
