// What averages of the weights are used for: evaluation by them, validation beside the weights, a model of their own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adam,
  averagedWeights,
  batchNorm,
  checkpoint,
  customRegularizer,
  dense,
  earlyStopping,
  equalAverage,
  recomputeStatistics,
  reduceOnPlateau,
  sequential,
  sgd,
  softmaxCrossEntropy,
  tanh,
} from 'gradus'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { numbers } from './support/reference.js'

const test = suite('uses of averages')
const rows = 41
const x = numbers(rows * 5, 3)
const y = Int32Array.from(numbers(rows, 4), (value) => Math.floor((value + 1) * 1.5))
const validation = { x: numbers(19 * 5, 5), y: Int32Array.from({ length: 19 }, (_, i) => i % 3) }
const quadratic = customRegularizer({
  loss: (w) => 0.01 * w.reduce((sum, v) => sum + v * v, 0),
  gradient: (w) => w.map((v) => 0.02 * v),
})

const made = (average, more = {}) =>
  sequential({ input: [5], seed: 2, ...more }, [
    dense(9, { regularizer: quadratic }),
    ...[batchNorm(), tanh(), dense(3)],
  ]).compile({ loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 0.05, average }), metrics: ['accuracy'] })
const running = () => averagedWeights({ decay: 0.8 })
const settings = { batchSize: 8, epochs: 4, quiet: true }
const codeOf = async (work) => {
  try {
    await work()
  } catch (error) {
    return `${error.code} ${error.message}`
  }
  return 'no error'
}

for (const dtype of ['float32', 'float64']) {
  test(`by the average a model gives what one gives whose weights it is, ${dtype}`, async () => {
    const model = made(running(), { dtype })
    await model.fit({ x, y }, settings)
    const other = made(undefined, { dtype })
    other.setWeights(model.getWeights({ average: true }))
    const before = model.getWeights()
    const by = { weights: 'average', batchSize: 7 }
    assert.equal(await model.evaluate(validation, by), await other.evaluate(validation, { batchSize: 7 }))
    assert.not.equal(await model.evaluate(validation), await other.evaluate(validation))
    for (const method of ['predict', 'predictProbabilities']) {
      const [found, wanted] = [await model[method](validation.x, by), await other[method](validation.x)]
      assert.equal(found.data, wanted.data, method)
    }
    assert.equal(await model.predictClasses(validation.x, by), await other.predictClasses(validation.x))
    assert.equal(model.getWeights(), before)
  })
}

test('validateAverage adds what evaluate gives by the average, from the first weights in it on', async () => {
  for (const [average, begins] of [
    [running(), 1],
    [equalAverage({ from: 3 }), 3],
    [equalAverage({ from: 8, unit: 'step' }), 2],
  ]) {
    const model = made(average)
    const found = []
    const callbacks = [
      async ({ record }) => {
        const { loss, accuracy } = await model.evaluate(validation, { weights: 'average' })
        found.push([record.averageValLoss, record.averageValAccuracy], [loss, accuracy])
      },
    ]
    const history = await model.fit({ x, y }, { ...settings, validation, validateAverage: true, callbacks })
    assert.is(history.averageValLoss.length, 5 - begins)
    assert.is(history.averageValAccuracy.length, 5 - begins)
    for (let i = 2 * (begins - 1); i < found.length; i += 2) assert.equal(found[i], found[i + 1])
    for (let i = 0; i < 2 * (begins - 1); i += 2) assert.equal(found[i], [undefined, undefined])
    const without = await made(average).fit({ x, y }, { ...settings, validation })
    assert.equal(without.valLoss, history.valLoss)
    assert.is(without.averageValLoss, undefined)
  }
})

test('early stopping by the average puts back the average of its best epoch, and the weights of that moment', async () => {
  const model = made(running())
  const kept = []
  const stopping = earlyStopping({ monitor: 'averageValAccuracy', patience: 3, restoreBest: true })
  const keeping = () => void kept.push([model.getWeights(), model.getWeights({ average: true })])
  const callbacks = [keeping, stopping]
  const options = { ...settings, epochs: 30, validation, validateAverage: true, callbacks }
  const history = await model.fit({ x, y }, options)
  const best = history.averageValAccuracy.indexOf(Math.max(...history.averageValAccuracy))
  assert.is(stopping.best.epoch, best + 1)
  assert.ok(best + 1 < history.epochs, 'later epochs were no better')
  assert.equal(model.getWeights(), kept[best][0])
  assert.equal(model.getWeights({ average: true }), kept[best][1])
  const { accuracy } = await model.evaluate(validation, { weights: 'average' })
  assert.is(accuracy, history.averageValAccuracy[best])
})

