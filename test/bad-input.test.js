// Models that are used in the wrong way or at the wrong time: one coded error that names the argument, and the model goes
// on as before. What readers, datasets, options and files refuse is tested beside them.
import {
  accuracy,
  binaryCrossEntropy,
  confusionMatrix,
  dense,
  embedding,
  flatten,
  sequential,
  sgd,
  softmaxCrossEntropy,
} from 'gradus'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { firstCall } from './support/first-call.js'
import { numbers } from './support/reference.js'

const rows = 20
const x = numbers(rows * 3, 1)
const y = Int32Array.from({ length: rows }, (_, i) => i % 4)
/** What is not done at once. */
const long = { x: numbers(20_000 * 3, 1), y: Int32Array.from({ length: 20_000 }, (_, i) => i % 4) }

function smallModel() {
  const model = sequential({ input: [3], seed: 2 }, [dense(5), dense(4)])
  return model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd({ learningRate: 0.1 }), metrics: ['accuracy'] })
}

/** The work fails with this code and message, the weights stay, and the model trains afterwards. */
async function refused(model, work, code, message) {
  const before = model.getWeights()
  let thrown
  try {
    await work()
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown, `nothing was thrown: ${message}`)
  assert.is(`${thrown.name} ${thrown.code}`, `GradusError ${code}`, thrown.stack)
  assert.match(thrown.message, message)
  assert.equal(model.getWeights(), before)
  const history = await model.fit({ x, y }, { quiet: true }).done
  assert.ok(Number.isFinite(history.loss[0]))
}

test('a bad value in the last row costs no step', async () => {
  const model = smallModel()
  const fit = (examples) => () => model.fit(examples, { batchSize: 1, stepsPerCall: 1, quiet: true }).done
  const nan = Float64Array.from(x)
  nan[rows * 3 - 1] = Number.NaN
  await refused(model, fit({ x: nan, y }), 'GRADUS_INVALID_DATA', /^x, row 19/)
  for (const label of [4, -1, 1.5]) {
    const labels = Float64Array.from(y)
    labels[rows - 1] = label
    await refused(model, fit({ x, y: labels }), 'GRADUS_INVALID_DATA', /^y, row 19/)
  }
})

test('indices of an embedding past its table', async () => {
  const model = sequential({ input: [2], seed: 1 }, [embedding(5, 3), flatten(), dense(4)])
  model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
  const before = model.getWeights()
  for (const index of [5, -1]) {
    const indices = new Int32Array(rows * 2)
    indices[rows * 2 - 1] = index
    const said = (error) => error.code === 'GRADUS_INVALID_DATA' && /^x, row 19/.test(error.message)
    await model.fit({ x: indices, y }, { quiet: true }).done.then(
      () => assert.unreachable(),
      (e) => assert.ok(said(e), e.message),
    )
    await model.predict(indices).then(
      () => assert.unreachable(),
      (e) => assert.ok(said(e), e.message),
    )
  }
  assert.equal(model.getWeights(), before)
})

test('weights that sum to 0 in all are an error, in one batch a loss of 0', async () => {
  const model = smallModel()
  const none = { x, y, sampleWeights: new Float64Array(rows) }
  const code = 'GRADUS_INVALID_DATA'
  const evaluated = model.evaluate(none).then(
    () => 'resolved',
    (error) => error.code,
  )
  assert.is(await evaluated, code)
  const fitted = model.fit(none, { quiet: true }).done.then(
    () => 'resolved',
    (error) => error.code,
  )
  assert.is(await fitted, code)
  const before = model.getWeights()
  const half = { x, y, sampleWeights: Float64Array.from(y, (_, i) => (i < 10 ? 0 : 1)) }
  const seen = []
  const callbacks = [{ onStepsEnd: ({ steps }) => void seen.push([...steps.loss], [...steps.weight]) }]
  const options = { batchSize: 10, shuffle: false, stepsPerCall: 1, callbacks, quiet: true }
  const { loss } = await model.fit(half, options).done
  assert.equal(seen.slice(0, 2), [[0], [0]])
  assert.is(loss[0], seen[2][0])
  assert.not.equal(model.getWeights(), before)
})

test('compile, a second fit and weights during a fit; everything again after it', async () => {
  const model = smallModel()
  const busy = (work) => assert.throws(work, (error) => error.name === 'GradusError' && error.code === 'GRADUS_BUSY')
  const compile = () => model.compile({ loss: softmaxCrossEntropy(), optimizer: sgd() })
  let asked = 0
  const onStepsEnd = () => {
    asked++
    busy(compile)
    busy(() => model.fit({ x, y }))
  }
  const run = model.fit({ x, y }, { batchSize: 5, stepsPerCall: 1, callbacks: [{ onStepsEnd }], quiet: true })
  busy(compile)
  busy(() => model.fit({ x, y }))
  await run.done
  assert.is(asked, 4)
  compile()
  await model.fit({ x, y }, { quiet: true }).done
})

test('a model disposed during a fit, a prediction and an evaluation', async () => {
  const code = (promise) =>
    promise.then(
      () => 'resolved',
      (error) => error.code,
    )
  const works = [
    (model) => model.fit({ x, y }, { epochs: 1000, batchSize: 1, stepsPerCall: 5, quiet: true }).done,
    (model) => model.predict(long.x, { batchSize: 1 }),
    (model) => model.evaluate(long, { batchSize: 1 }),
  ]
  for (const work of works) {
    const model = smallModel()
    const begun = firstCall(model.program)
    const promise = code(work(model))
    await begun
    assert.ok(model.program.busy)
    model.dispose()
    assert.is(await promise, 'GRADUS_DISPOSED')
    for (const later of works) {
      assert.is(await code((async () => later(model))()), 'GRADUS_DISPOSED')
    }
    assert.throws(
      () => model.getWeights(),
      (error) => error.code === 'GRADUS_DISPOSED',
    )
  }
})

test('one output has two classes, yes above 0', async () => {
  const model = sequential({ input: [1], seed: 1, dtype: 'float64' }, [dense(1)])
  model.compile({ loss: binaryCrossEntropy(), optimizer: sgd(), metrics: [accuracy(), confusionMatrix()] })
  model.setWeights({
    'dense1.weight': { shape: [1, 1], data: Float64Array.of(1) },
    'dense1.bias': { shape: [1], data: Float64Array.of(0) },
  })
  const scores = [-1, -0.25, 0.25, 1, 2]
  const right = [0, 1, 1, 0, 1]
  const found = await model.evaluate({ x: Float64Array.from(scores), y: Float64Array.from(right) })
  assert.is(found.accuracy, 3 / 5)
  assert.equal(found.confusionMatrix, [
    [1, 1],
    [1, 2],
  ])
})

test.run()