test('an epoch whose validation was cut short comes into the average once', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gradus-averages-'))
  try {
    const average = () => equalAverage({ from: 1 })
    const whole = made(average())
    await whole.fit({ x, y }, { ...settings, validation })
    const controller = new AbortController()
    let validated = 0
    // Ends the run while the second epoch is validated, when its weights are in the average.
    async function* cutting() {
      if (++validated === 2) controller.abort()
      yield validation
    }
    const options = { ...settings, validation: cutting, dir }
    const cut = made(average())
    const callbacks = [checkpoint()]
    await cut.fit({ x, y }, { ...options, callbacks, signal: controller.signal }).done.catch(() => {})
    assert.is(validated, 2)
    assert.not.equal(cut.getWeights({ average: true }), cut.getWeights())
    const resumed = made(average())
    await resumed.fit({ x, y }, { ...options, callbacks: [checkpoint()], resume: 'must' })
    assert.equal(resumed.getWeights(), whole.getWeights())
    assert.equal(resumed.getWeights({ average: true }), whole.getWeights({ average: true }))
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('a schedule goes by the average too', async () => {
  const schedule = () => reduceOnPlateau({ monitor: 'averageValLoss', patience: 1, threshold: 0.5 })
  const history = await made(running()).fit(
    { x, y },
    { ...settings, validation, validateAverage: true, schedule: schedule() },
  )
  assert.ok(history.learningRate.at(-1) < 0.05)
})

test('averaged() is a model of its own, whose statistics are those of the averaged weights', async () => {
  const model = made(running())
  await model.fit({ x, y }, settings)
  const averaged = await model.averaged({ x }, { batchSize: 10 })
  const wanted = made(undefined)
  wanted.setWeights(model.getWeights({ average: true }))
  await recomputeStatistics(wanted, { x }, { batchSize: 10 })
  assert.equal(averaged.getWeights(), wanted.getWeights())
  assert.equal(averaged.getWeights({ average: true })['dense1.weight'], averaged.getWeights()['dense1.weight'])
  const before = model.getWeights()
  await averaged.fit({ x, y }, settings)
  assert.equal(model.getWeights(), before)
  averaged.dispose()
  await model.evaluate(validation)
})

test('one coded error each', async () => {
  const none = made(undefined)
  const model = made(running())
  const invalid = (argument) => new RegExp(`^GRADUS_INVALID_ARGUMENT ${argument}: `)
  for (const method of ['evaluate', 'predict', 'predictClasses', 'predictProbabilities']) {
    const data = method === 'evaluate' ? { x, y } : x
    assert.match(await codeOf(() => none[method](data, { weights: 'average' })), invalid('weights'))
    assert.match(await codeOf(() => model[method](data, { weights: 'mean' })), invalid('weights'))
  }
  assert.match(await codeOf(() => none.getWeights({ average: true })), invalid('average'))
  assert.match(await codeOf(() => none.averaged({ x })), invalid('averaged'))
  assert.match(await codeOf(() => model.averaged()), invalid('data'))
  assert.match(
    await codeOf(() => none.fit({ x, y }, { validation, validateAverage: true })),
    invalid('validateAverage'),
  )
  assert.match(await codeOf(() => model.fit({ x, y }, { validateAverage: true })), invalid('validateAverage'))
  assert.match(await codeOf(() => model.fit({ x, y }, { validateAverage: 1 })), invalid('validateAverage'))
  for (const callback of [earlyStopping, checkpoint]) {
    const callbacks = [callback({ monitor: 'averageValLoss' })]
    const found = await codeOf(() => model.fit({ x, y }, { validation, callbacks }))
    assert.match(found, /^GRADUS_INVALID_ARGUMENT callbacks\[0\]\.monitor: .*fit has no validateAverage/)
  }
  const plain = sequential({ input: [5], seed: 2 }, [dense(3)])
  plain.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ average: running() }) })
  assert.equal((await plain.averaged()).getWeights(), plain.getWeights())
})

test.run()
